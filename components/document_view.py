"""A document on screen: fetched by a one-time ticket, zoomed, turned and moved by hand.

Never by st.image: what lies at /media is open to anyone who has the address.
"""

from collections.abc import Sequence
from datetime import timedelta

import streamlit as st
from streamlit.components.v2 import component

from components import session
from components.i18n import t
from services import clock, pictures
from services.pictures import PictureKind

_VIEWER = component(
    "document_viewer",
    html="""<figure>
  <div class="stage" tabindex="0" role="group"><img alt="" draggable="false"><p></p></div>
  <div class="bar">
    <button type="button" data-does="out">
      <svg viewBox="0 0 24 24"><path d="M5 12h14"/></svg></button>
    <output>100%</output>
    <button type="button" data-does="in">
      <svg viewBox="0 0 24 24"><path d="M5 12h14M12 5v14"/></svg></button>
    <button type="button" data-does="turn">
      <svg viewBox="0 0 24 24"><path d="M19 12a7 7 0 1 1-2.2-5.1L19 9M19 4v5h-5"/></svg></button>
    <button type="button" data-does="whole">
      <svg viewBox="0 0 24 24"><path d="M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5"/></svg></button>
  </div>
</figure>""",
    css="""
figure { margin: 0; }
.stage {
  position: relative; overflow: hidden; height: min(52vh, 460px); touch-action: pan-y;
  background: var(--st-secondary-background-color); border: 1px solid var(--st-border-color);
  border-radius: var(--st-base-radius) var(--st-base-radius) 0 0; cursor: grab;
}
.tall .stage { height: max(320px, min(66vh, 760px)); }
.stage.near { touch-action: none; }
.stage:active { cursor: grabbing; }
.stage:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: -2px; }
img { position: absolute; left: 50%; top: 50%; user-select: none; -webkit-user-drag: none; }
img[hidden] { display: none; }
p {
  position: absolute; inset: 0; margin: 0; padding: 1rem; display: grid; place-items: center;
  color: var(--st-text-color); text-align: center; font-size: 0.875rem;
}
p:empty { display: none; }
.bar {
  display: flex; align-items: center; justify-content: center; gap: 0.25rem; padding: 0.25rem;
  border: 1px solid var(--st-border-color); border-top: 0;
  border-radius: 0 0 var(--st-base-radius) var(--st-base-radius);
}
button {
  display: grid; place-items: center; min-width: 2.75rem; min-height: 2.5rem;
  color: var(--st-text-color); background: transparent; border: 1px solid transparent;
  border-radius: var(--st-button-radius); cursor: pointer;
}
button:hover, button:focus-visible { border-color: var(--st-primary-color); }
svg {
  width: 1.25rem; height: 1.25rem; fill: none; stroke: currentColor; stroke-width: 2;
  stroke-linecap: round; stroke-linejoin: round;
}
output { min-width: 3.5rem; text-align: center; font-size: 0.875rem; color: var(--st-text-color); }
@media (max-width: 640px) { .tall .stage { height: min(56vh, 460px); } }
""",
    js="""
const CLOSEST = 8
const views = new WeakMap()

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  const find = (selector) => parentElement.querySelector(selector)
  const stage = find(".stage"), image = find("img"), words = find("p")
  find("figure").className = data.tall ? "tall" : ""
  stage.setAttribute("aria-label", `${data.alt}. ${data.keys}`)
  image.alt = data.alt
  parentElement.querySelectorAll("button").forEach((button) => {
    button.title = data[button.dataset.does]
    button.setAttribute("aria-label", data[button.dataset.does])
  })

  let view = views.get(parentElement)
  if (view?.source !== data.source) {
    view?.watch.disconnect()
    view = { source: data.source, scale: 1, turned: 0, x: 0, y: 0, hands: new Map() }
    view.watch = new ResizeObserver(() => view.place())
    views.set(parentElement, view)
    image.hidden = true
    words.textContent = data.opening
    image.onload = () => { image.hidden = false; words.textContent = ""; view.place() }
    image.onerror = () => {
      words.textContent = ""
      setTriggerValue("failed", view.source)
    }
    image.src = new URL(data.source, document.baseURI).href
    view.watch.observe(stage)
  }

  view.place = () => {
    if (!image.naturalWidth) return
    const lying = view.turned % 180 !== 0
    const wide = lying ? image.naturalHeight : image.naturalWidth
    const high = lying ? image.naturalWidth : image.naturalHeight
    const fit = Math.min(stage.clientWidth / wide, stage.clientHeight / high)
    const spare = (shown, room) => Math.max(0, (shown * fit * view.scale - room) / 2)
    const within = (value, most) => Math.max(-most, Math.min(most, value))
    view.x = within(view.x, spare(wide, stage.clientWidth))
    view.y = within(view.y, spare(high, stage.clientHeight))
    image.style.width = `${image.naturalWidth * fit}px`
    image.style.transform =
      `translate(-50%, -50%) translate(${view.x}px, ${view.y}px)` +
      ` scale(${view.scale}) rotate(${view.turned}deg)`
    stage.classList.toggle("near", view.scale > 1)
    find("output").textContent = `${Math.round(view.scale * 100)}%`
  }
  // Come nearer (or go back) so that the point under the hand stays where it is.
  const zoom = (times, at) => {
    const scale = Math.max(1, Math.min(CLOSEST, view.scale * times)), grown = scale / view.scale
    const box = stage.getBoundingClientRect()
    const fromX = at ? at.x - box.left - box.width / 2 : 0
    const fromY = at ? at.y - box.top - box.height / 2 : 0
    view.x = fromX - (fromX - view.x) * grown
    view.y = fromY - (fromY - view.y) * grown
    view.scale = scale
    view.place()
  }
  const does = {
    in: () => zoom(1.4),
    out: () => zoom(1 / 1.4),
    turn: () => { view.turned = (view.turned + 90) % 360; view.place() },
    whole: () => { Object.assign(view, { scale: 1, turned: 0, x: 0, y: 0 }); view.place() },
  }
  parentElement.querySelectorAll("button").forEach((button) => {
    button.onclick = does[button.dataset.does]
  })
  const keys = { "+": "in", "=": "in", "-": "out", "0": "whole", r: "turn", R: "turn" }
  const arrows = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }
  stage.onkeydown = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const step = arrows[event.key]
    if (!keys[event.key] && !(step && view.scale > 1)) return
    event.preventDefault()
    event.stopPropagation()
    if (!step) return does[keys[event.key]]()
    view.x += step[0]
    view.y += step[1]
    view.place()
  }
  stage.onwheel = (event) => {
    event.preventDefault()
    zoom(Math.exp(-event.deltaY / 400), { x: event.clientX, y: event.clientY })
  }
  stage.ondblclick = (event) =>
    view.scale > 1 ? does.whole() : zoom(2.5, { x: event.clientX, y: event.clientY })

  const spread = () => {
    const [a, b] = [...view.hands.values()]
    return { apart: Math.hypot(a.x - b.x, a.y - b.y), x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }
  }
  stage.onpointerdown = (event) => {
    view.hands.set(event.pointerId, { x: event.clientX, y: event.clientY })
    if (view.scale > 1 || view.hands.size > 1) stage.setPointerCapture(event.pointerId)
  }
  stage.onpointermove = (event) => {
    const hand = view.hands.get(event.pointerId)
    if (!hand) return
    const before = view.hands.size === 2 ? spread() : null
    const moved = { x: event.clientX - hand.x, y: event.clientY - hand.y }
    Object.assign(hand, { x: event.clientX, y: event.clientY })
    if (before) {
      const now = spread()
      zoom(now.apart / Math.max(1, before.apart), now)
    } else if (view.scale > 1) {
      view.x += moved.x
      view.y += moved.y
      view.place()
    }
  }
  const lift = (event) => view.hands.delete(event.pointerId)
  stage.onpointerup = stage.onpointercancel = stage.onpointerleave = lift
  view.place()
  return () => views.get(parentElement)?.watch.disconnect()
}
""",
)
_SOON = timedelta(seconds=20)


def document(document_id: int, alt: str, purpose: str, key: str, *, tall: bool = False) -> None:
    """One page of a document; opening it leaves an audit row, drawing it again does not."""
    held = f"{key}_ticket"
    sources = ticketed(PictureKind.DOCUMENT, [document_id], purpose, held)
    if not sources:
        return
    _VIEWER(
        data={
            "source": sources[0],
            "alt": alt,
            "tall": tall,
            "keys": t("document.keys"),
            "opening": t("document.opening"),
            "in": t("document.zoom_in"),
            "out": t("document.zoom_out"),
            "turn": t("document.turn"),
            "whole": t("document.whole"),
        },
        key=key,
        on_failed_change=lambda: again(held),
        height="content",
    )


def ticketed(kind: PictureKind, ids: Sequence[int], purpose: str, held: str) -> list[str]:
    """Addresses at which these pictures are seen once, kept under a key; words where none are."""
    if session.without_routes():
        st.info(t("document.make_run"), icon=":material/image_not_supported:")
        return []
    if st.session_state.get(held, (None,))[0] != ids:
        st.session_state[held] = ids, [], None
    _, tickets, failed_at = st.session_state[held]
    if tickets is None:
        _cannot(held)
        return []
    if not tickets:
        tickets = session.disclose(pictures.tickets, kind, ids, purpose)
        if tickets is None:
            return []
        st.session_state[held] = ids, tickets, failed_at
    return [f"documents/{ticket}" for ticket in tickets]


def again(held: str) -> None:
    """An image did not come: with new tickets once more, then words."""
    ids, _, failed_at = st.session_state[held]
    often = failed_at is not None and clock.now() - failed_at < _SOON
    st.session_state[held] = ids, None if often else [], clock.now()


def _cannot(held: str) -> None:
    """Without a cookie the server shows images to nobody, so that this is the usual reason."""
    st.info(t("document.not_shown"), icon=":material/image_not_supported:")
    st.button(
        t("document.try_again"),
        icon=":material/refresh:",
        key=f"{held}_again",
        on_click=st.session_state.pop,
        args=(held,),
    )

"""Photos in a visit's report: small ones that open larger, and how the caregiver adds them."""

from collections.abc import Sequence

import streamlit as st
from streamlit.components.v2 import component

from components import session, words
from components.document_view import again, ticketed
from components.i18n import t
from services import report_photos, scans
from services.access import Role
from services.orders import OrderView
from services.pictures import PictureKind
from services.report_photos import PhotoView

# Each is fetched once, as its address works once, and shown small and large from memory.
_GALLERY = component(
    "report_photos",
    html="""<div class="all"></div>
<dialog><form method="dialog"><button class="close">
  <svg viewBox="0 0 24 24"><path d="M6 6l12 12M18 6L6 18"/></svg></button></form>
  <img alt=""></dialog>""",
    css="""
.all { display: grid; grid-template-columns: repeat(auto-fill, minmax(88px, 1fr)); gap: 0.5rem; }
.all button {
  padding: 0; aspect-ratio: 1; overflow: hidden; cursor: zoom-in;
  color: var(--st-text-color); background: var(--st-secondary-background-color);
  border: 1px solid var(--st-border-color); border-radius: var(--st-base-radius);
}
.all button:focus-visible, .close:focus-visible {
  outline: 2px solid var(--st-primary-color); outline-offset: 2px;
}
.all img { display: block; width: 100%; height: 100%; object-fit: cover; }
.all img[hidden] { display: none; }
dialog {
  margin: auto; padding: 0; border: 0; overflow: hidden; max-width: 96vw; max-height: 96dvh;
  background: var(--st-background-color); border-radius: var(--st-base-radius);
}
dialog::backdrop { background: rgb(0 0 0 / 0.75); }
dialog img { display: block; max-width: 96vw; max-height: 96dvh; object-fit: contain; }
.close {
  position: absolute; top: 0.5rem; right: 0.5rem; display: grid; place-items: center;
  width: 2.75rem; height: 2.75rem; padding: 0; cursor: pointer;
  color: var(--st-text-color); background: var(--st-background-color);
  border: 1px solid var(--st-border-color); border-radius: 50%;
}
svg { width: 1.25rem; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; }
""",
    js="""
const shown = new WeakMap()

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  const all = parentElement.querySelector(".all"), dialog = parentElement.querySelector("dialog")
  const large = dialog.querySelector("img"), close = dialog.querySelector(".close")
  close.title = data.close
  close.setAttribute("aria-label", data.close)
  dialog.onclick = (event) => { if (event.target !== close) dialog.close() }

  const key = data.photos.map((photo) => photo.source).join()
  if (shown.get(parentElement)?.key === key) return
  const held = { key, urls: [] }
  shown.get(parentElement)?.urls.forEach((url) => URL.revokeObjectURL(url))
  shown.set(parentElement, held)
  all.replaceChildren(...data.photos.map((photo) => {
    const button = document.createElement("button"), image = document.createElement("img")
    button.type = "button"
    button.setAttribute("aria-label", photo.alt)
    image.alt = ""
    image.hidden = true
    button.append(image)
    fetch(new URL(photo.source, document.baseURI))
      .then((answer) => answer.ok ? answer.blob() : Promise.reject(answer.status))
      .then((blob) => {
        const url = URL.createObjectURL(blob)
        held.urls.push(url)
        image.src = url
        image.hidden = false
        button.onclick = () => {
          large.src = url
          large.alt = photo.alt
          dialog.showModal()
        }
      })
      .catch(() => setTriggerValue("failed", key))
    return button
  }))
}
""",
)
_TYPES = ("jpg", "jpeg", "png", "webp", "heic", "heif")


def photos_of(orders: Sequence[OrderView]) -> dict[int, list[PhotoView]]:
    """The photos of these visits that this person may open, by visit."""
    ids = [order.visit_id for order in orders if order.checked_in_at is not None]
    return session.fetch(report_photos.of_visits, ids) if ids else {}


def photos_in_report(photos: Sequence[PhotoView]) -> None:
    """The photos of a report, behind a click: what nobody looks at is not opened."""
    if not photos:
        return
    key = f"report_photos_{photos[0].visit_id}"
    with st.expander(
        t("report_photos.count", count=len(photos)),
        icon=":material/photo_library:",
        key=f"{key}_open",
        on_change="rerun",
    ) as opened:
        if opened.open:
            if session.actor().role is Role.OPERATOR:
                st.caption(f":material/policy: {t('report_photos.audited')}")
            _gallery(photos, key)
        else:
            st.session_state.pop(f"{key}_tickets", None)


def photo_desk(visit: OrderView, photos: Sequence[PhotoView]) -> None:
    """Where the caregiver adds photos to a report that is not closed, and takes them out."""
    if visit.visit_status not in report_photos.OPEN:
        return
    key = f"photo_desk_{visit.visit_id}"
    # Another label would fold it again: how many there are is said below.
    with st.expander(
        t("report_photos.desk", most=report_photos.MOST),
        icon=":material/add_a_photo:",
        key=f"{key}_open",
        on_change="rerun",
    ) as opened:
        if not opened.open:
            st.session_state.pop(f"{key}_tickets", None)
        else:
            _desk(visit, photos, key)
    if photos and not opened.open:
        st.caption(t("report_photos.count", count=len(photos)))


def _desk(visit: OrderView, photos: Sequence[PhotoView], key: str) -> None:
    st.caption(t("report_photos.who_sees"))
    if photos:
        _gallery(photos, key)
        _removal(photos)
    if len(photos) < report_photos.MOST:
        _uploader(visit.visit_id, key, photos)


def _gallery(photos: Sequence[PhotoView], key: str) -> None:
    purpose = "complaint" if session.actor().role is Role.OPERATOR else "own"
    gallery(PictureKind.REPORT_PHOTO, [one.id for one in photos], purpose, key)


def gallery(kind: PictureKind, ids: Sequence[int], purpose: str, key: str) -> None:
    """Pictures, small; each opens larger."""
    held = f"{key}_tickets"
    sources = ticketed(kind, ids, purpose, held)
    if sources:
        _GALLERY(
            data={
                "photos": [
                    {"source": source, "alt": t("report_photos.alt", number=number)}
                    for number, source in enumerate(sources, 1)
                ],
                "close": t("report_photos.close"),
            },
            key=f"{key}_gallery",
            on_failed_change=lambda: again(held),
            height="content",
        )


def _removal(photos: Sequence[PhotoView]) -> None:
    with st.container(horizontal=True, gap="small"):
        for number, photo in enumerate(photos, 1):
            if st.button(
                t("report_photos.remove", number=number),
                icon=":material/delete:",
                type="tertiary",
                key=f"remove_photo_{photo.id}",
            ):
                session.perform("report_photos.removed", report_photos.remove, photo.id)


def _uploader(visit_id: int, key: str, photos: Sequence[PhotoView]) -> None:
    """What is chosen goes straight into pictures of our own making; the files are kept nowhere."""
    newest = max((one.id for one in photos), default=0)
    given = st.file_uploader(
        t("report_photos.choose", count=report_photos.MOST - len(photos)),
        type=list(_TYPES),
        accept_multiple_files=True,
        max_upload_size=scans.MOST_BYTES // 1024 // 1024,
        # A new key after each change: the field is empty again.
        key=f"{key}_file_{newest}_{len(photos)}",
    )
    if not given:
        return
    if len(given) + len(photos) > report_photos.MOST:
        st.error(t("error.report_photos_full", most=report_photos.MOST))
        return
    with st.spinner(t("verification.preparing")):
        pages = [words.unless_refused(scans.photo_of, one.getvalue()) for one in given]
    if None not in pages:
        session.perform(
            "report_photos.added", report_photos.add, visit_id, pages, forget=(f"{key}_file_",)
        )

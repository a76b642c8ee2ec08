"""The timetable of a day: a lane for each caregiver, visits as bars, each to be pressed."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import streamlit as st
from streamlit.components.v2 import component

from components import catalogue, formats
from components.i18n import t
from services import clock
from services.availability import A_DAY, MINUTES
from services.board.proposals import Bar, LineState, LineView
from services.catalogue import ItemView

_DAYLIGHT = (7 * 60, 20 * 60)
_A_MINUTE = timedelta(minutes=1)
_NOBODY = 0
_LEGEND = ("booked", "proposed", "kept", "accepted", "refused", "nobody")
_KIND = {
    LineState.PROPOSED: "proposed",
    LineState.REFUSED: "refused",
    LineState.NOBODY: "nobody",
    LineState.ASKED: "accepted",
    LineState.STANDS: "accepted",
    LineState.SAID_NO: "refused",
    LineState.LAPSED: "refused",
    LineState.KEPT: "kept",
}

_PICTURE = component(
    "timetable",
    html="""<div class="timetable"></div>""",
    css="""
.timetable {
  --ground: var(--st-background-color);
  --quiet: color-mix(in srgb, var(--st-text-color) 68%, var(--ground));
  --line: color-mix(in srgb, var(--st-border-color) 70%, transparent);
  --amber: light-dark(#9a4f14, #f0b27a);
  font-family: var(--st-font); font-size: 0.8rem; color: var(--st-text-color);
}
.field {
  max-height: 31rem; overflow: auto; border: 1px solid var(--st-border-color); border-radius: 8px;
}
.field:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
.all { min-width: 40rem; }
.lane, .hours { display: grid; grid-template-columns: 7.5rem minmax(0, 1fr); }
.hours { position: sticky; top: 0; z-index: 3; background: var(--ground); height: 1.6rem; }
.hours > div { position: relative; border-bottom: 1px solid var(--st-border-color); }
.hours span {
  position: absolute; transform: translateX(-50%); color: var(--quiet); font-size: 0.74rem;
  line-height: 1.6rem;
}
.name {
  position: sticky; left: 0; z-index: 2; background: var(--ground); padding: 3px 8px;
  border-right: 1px solid var(--st-border-color); border-bottom: 1px solid var(--line);
  overflow: hidden; box-sizing: border-box;
}
.name b { display: block; font-weight: 600; white-space: nowrap; text-overflow: ellipsis;
  overflow: hidden; line-height: 1.25; }
.name small { color: var(--quiet); font-size: 0.72rem; }
.nobody .name b { color: var(--amber); }
.times {
  position: relative; border-bottom: 1px solid var(--line);
  background: repeating-linear-gradient(
    to right, var(--line) 0 1px, transparent 1px var(--hour)
  );
}
.bar {
  position: absolute; box-sizing: border-box; height: 1.9rem; padding: 0 5px; margin: 0;
  font: inherit; font-size: 0.74rem; line-height: calc(1.9rem - 2px); text-align: left;
  color: inherit;
  border: 1px solid transparent; border-radius: 6px; overflow: hidden; white-space: nowrap;
  text-overflow: ellipsis;
}
button.bar { cursor: pointer; }
button.bar:hover { filter: brightness(1.06); }
button.bar:focus-visible { outline: 2px solid var(--st-text-color); outline-offset: 1px; }
.bar.picked { box-shadow: 0 0 0 2px var(--ground), 0 0 0 4px var(--st-text-color); z-index: 1; }
.booked {
  background: color-mix(in srgb, var(--st-text-color) 12%, var(--ground));
  border-color: color-mix(in srgb, var(--st-text-color) 28%, var(--ground));
}
.kept {
  background: color-mix(in srgb, var(--st-primary-color) 14%, var(--ground));
  border-color: color-mix(in srgb, var(--st-primary-color) 45%, var(--ground));
}
.proposed {
  background: var(--st-primary-color); color: var(--ground); border-color: transparent;
}
.accepted {
  background: color-mix(in srgb, light-dark(#2c7a3f, #7fce93) 24%, var(--ground));
  border-color: light-dark(#2c7a3f, #7fce93);
}
.refused, .bar.nobody, i.nobody {
  background: color-mix(in srgb, var(--amber) 14%, var(--ground)); border: 1px solid var(--amber);
}
.bar.nobody, i.nobody { border-style: dashed; }
.legend {
  display: flex; flex-wrap: wrap; gap: 4px 14px; margin-top: 6px; font-size: 0.76rem;
  color: var(--quiet);
}
.legend span { display: inline-flex; align-items: center; gap: 5px; }
.legend i { width: 16px; height: 12px; border-radius: 4px; box-sizing: border-box; }
.legend i:not(.nobody) { border-style: solid; border-width: 1px; }
@media (max-width: 640px) {
  .all { min-width: 34rem; }
  .lane, .hours { grid-template-columns: 5rem minmax(0, 1fr); }
  .field { max-height: 24rem; }
}
""",
    js="""
const make = (tag, kind, text) => {
  const made = document.createElement(tag)
  if (kind) made.className = kind
  if (text !== undefined) made.textContent = text
  return made
}
const within = (parent, ...children) => { parent.append(...children); return parent }
const share = (minute, data) => {
  const within = Math.min(Math.max(minute, data.from), data.until)
  return (100 * (within - data.from)) / (data.until - data.from)
}

const bar = (one, data, pick) => {
  const made = make(one.number ? "button" : "span", `bar ${one.kind}`, one.text)
  made.style.left = `${share(one.from, data)}%`
  made.style.width = `max(${share(one.until, data) - share(one.from, data)}%, 8px)`
  made.style.top = `calc(${one.row} * 2.1rem + 2px)`
  made.title = one.label
  if (one.number) {
    made.type = "button"
    made.dataset.number = one.number
    made.setAttribute("aria-label", one.label)
    made.setAttribute("aria-pressed", String(one.number === data.picked))
    if (one.number === data.picked) made.classList.add("picked")
    made.onclick = () => pick(one.number)
  }
  return made
}

const lane = (one, data, pick) => {
  const name = within(make("div", "name"), make("b", "", one.name), make("small", "", one.said))
  const times = make("div", "times")
  times.style.height = `calc(${one.rows} * 2.1rem + 2px)`
  times.style.setProperty("--hour", `${6000 / (data.until - data.from)}%`)
  times.append(...one.bars.map((each) => bar(each, data, pick)))
  const made = within(make("div", one.nobody ? "lane nobody" : "lane"), name, times)
  made.setAttribute("role", "group")
  made.setAttribute("aria-label", one.name)
  return made
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".timetable")
  const old = root.querySelector(".field")
  const held = root.getRootNode().activeElement?.dataset?.number
  const stood = [old?.scrollLeft ?? 0, old?.scrollTop ?? 0]
  const pick = (number) => setTriggerValue("picked", number)
  const hours = make("div")
  for (let at = data.from; at <= data.until; at += 120) {
    const hour = make("span", "", String(at / 60))
    hour.style.left = `${share(at, data)}%`
    if (at > data.from && at < data.until) hours.append(hour)
  }
  const head = within(make("div", "hours"), make("div"), hours)
  head.setAttribute("aria-hidden", "true")
  const all = within(make("div", "all"), head, ...data.lanes.map((one) => lane(one, data, pick)))
  const field = within(make("div", "field"), all)
  field.tabIndex = 0
  field.setAttribute("role", "region")
  field.setAttribute("aria-label", data.title)
  const legend = make("div", "legend")
  for (const [kind, word] of data.legend) legend.append(within(make("span"), make("i", kind), word))
  root.replaceChildren(field, legend)
  field.scrollTo(...stood)
  if (held) root.querySelector(`[data-number="${held}"]`)?.focus({ preventScroll: true })
}
""",
)  # fmt: skip


def picture(
    day: date,
    lines: Sequence[LineView],
    bars: Sequence[Bar],
    items: dict[int, ItemView],
    picked: int | None,
    key: str,
    pick: Callable[[int], None],
) -> None:
    """The lanes of a day: what is booked, what is proposed, and what nobody can come to."""

    def pressed() -> None:
        if (number := st.session_state[key].picked) is not None:
            pick(number)

    lanes = _lanes(day, lines, bars, items)
    # Whoever lives in would stretch the day to all of it.
    hourly = [each for lane in lanes for each in lane["bars"] if each["hourly"]]
    first = min([_DAYLIGHT[0], *(one["from"] for one in hourly)]) // 60 * 60
    last = -(-max([_DAYLIGHT[1], *(one["until"] for one in hourly)]) // 60) * 60
    _PICTURE(
        data={
            "title": t("board.timetable", day=formats.day(day)),
            "lanes": lanes,
            "picked": picked,
            "from": first,
            "until": last,
            "legend": [(kind, t(f"board.bar_{kind}")) for kind in _LEGEND],
        },
        key=key,
        on_picked_change=pressed,
        height="content",
    )


def _lanes(
    day: date, lines: Sequence[LineView], bars: Sequence[Bar], items: dict[int, ItemView]
) -> list[dict[str, Any]]:
    """A lane for each who has or may get a visit that day: first those left over, then the new."""
    given_out = {one.visit_id for one in lines if one.visit_id is not None}
    accepted = {(one.order_id, one.starts_at) for one in lines if one.order_id is not None}
    names = dict[int, str]()
    by_lane = dict[int, list[dict[str, Any]]]()
    for one in bars:
        if one.visit_id in given_out or (one.order_id, one.starts_at) in accepted:
            continue
        if made := _booked(day, one, items):
            names[one.caregiver_id] = one.caregiver_name
            by_lane.setdefault(one.caregiver_id, []).append(made)
    for one in lines:
        if one.state is not LineState.MOOT and (made := _proposed(day, one, items)):
            names[one.caregiver_id or _NOBODY] = one.caregiver_name
            by_lane.setdefault(one.caregiver_id or _NOBODY, []).append(made)
    settled = {one for one, bars in by_lane.items() if all(each["number"] is None for each in bars)}
    order = sorted(by_lane, key=lambda one: (one != _NOBODY, one in settled, names[one], one))
    return [_lane(one, names[one], by_lane[one]) for one in order]


def _lane(caregiver_id: int, name: str, bars: list[dict[str, Any]]) -> dict[str, Any]:
    minutes = sum(one["until"] - one["from"] for one in bars)
    nobody = caregiver_id == _NOBODY
    return {
        "name": t("board.nobody") if nobody else name,
        "said": t("board.left_over", count=len(bars)) if nobody else _hours(minutes),
        "nobody": nobody,
        "rows": _in_rows(bars),
        "bars": bars,
    }


def _hours(minutes: float) -> str:
    return t("board.hours", hours=f"{minutes / 60:.1f}".removesuffix(".0"))


def _in_rows(bars: list[dict[str, Any]]) -> int:
    """Give each bar the first row in which it touches no other; how many rows there are."""
    ends: list[float] = []
    for one in sorted(bars, key=lambda each: each["from"]):
        row = next((n for n, end in enumerate(ends) if end <= one["from"]), len(ends))
        ends[row:] = [one["until"], *ends[row + 1 :]]
        one["row"] = row
    return max(1, len(ends))


def _booked(day: date, one: Bar, items: dict[int, ItemView]) -> dict[str, Any] | None:
    said = [catalogue.item_name(items, one.item_id), one.family_name]
    return _bar(day, one.starts_at, one.ends_at, "booked", None, said)


def _proposed(day: date, one: LineView, items: dict[int, ItemView]) -> dict[str, Any] | None:
    said = [catalogue.item_name(items, one.item_id), one.family_name]
    return _bar(day, one.starts_at, one.ends_at, _KIND[one.state], one.number, said)


def _bar(
    day: date,
    starts_at: datetime,
    ends_at: datetime,
    kind: str,
    number: int | None,
    said: Iterable[str],
) -> dict[str, Any] | None:
    """A bar in the minutes of a day; none where it does not touch it."""
    midnight = datetime.combine(day, time(), clock.CITY_TIME)
    begins, ends = (
        min(max((at - midnight) // _A_MINUTE, 0), MINUTES) for at in (starts_at, ends_at)
    )
    if begins >= ends:
        return None
    words = [*said, formats.span(starts_at, ends_at), t(f"board.bar_{kind}")]
    return {
        "from": begins,
        "until": ends,
        "hourly": ends_at - starts_at < A_DAY,
        "kind": kind,
        "number": number,
        "text": " ".join(words[:2]),
        "label": formats.listed(words),
        "row": 0,
    }

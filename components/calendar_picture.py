"""A calendar as a picture: the days of a month or the hours of a week, each day to be tapped."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import streamlit as st
from streamlit.components.v2 import component

from components import formats
from components.i18n import t
from services import clock
from services.availability import MINUTES, Stretch
from services.calendars import CalendarView, DayKind, DayView, VisitStatus

_DAYLIGHT = (8 * 60, 18 * 60)
_LEGEND = ("works", "visit", "leave", "closed", "off")
_ASKED = (VisitStatus.HELD, VisitStatus.OFFERED)
_MARKS = {DayKind.HOLIDAY: "holiday", DayKind.WORKDAY: "workday"}

_PICTURE = component(
    "calendar",
    html="""<div class="calendar"></div>""",
    css="""
.calendar {
  --ground: var(--st-background-color);
  --free: color-mix(in srgb, var(--st-primary-color) 16%, var(--ground));
  --quiet: color-mix(in srgb, var(--st-text-color) 68%, var(--ground));
  --line: var(--st-border-color);
  --leave: repeating-linear-gradient(135deg, #d98e4a55 0 5px, #d98e4a22 5px 10px);
  --closed: repeating-linear-gradient(45deg, #7f8a9055 0 4px, #7f8a9018 4px 9px);
  font-family: var(--st-font); font-size: 0.875rem; color: var(--st-text-color);
}
.head, .days { display: grid; grid-template-columns: repeat(7, minmax(0, 1fr)); gap: 4px; }
.head { margin-bottom: 4px; text-align: center; color: var(--quiet); font-size: 0.8rem; }
button {
  font: inherit; color: inherit; text-align: left; cursor: pointer; padding: 0; margin: 0;
  border: 1px solid var(--line); border-radius: 8px; background: var(--ground); overflow: hidden;
}
button:hover { border-color: var(--st-primary-color); }
button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
button.chosen {
  border-color: var(--st-primary-color); box-shadow: 0 0 0 1px var(--st-primary-color);
}
.month button {
  display: flex; flex-direction: column; min-height: 5.4rem; padding: 5px 7px; gap: 2px;
}
.month .works, i.works { background: var(--free); }
.month .leave, i.leave { background: var(--leave), var(--ground); }
.month .closed, i.closed { background: var(--closed), var(--ground); }
.month .off, i.off { background: var(--st-secondary-background-color); }
.month .dim { background: transparent; border-color: transparent; }
.dim, .past .number, .off .said { color: var(--quiet); }
.top { display: flex; align-items: center; justify-content: space-between; min-height: 1.5rem; }
.number { font-weight: 600; }
.today .number {
  background: var(--st-primary-color); color: var(--ground); border-radius: 1rem;
  min-width: 1.5rem; padding: 0 0.3rem; box-sizing: border-box; text-align: center;
}
.mark {
  font-size: 0.72rem; padding: 0 0.25rem; border-radius: 4px; border: 1px solid currentColor;
}
.mark.holiday { color: light-dark(#a3391f, #f0a48f); }
.mark.workday { color: var(--quiet); }
.said { font-size: 0.78rem; line-height: 1.2; }
.said .long { display: block; white-space: nowrap; }
.said .short { display: none; }
.count {
  margin-top: auto; align-self: flex-start; font-size: 0.78rem; border-radius: 1rem;
  padding: 0 0.5rem; background: var(--st-primary-color); color: var(--ground);
}
.week .days { gap: 3px; grid-template-columns: 2.6rem repeat(7, minmax(0, 1fr)); }
.week button { display: flex; flex-direction: column; align-items: stretch; }
.name {
  display: flex; flex-direction: column; align-items: center; padding: 3px 0; height: 3rem;
  box-sizing: border-box;
}
.name small { color: var(--quiet); font-size: 0.74rem; }
.hours { position: relative; }
.field {
  position: relative; border-top: 1px solid var(--line);
  background: repeating-linear-gradient(
    to bottom,
    transparent 0 calc(var(--hour) - 1px), var(--line) calc(var(--hour) - 1px) var(--hour)
  );
}
.week .off .field { background-color: var(--st-secondary-background-color); }
.week button { background: var(--ground); }
.block {
  position: absolute; left: 0; right: 0; box-sizing: border-box; overflow: hidden;
  font-size: 0.72rem; line-height: 1.15;
}
.block.free {
  background: var(--free);
  border-left: 3px solid color-mix(in srgb, var(--st-primary-color) 55%, var(--ground));
}
.block.leave { background: var(--leave), var(--ground); padding: 2px 3px; }
.block.closed { background: var(--closed), var(--ground); padding: 2px 3px; }
.block.visit {
  left: 2px; right: 2px; border-radius: 5px; padding: 2px 4px;
  background: var(--st-primary-color); color: var(--ground);
}
.block.asked {
  left: 2px; right: 2px; border-radius: 5px; padding: 2px 4px; background: var(--ground);
  border: 1px dashed var(--st-primary-color);
}
.block span { display: block; white-space: nowrap; text-overflow: ellipsis; overflow: hidden; }
.hour {
  position: absolute; right: 4px; transform: translateY(-50%); font-size: 0.72rem;
  color: var(--quiet);
}
.legend {
  display: flex; flex-wrap: wrap; gap: 4px 14px; margin-top: 8px; font-size: 0.78rem;
  color: var(--quiet);
}
.legend span { display: inline-flex; align-items: center; gap: 5px; }
.legend i {
  width: 14px; height: 14px; border-radius: 4px; border: 1px solid var(--line);
  box-sizing: border-box;
}
.legend i.visit { background: var(--st-primary-color); }
@media (max-width: 640px) {
  .head, .days { gap: 2px; }
  .month button { min-height: 4rem; padding: 3px; align-items: center; }
  .top { width: 100%; justify-content: center; gap: 1px; }
  .said { font-size: 0.68rem; text-align: center; }
  .said .long { display: none; }
  .said .short { display: inline; }
  .count { align-self: center; font-size: 0.7rem; padding: 0 0.4rem; }
  .count .long { display: none; }
  .mark { border: 0; padding: 0; font-size: 0.68rem; }
  .week .days { grid-template-columns: 1.6rem repeat(7, minmax(0, 1fr)); gap: 2px; }
  .block { font-size: 0.66rem; }
  .block.visit, .block.asked { left: 0; right: 0; padding: 1px 2px; }
  .block .long, .hour .long { display: none; }
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

const dayButton = (day, choose) => {
  const its = ["today", "past", "dim", "chosen"].filter((kind) => day[kind])
  const button = make("button", [day.state, ...its].join(" "))
  button.type = "button"
  button.dataset.day = day.id
  button.setAttribute("aria-label", day.label)
  button.setAttribute("aria-pressed", String(day.chosen))
  button.onclick = () => choose(day.id)
  return button
}

const monthDay = (day, data, choose) => {
  const button = dayButton(day, choose)
  const top = within(make("span", "top"), make("span", "number", day.number))
  if (day.mark) top.append(make("span", `mark ${day.mark}`, data.words[day.mark]))
  button.append(top)
  if (day.dim) return button
  const said = day.said.map((line) => make("span", "long", line))
  button.append(within(make("span", "said"), ...said, make("span", "short", day.short)))
  if (day.count) {
    const visits = make("span", "long", data.words.visits)
    button.append(within(make("span", "count"), String(day.count), visits))
  }
  return button
}

const weekDay = (day, data, choose) => {
  const button = dayButton(day, choose)
  const number = make("span", "number", day.number)
  const name = within(make("span", "name"), make("small", "", day.weekday), number)
  const field = make("span", "field")
  const hour = data.hour, first = data.from
  field.style.setProperty("--hour", `${hour}px`)
  field.style.height = `${((data.until - first) / 60) * hour}px`
  for (const one of day.blocks) {
    const from = Math.max(one.from, first), until = Math.min(one.until, data.until)
    if (until <= from) continue
    const block = make("span", `block ${one.kind}`)
    block.style.top = `${((from - first) / 60) * hour}px`
    block.style.height = `${Math.max(((until - from) / 60) * hour, 14)}px`
    for (const line of one.lines) block.append(make("span", line.kind, line.text))
    field.append(block)
  }
  return within(button, name, field)
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".calendar")
  const held = root.getRootNode().activeElement?.dataset?.day
  const choose = (day) => setTriggerValue("day", day)
  root.className = `calendar ${data.week ? "week" : "month"}`
  const days = make("div", "days")
  days.setAttribute("role", "group")
  days.setAttribute("aria-label", data.title)
  if (data.week) {
    const gutter = make("div", "hours")
    gutter.setAttribute("aria-hidden", "true")
    for (let at = data.from; at < data.until; at += 60) {
      const hour = within(make("span", "hour", String(at / 60)), make("span", "long", ":00"))
      hour.style.top = `calc(3rem + ${((at - data.from) / 60) * data.hour + 1}px)`
      gutter.append(hour)
    }
    days.append(gutter, ...data.days.map((day) => weekDay(day, data, choose)))
    root.replaceChildren(days)
  } else {
    const head = within(make("div", "head"), ...data.weekdays.map((name) => make("span", "", name)))
    head.setAttribute("aria-hidden", "true")
    days.append(...data.days.map((day) => monthDay(day, data, choose)))
    root.replaceChildren(head, days)
  }
  const legend = make("div", "legend")
  for (const [kind, word] of data.legend) legend.append(within(make("span"), make("i", kind), word))
  root.append(legend)
  if (held) root.querySelector(`[data-day="${held}"]`)?.focus()
}
""",
)  # fmt: skip


def picture(
    shown: CalendarView, month: date | None, chosen: date, key: str, choose: Callable[[str], None]
) -> None:
    """The days of a month with those around it, or those of a week (None); a tap chooses one."""

    def tapped() -> None:
        if (day := st.session_state[key].day) is not None:
            choose(day)

    week = month is None
    days = [_month_day(one, chosen, month) for one in shown.days]
    first, until = _range(shown.days) if week else (0, 0)
    if week:
        days = [
            day | {"weekday": _weekday(one.day), "blocks": _blocks(one)}
            for day, one in zip(days, shown.days, strict=True)
        ]
    _PICTURE(
        data={
            "week": week,
            "title": t("calendar.picture"),
            "weekdays": [_weekday(one.day) for one in shown.days[:7]],
            "days": days,
            "from": first,
            "until": until,
            "hour": 34 if until - first <= 14 * 60 else 26,
            "words": {
                "visits": t("calendar.visits_short"),
                "holiday": t("calendar.holiday_short"),
                "workday": t("calendar.workday_short"),
            },
            "legend": [(kind, t(f"calendar.state_{kind}")) for kind in _LEGEND],
        },
        key=key,
        on_day_change=tapped,
        height="content",
    )


def state(day: DayView) -> str:
    """What a day is first of all: closed, leave, off or works."""
    if day.closures:
        return "closed"
    if day.leaves:
        return "leave"
    return "works" if day.hours else "off"


def hours(stretches: Iterable[Stretch]) -> str:
    """07:00–12:00、14:00–20:00."""
    return formats.listed(
        f"{formats.hour_minute(starts)}–{formats.hour_minute(ends)}" for starts, ends in stretches
    )


def _month_day(one: DayView, chosen: date, month: date | None) -> dict[str, Any]:
    its = state(one)
    said, count = t(f"calendar.state_{its}"), len(one.appointments)
    planned = hours(one.hours)
    about = [formats.day(one.day), planned if its == "works" else said]
    mark = _MARKS.get(one.special) if one.special else None
    if mark:
        about.append(t(f"calendar.{mark}"))
    if count:
        about.append(t("calendar.visits", count=count))
    return {
        "id": one.day.isoformat(),
        "number": one.day.day,
        "state": its,
        "dim": month is not None and one.day.month != month.month,
        "today": one.day == clock.today(),
        "past": one.day < clock.today(),
        "chosen": one.day == chosen,
        "mark": mark,
        "said": [_short([each]) for each in one.hours] if its == "works" else [said],
        "short": _short(one.hours) if its == "works" else said,
        "count": count,
        "label": formats.listed(about),
    }


def _short(stretches: Sequence[Stretch]) -> str:
    """7–20: from the first hour to the last."""
    first, last = stretches[0][0], stretches[-1][1]
    whole = first % 60 == last % 60 == 0
    return "–".join(f"{at // 60}" if whole else formats.hour_minute(at) for at in (first, last))


def _weekday(day: date) -> str:
    return t(f"weekday.{formats.WEEKDAYS[day.weekday()]}")


def _range(days: Iterable[DayView]) -> tuple[int, int]:
    """From which hour to which one a week is drawn, in minutes."""
    begins, ends = _DAYLIGHT
    for day in days:
        marks = [minute for stretch in day.hours for minute in stretch]
        marks += [
            minute
            for one in day.appointments
            for minute in _within(day.day, one.starts_at, one.ends_at)
        ]
        begins, ends = min([begins, *marks]), max([ends, *marks])
    return begins // 60 * 60, -(-ends // 60) * 60


def _blocks(day: DayView) -> list[dict[str, Any]]:
    """What a day's column shows, from the ground up."""
    blocks = [_block("free", day.day, starts, ends) for starts, ends in day.free]
    blocks += [
        _block("leave", day.day, starts, ends, [("", t("calendar.state_leave"))])
        for starts, ends in day.leaves
    ]
    blocks += [
        _block("closed", day.day, one.starts_at, one.ends_at, [("", t("calendar.state_closed"))])
        for one in day.closures
    ]
    blocks += [
        _block(
            "asked" if one.status in _ASKED else "visit",
            day.day,
            one.starts_at,
            one.ends_at,
            [("", formats.time_of_day(one.starts_at)), ("long", one.family_name)],
        )
        for one in day.appointments
    ]
    return blocks


def _block(
    kind: str,
    day: date,
    starts_at: datetime,
    ends_at: datetime,
    lines: Sequence[tuple[str, str]] = (),
) -> dict[str, Any]:
    begins, ends = _within(day, starts_at, ends_at)
    written = [{"kind": width, "text": text} for width, text in lines]
    return {"kind": kind, "from": begins, "until": ends, "lines": written}


def _within(day: date, starts_at: datetime, ends_at: datetime) -> Stretch:
    """The part of a time that lies on a day, in minutes."""
    midnight = datetime.combine(day, time(), clock.CITY_TIME)
    minutes = (int((at - midnight) / timedelta(minutes=1)) for at in (starts_at, ends_at))
    begins, ends = (min(max(minute, 0), MINUTES) for minute in minutes)
    return begins, ends

"""The numbers of the rule book: said in words, and as fields of a form."""

import re
from collections.abc import Callable, Mapping
from datetime import time
from typing import Any

import streamlit as st

from components import catalogue, formats, icons
from components.caregivers import level_name
from components.i18n import name, t
from services.catalogue import ItemView
from services.price_bounds import CaregiverLevel
from services.pricing import BASIS_POINTS
from services.rule_book import LIMITS, MOST_STEPS, PARAMETERS, WEIGHTS, Kind, Section, Values

_A_PERCENT = BASIS_POINTS // 100
_A_STAR = 10
_UNIT = re.compile(r" ?[(（][^()（）]+[)）]$")
# What their names alone do not say.
EXPLAINED = (
    "urgent_hours", "release_days", "auto_confirm_days", "hold_hours", "decline_hours",
    "notice_hours", "horizon_days", "plan_ahead_days", "reoffer_hours", "rest_hours", "week_hours",
    "travel_kmh", "smallest_cell", "due_soon_hours", "limit_points", "late_cancellations",
    "pair_reviews", "far_km", "idle_days", "withholds_tax",
    *WEIGHTS, "dispatch_window_days", "wave_size", "wave_minutes", *LIMITS,
)  # fmt: skip
ICONS = {
    Section.PRICES: ":material/sell:",
    Section.SURCHARGES: ":material/trending_up:",
    Section.FEES: ":material/event_busy:",
    Section.COMMISSION: ":material/percent:",
    Section.PAY: ":material/payments:",
    Section.BOOKING: ":material/event_available:",
    Section.WORK: ":material/schedule:",
    Section.DISPATCH: ":material/conversion_path:",
    Section.LEAVING: ":material/directions_walk:",
    Section.COMPLAINTS: ":material/support_agent:",
    Section.POINTS: ":material/exposure_plus_1:",
    Section.COMPLIANCE: ":material/policy:",
    Section.PRIVACY: ":material/shield_person:",
}


def of_section(section: Section) -> list[str]:
    """The numbers of a section, in order."""
    return [name for name, one in PARAMETERS.items() if one.section is section]


def named(parameter: str) -> str:
    """A number's name without the unit that its field shows: what is said of it has one."""
    return _UNIT.sub("", t(f"field.{parameter}"))


def said(parameter: str, value: Any) -> str:  # noqa: ANN401 - of the parameter's kind
    """A number of the rule book as people say it."""
    match PARAMETERS[parameter].kind:
        case Kind.SHARE:
            return percent(value)
        case Kind.MONEY:
            return formats.money(value)
        case Kind.MINUTE:
            return formats.hour_minute(value)
        case Kind.SWITCH:
            return t("rules.on") if value else t("rules.off")
        case Kind.NUMBER:
            return t(f"rules.count_{PARAMETERS[parameter].unit}", count=value)
        case Kind.STARS:
            return t(f"rules.count_{PARAMETERS[parameter].unit}", count=stars(value))
        case Kind.STEPS:
            each = (
                t(f"rules.step_{parameter}", bound=bound, share=percent(share))
                for bound, share in value
            )
            return formats.listed(each) or t("rules.none")
        case Kind.BY_ITEM:
            items = catalogue.items()
            each = (
                f"{catalogue.item_name(items, int(item_id))} {percent(share)}"
                for item_id, share in value.items()
            )
            return formats.listed(each) or t("rules.none")
        case Kind.BOUNDS:
            return t("rules.bounds_count", count=len(value)) if value else t("rules.none")


def changed(parameter: str, before: Any, after: Any) -> list[tuple[str, str, str]]:  # noqa: ANN401
    """What differs in a number, was and is; of bounds and shares of items, each by itself."""
    label = named(parameter)
    match PARAMETERS[parameter].kind:
        case Kind.BOUNDS:
            return _changed_bounds(label, before, after)
        case Kind.BY_ITEM:
            items = catalogue.items()
            return [
                (
                    f"{label} · {catalogue.item_name(items, int(item_id))}",
                    _or_none(before.get(item_id), percent),
                    _or_none(after.get(item_id), percent),
                )
                for item_id in sorted({*before, *after}, key=int)
                if before.get(item_id) != after.get(item_id)
            ]
        case _:
            return [(label, said(parameter, before), said(parameter, after))]


def _changed_bounds(label: str, before: Values, after: Values) -> list[tuple[str, str, str]]:
    items = catalogue.items()
    found = []
    for item_id in sorted({*before, *after}, key=int):
        was, now = before.get(item_id, {}), after.get(item_id, {})
        found += [
            (
                f"{label} · {catalogue.item_name(items, int(item_id))} · {level_name(level)}",
                _or_none(was.get(level), _range),
                _or_none(now.get(level), _range),
            )
            for level in CaregiverLevel
            if was.get(level) != now.get(level)
        ]
    return found


def _or_none(value: Any, say: Callable[[Any], str]) -> str:  # noqa: ANN401
    return t("rules.as_usual") if value is None else say(value)


def _range(pair: tuple[int, int]) -> str:
    return formats.total_range(*pair)


def percent(basis_points: int) -> str:
    """Basis points in per cent."""
    return f"{basis_points / _A_PERCENT:g}%"


def stars(tenths: int) -> str:
    """Tenths of a star in whole ones."""
    return f"{tenths / _A_STAR:g}"


def fields(section: Section, now: Values, key: str) -> dict[str, Any]:
    """A field for each number of a section; what they say."""
    found = dict[str, Any]()
    plain = [one for one in of_section(section) if PARAMETERS[one].kind in _PLAIN]
    if plain:
        with st.grid(3, min_column_width=200):
            for one in plain:
                found[one] = _PLAIN[PARAMETERS[one].kind](one, now[one], key)
    for one in of_section(section):
        match PARAMETERS[one].kind:
            case Kind.STEPS:
                found[one] = _steps(one, now[one], key)
            case Kind.BY_ITEM:
                found[one] = _by_item(one, now[one], key)
            case _:
                pass
    return found


def _share(parameter: str, now_bp: int, key: str) -> int:
    typed = st.number_input(
        t(f"field.{parameter}"),
        value=now_bp / _A_PERCENT,
        step=1.0,
        format="%g",
        key=f"{key}_{parameter}",
        help=_help(parameter),
    )
    return round(typed * _A_PERCENT)


def _stars(parameter: str, now_tenths: int, key: str) -> int:
    typed = st.number_input(
        t(f"field.{parameter}"),
        value=now_tenths / _A_STAR,
        step=0.1,
        format="%g",
        key=f"{key}_{parameter}",
        help=_help(parameter),
    )
    return round(typed * _A_STAR)


def _number(parameter: str, now: int, key: str) -> int:
    return st.number_input(
        t(f"field.{parameter}"),
        value=now,
        step=1,
        key=f"{key}_{parameter}",
        help=_help(parameter),
    )


def _help(parameter: str) -> str | None:
    return t(f"rules.{parameter}_help") if parameter in EXPLAINED else None


def _money(parameter: str, now_fen: int, key: str) -> int:
    typed = st.number_input(t(f"field.{parameter}"), value=now_fen / 100, key=f"{key}_{parameter}")
    return round(typed * 100)


def _minute(parameter: str, now: int, key: str) -> int:
    at = st.time_input(
        t(f"field.{parameter}"), time(now // 60, now % 60), step=900, key=f"{key}_{parameter}"
    )
    return at.hour * 60 + at.minute


def _switch(parameter: str, now: int, key: str) -> int:
    return st.toggle(
        t(f"field.{parameter}"),
        bool(now),
        key=f"{key}_{parameter}",
        help=t(f"rules.{parameter}_help"),
    )


_PLAIN: Mapping[Kind, Callable[[str, int, str], int]] = {
    Kind.SWITCH: _switch,
    Kind.SHARE: _share,
    Kind.NUMBER: _number,
    Kind.MONEY: _money,
    Kind.MINUTE: _minute,
    Kind.STARS: _stars,
}


def _steps(parameter: str, now: list[list[int]], key: str) -> list[list[int]]:
    """As many pairs as there may be; one without a number is none."""
    st.markdown(f"**{t(f'field.{parameter}')}**")
    found = []
    with st.grid(2, min_column_width=140):
        for number in range(MOST_STEPS):
            bound, share = now[number] if number < len(now) else (None, None)
            typed = st.number_input(
                t(f"rules.bound_{parameter}", number=number + 1),
                value=bound,
                step=1,
                key=f"{key}_{parameter}_{number}_bound",
            )
            shared = st.number_input(
                t("rules.share", number=number + 1),
                value=None if share is None else share / _A_PERCENT,
                step=5.0,
                format="%g",
                key=f"{key}_{parameter}_{number}_share",
            )
            if typed is not None and shared is not None:
                found.append([typed, round(shared * _A_PERCENT)])
    return found


def _by_item(parameter: str, now: Mapping[str, int], key: str) -> dict[str, int]:
    """A share for each item; one left empty has the usual share."""
    st.markdown(f"**{t(f'field.{parameter}')}**")
    st.caption(t("rules.by_item_note"))
    found = {}
    with st.grid(3, min_column_width=200):
        for item in catalogue.offered(catalogue.items()).values():
            share = now.get(str(item.id))
            typed = st.number_input(
                name(item),
                value=None if share is None else share / _A_PERCENT,
                step=1.0,
                format="%g",
                key=f"{key}_{parameter}_{item.id}",
            )
            if typed is not None:
                found[str(item.id)] = round(typed * _A_PERCENT)
    return found


def bounds(item: ItemView, now: Mapping[str, list[int]], key: str) -> dict[str, list[int]]:
    """What each level may ask for an item; a level without numbers is bounded by the catalogue."""
    unit = t("my_profile.yuan_per", unit=t(f"unit.{item.unit}"))
    st.caption(t("rules.within", range=catalogue.item_price(item)))
    found = {}
    for level in CaregiverLevel:
        pair = now.get(level)
        with st.grid(2, min_column_width=140):
            typed = [
                st.number_input(
                    f"{icons.LEVEL[level]} {level_name(level)} · {t(f'rules.{which}')} · {unit}",
                    value=None if pair is None else pair[place] / 100,
                    step=1.0,
                    format="%g",
                    key=f"{key}_{item.id}_{level}_{which}",
                )
                for place, which in enumerate(("lowest", "highest"))
            ]
        if None not in typed:
            found[level] = [round(one * 100) for one in typed if one is not None]
    return found

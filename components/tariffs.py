"""Tariffs as operators see and set them."""

from datetime import time, timedelta
from typing import Any

import streamlit as st

from components import formats, places, session
from components.i18n import t
from services import clock, tariffs
from services.pricing import BASIS_POINTS, Rules, Steps
from services.tariffs import MOST_STEPS, CityTariffs, Dated

_SURCHARGES = ("night_bp", "weekend_bp", "holiday_bp", "urgent_bp")
_STAYING_AWAY = ("no_show_bp", "caregiver_no_show_bp")
_STEPS = ("monthly_steps", "customer_fees", "caregiver_fees")
_A_PERCENT = BASIS_POINTS // 100


def city_tariffs(kept: CityTariffs) -> None:
    """The tariff in force, those to come, and a form for another."""
    with st.container(border=True, key=f"tariffs_{kept.city_code}"):
        st.subheader(places.city_path(kept.city_code), anchor=False)
        st.markdown(f"**{_since(kept.now)}**")
        _rules(kept.now.rules)
        for coming in kept.coming:
            st.markdown(f"**{_since(coming)}**")
            _rules(coming.rules)
        _new(kept)


def _since(dated: Dated) -> str:
    if dated.valid_from is None:
        return t("tariffs.usual")
    begins = "tariffs.since" if dated.valid_from <= clock.today() else "tariffs.from"
    return t(begins, day=formats.date_alone(dated.valid_from), year=dated.valid_from.year)


def _rules(rules: Rules) -> None:
    """A tariff in sentences."""
    night = f"{formats.hour_minute(rules.night_from_minute)}–"
    night += formats.hour_minute(rules.night_until_minute)
    lines = [
        t("tariffs.says_night", hours=night, share=_percent(rules.night_bp)),
        t("tariffs.says_weekend", share=_percent(rules.weekend_bp))
        if rules.weekend_bp
        else t("tariffs.says_no_weekend"),
        t("tariffs.says_holiday", share=_percent(rules.holiday_bp)),
        t("tariffs.says_urgent", hours=rules.urgent_hours, share=_percent(rules.urgent_bp)),
        t("tariffs.says_rounding", step=formats.money(rules.rounding_fen)),
        *(_steps_said(name, getattr(rules, name)) for name in _STEPS),
        t(
            "tariffs.says_no_show",
            customer=_percent(rules.no_show_bp),
            caregiver=_percent(rules.caregiver_no_show_bp),
        ),
    ]
    st.markdown("\n".join(f"- {line}" for line in lines))


def _steps_said(name: str, steps: Steps) -> str:
    each = (t(f"tariffs.step_{name}", bound=bound, share=_percent(share)) for bound, share in steps)
    return t(f"tariffs.says_{name}", steps=formats.listed(each) or t("tariffs.none"))


def _percent(basis_points: int) -> str:
    return f"{basis_points / _A_PERCENT:g}%"


def _new(kept: CityTariffs) -> None:
    key = f"tariff_{kept.city_code}"
    with st.expander(
        t("tariffs.new"), icon=":material/edit_calendar:", key=key, on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        st.caption(t("tariffs.new_note"))
        with st.form(f"{key}_form", border=False):
            valid_from = st.date_input(
                t("field.valid_from"),
                clock.today() + timedelta(days=1),
                key=f"{key}_valid_from",
            )
            last = kept.coming[-1] if kept.coming else kept.now
            rules = _fields(last.rules, key)
            if st.form_submit_button(t("tariffs.set"), type="primary", key=f"{key}_set"):
                session.perform(
                    "tariffs.saved", tariffs.keep, kept.city_code, valid_from, rules, forget=(key,)
                )


def _fields(now: Rules, key: str) -> Rules:
    with st.grid(3, min_column_width=200):
        shares = {
            name: _share_field(name, getattr(now, name), key)
            for name in (*_SURCHARGES, *_STAYING_AWAY)
        }
        minutes = {
            name: _minute_field(name, getattr(now, name), key)
            for name in ("night_from_minute", "night_until_minute")
        }
        hours = st.number_input(
            t("field.urgent_hours"), value=now.urgent_hours, key=f"{key}_urgent_hours"
        )
        rounding = st.number_input(
            t("field.rounding_fen"), value=now.rounding_fen / 100, key=f"{key}_rounding_fen"
        )
    values: dict[str, Any] = shares | minutes
    values |= {name: _steps_fields(name, getattr(now, name), key) for name in _STEPS}
    return Rules(urgent_hours=hours, rounding_fen=round(rounding * 100), **values)


def _share_field(name: str, now_bp: int, key: str) -> int:
    percent = st.number_input(
        t(f"field.{name}"), value=now_bp / _A_PERCENT, step=5.0, format="%g", key=f"{key}_{name}"
    )
    return round(percent * _A_PERCENT)


def _minute_field(name: str, now: int, key: str) -> int:
    at = st.time_input(t(f"field.{name}"), time(now // 60, now % 60), step=900, key=f"{key}_{name}")
    return at.hour * 60 + at.minute


def _steps_fields(name: str, now: Steps, key: str) -> Steps:
    """As many pairs as a tariff may have; one without a number is none."""
    st.markdown(f"**{t(f'field.{name}')}**")
    found = []
    with st.grid(2, min_column_width=140):
        for number in range(MOST_STEPS):
            bound, share = now[number] if number < len(now) else (None, None)
            typed = st.number_input(
                t(f"tariffs.bound_{name}", number=number + 1),
                value=bound,
                step=1,
                key=f"{key}_{name}_{number}_bound",
            )
            percent = st.number_input(
                t("tariffs.share", number=number + 1),
                value=None if share is None else share / _A_PERCENT,
                step=5.0,
                format="%g",
                key=f"{key}_{name}_{number}_share",
            )
            if typed is not None and percent is not None:
                found.append((typed, round(percent * _A_PERCENT)))
    return tuple(found)

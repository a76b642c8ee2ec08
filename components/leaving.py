"""Who may be about to leave: by which plain signs, and what can be looked at next."""

from collections.abc import Callable

import streamlit as st

from components import formats, icons, layout, navigation, rule_fields, session
from components.i18n import t
from services.board import at_risk as services
from services.board.at_risk import AtRisk
from services.board.leaving import Reason, Sign
from services.board.leaving_limits import Limits
from services.cities import CityView

_AT_ONCE = 9


def at_risk(city: CityView) -> None:
    """Those of a city of whom some sign tells, and how the signs are read."""
    found = session.fetch(services.listing, city.code)
    st.subheader(t("leaving.title", count=len(found)), anchor=False)
    if found:
        st.caption(t("leaving.about"))
    else:
        st.info(t("leaving.nobody"), icon=":material/sentiment_satisfied:")
    with st.grid(3, min_column_width=280):
        for one in layout.first_of(found, "leaving", _AT_ONCE):
            _card(one)
    layout.more_button(found, "leaving", _AT_ONCE)
    _rules(city)


def _card(one: AtRisk) -> None:
    with st.container(border=True, height="stretch", key=f"leaving_{one.caregiver_id}"):
        with st.container(
            horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
        ):
            navigation.link(
                "caregivers",
                formats.plain(one.name),
                icon=":material/badge:",
                caregiver=str(one.caregiver_id),
            )
            st.badge(t("leaving.signs", count=len(one.reasons)), color="orange")
        st.caption(formats.district(one.district_code))
        lines = (f"- {icons.LEAVING[reason.sign]} {_said(reason)}" for reason in one.reasons)
        st.markdown("\n".join(lines))


def _said(reason: Reason) -> str:
    write = _WRITTEN[reason.sign]
    return t(f"leaving.{reason.sign}", now=write(reason.now), other=write(reason.other))


def _one_digit(value: float) -> str:
    return f"{value:.1f}"


def _whole(value: float) -> str:
    return f"{value:.0f}"


def _yuan(fen: float) -> str:
    return formats.money(round(fen / 100) * 100)


_WRITTEN: dict[Sign, Callable[[float], str]] = {
    Sign.HOURS_FALLEN: _one_digit,
    Sign.PAY_LOW: _yuan,
    Sign.SAYS_NO: _whole,
    Sign.RATING_FALLS: _one_digit,
    Sign.NO_VISIT: _whole,
    Sign.LONG_WAYS: _whole,
}


def _rules(city: CityView) -> None:
    """From which figure on each sign is told."""
    with st.expander(
        t("leaving.rules"), icon=":material/help:", key="leaving_rules", on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        limits = session.fetch(services.in_force, city.code)
        figures = _figures(limits)
        st.markdown(
            "\n".join(
                f"- {icons.LEAVING[sign]} {t(f'leaving.rule_{sign}', **figures)}" for sign in Sign
            )
        )
        st.caption(t("leaving.rules_about", there=rule_fields.percent(limits.there_bp)))
        navigation.link("rules", t("page.rules"), icon=":material/gavel:")


def _figures(limits: Limits) -> dict[str, object]:
    return {
        "lately": limits.lately_weeks,
        "before": limits.before_weeks,
        "all": limits.lately_weeks + limits.before_weeks,
        "hours": limits.hours_before,
        "fallen": rule_fields.percent(limits.fallen_bp),
        "pay": rule_fields.percent(limits.pay_bp),
        "unwilling": limits.unwilling,
        "share": rule_fields.percent(limits.unwilling_bp),
        "reviews": limits.reviews,
        "reviewed": limits.review_weeks,
        "stars": rule_fields.stars(limits.stars_tenths),
        "days": limits.idle_days,
        "open": limits.open_hours,
        "ways": limits.ways,
        "minutes": limits.way_minutes,
    }

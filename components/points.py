"""Penalty points: a caregiver's own with what she may say to them, and the contested ones."""

import streamlit as st

from components import formats, icons, layout, session
from components.i18n import t
from services import points
from services.points import PointsView, Standing


def my_points(mine: Standing) -> None:
    """What a caregiver has at present and why; nothing is drawn where there never was any."""
    if not mine.given:
        return
    st.subheader(t("points.title"), anchor=False)
    with st.container(border=True, key="my_points"):
        st.markdown(t("points.total", total=mine.total, limit=mine.limit, months=mine.months))
        st.progress(min(mine.total / mine.limit, 1.0))
        for one in mine.given:
            _line(one)
            if "contest" in one.moves:
                _contest(one)


def _line(one: PointsView) -> None:
    icon, colour = icons.POINTS[one.status]
    visit = t("complaint.of_visit", at=formats.moment(one.visit_at)) if one.visit_at else ""
    when = " · ".join(filter(None, (formats.day(one.given_at), visit)))
    old = "" if one.counts else f" :gray[:small[{t('points.counts_no_more')}]]"
    st.markdown(
        f"**{t('points.count', count=one.points)}** "
        f":{colour}-badge[{icon} {t(f'points_status.{one.status}')}]{old}  \n"
        f":gray[:small[{when}]]"
    )
    st.text(one.words)
    if one.contest_words:
        layout.field(t("points.she_said"), one.contest_words)
    if one.decision_words:
        layout.field(t("points.decided"), one.decision_words)


def _contest(one: PointsView) -> None:
    key = f"contest_{one.id}"
    with st.popover(
        t("points.contest"), icon=":material/balance:", key=f"{key}_ask", on_change="rerun"
    ) as asked:
        if not asked.open:
            return
        st.markdown(t("points.contest_means"))
        said = layout.reason_form(key, t("points.contest"), t("points.contest_hint"))
        if said is not None:
            session.perform("points.contested", points.contest, one.id, said, forget=(key,))


def contested() -> None:
    """What caregivers contest, longest first, for an operator who did not give it."""
    found = session.fetch(points.contested)
    if not found:
        return
    st.subheader(t("points.to_decide", count=len(found)), anchor=False)
    for one in found:
        with st.container(border=True, key=f"contested_{one.id}"):
            st.markdown(f"**{formats.plain(one.name)}**")
            _line(one)
            with layout.row():
                for move in one.moves:
                    _decide(one, move)


def _decide(one: PointsView, move: str) -> None:
    key = f"{move}_points_{one.id}"
    with st.popover(t(f"points.{move}"), key=f"{key}_ask", on_change="rerun") as asked:
        if not asked.open:
            return
        st.markdown(t(f"points.{move}_means"))
        said = layout.reason_form(key, t(f"points.{move}"), t("points.decide_hint"))
        if said is not None:
            session.perform(
                "points.decided_now", points.decide, one.id, move, said, forget=(f"reason_{key}",)
            )

"""The operator's morning: how the day goes, what waits, and who wants to join."""

import streamlit as st

from components import formats, icons, layout, navigation, session
from components.caregivers import profile_card
from components.i18n import chinese, t
from services import caregivers, clock
from services.caregivers import Newcomer, Profile
from services.to_do import DayFigures, Figure, ToDo, ToDoKind

# Where each kind of thing is dealt with: a page, and what it shows first.
_PLACES = {
    ToDoKind.APPLICATIONS: ("applications", ""),
    ToDoKind.UNANSWERED: ("applications", "unanswered"),
    ToDoKind.LATE: ("orders", "late"),
    ToDoKind.LOCKED: ("orders", "locked"),
    ToDoKind.UNREDEEMED: ("orders", "unredeemed"),
}
_URGENT = {ToDoKind.LATE: "red", ToDoKind.LOCKED: "red"}
_GREETINGS = ((5, "night"), (11, "morning"), (13, "noon"), (18, "afternoon"), (24, "evening"))


def greeting() -> str:
    """早上好,陈立军."""
    hour = clock.in_city(clock.now()).hour
    part = next(name for until, name in _GREETINGS if hour < until)
    visitor = session.visitor()
    return t(f"today.{part}", name=formats.plain(visitor.name) if visitor else "")


def where_and_when(figures: DayFigures) -> str:
    """南通市 · 今天 · 11月22日 周日 · 15 个需求正在招募."""
    cities = ("、" if chinese() else ", ").join(
        formats.city(code) for code in sorted(session.actor().cities)
    )
    open_now = t("today.open_now", count=figures.open_now)
    return f"{cities} · {formats.day(clock.now())} · {open_now}"


def figure_row(figures: DayFigures) -> None:
    """The day in four numbers, each with its week."""
    with st.grid(4, min_column_width=150):
        _figure("posted", figures.posted)
        _figure("confirmed", figures.confirmed)
        _figure("visits", figures.visits)
        _figure("redeemed", figures.redeemed)


def _figure(name: str, figure: Figure) -> None:
    st.metric(
        t(f"today.{name}"),
        figure.days[-1],
        figure.days[-1] - figure.yesterday,
        delta_color="primary",
        delta_description=t("today.than_yesterday" if name == "visits" else "today.than_by_now"),
        border=True,
        chart_data=figure.days,
        chart_type="area",
        help=t(f"today.{name}_help"),
    )


def to_do_list(waiting: list[ToDo]) -> None:
    """What waits, each one click away; what does not is said in one line."""
    st.subheader(t("today.to_do"), anchor=False)
    open_ones = [one for one in waiting if one.count]
    if not open_ones:
        with st.container(border=True, key="all_done", gap="xsmall"):
            st.markdown(f":green[:material/task_alt:] **{t('today.all_done')}**")
            st.caption(t("today.all_done_next"))
    with st.grid(2, min_column_width=330):
        for one in open_ones:
            _waiting_card(one)
    if done := [one.kind for one in waiting if not one.count]:
        with layout.row():
            for kind in done:
                st.badge(t(f"to_do.{kind}_none"), icon=":material/check:", color="green")


def _waiting_card(one: ToDo) -> None:
    with st.container(
        border=True,
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
        key=f"to_do_{one.kind}",
    ):
        with st.container(gap=None, width="content"):
            colour = _URGENT.get(one.kind, "primary")
            st.markdown(
                f":{colour}[{icons.TO_DO[one.kind]}] **{t(f'to_do.{one.kind}', count=one.count)}**"
            )
            if one.since is not None:
                st.caption(t("today.oldest", ago=formats.ago(one.since)))
        if one.kind is ToDoKind.CAREGIVERS:
            go = f":material/arrow_downward: {t('to_do.caregivers_go')}"
            st.markdown(f"[{go}](#caregivers)", width="content")
        else:
            page, shown = _PLACES[one.kind]
            query = {"show": shown} if shown else {}
            navigation.link(
                page, t(f"to_do.{one.kind}_go"), icon=":material/arrow_forward:", **query
            )


def caregivers_in_review(waiting: list[Newcomer]) -> None:
    """Everybody who wants to work here, with what they bring and the two answers."""
    st.subheader(t("today.caregivers"), anchor="caregivers")
    if not waiting:
        layout.empty("caregivers_in_review", icon=":material/how_to_reg:")
    for newcomer in waiting:
        with st.expander(
            f"**{formats.plain(newcomer.name)}** · {formats.district(newcomer.district_code)}",
            icon=":material/how_to_reg:",
            key=f"review_caregiver_{newcomer.id}",
            on_change="rerun",
        ) as opened:
            if opened.open:
                profile = session.fetch(caregivers.profile, newcomer.id)
                profile_card(profile)
                with layout.row():
                    _answers(profile)


def _answers(profile: Profile) -> None:
    if "approve" in profile.open_moves and st.button(
        t("today.approve"),
        key=f"approve_caregiver_{profile.id}",
        type="primary",
        icon=":material/verified_user:",
    ):
        session.perform("today.approved", caregivers.move, profile.id, "approve")
    if "reject" not in profile.open_moves:
        return
    with (
        st.popover(
            t("move.reject"), icon=":material/undo:", key=f"reject_caregiver_{profile.id}_ask"
        ),
        st.form(f"reject_{profile.id}", border=False),
    ):
        because = st.text_area(
            t("field.reason"),
            key=f"reject_reason_{profile.id}",
            max_chars=300,
            placeholder=t("today.reason_hint"),
        )
        if st.form_submit_button(
            t("move.reject"), type="primary", key=f"reject_caregiver_{profile.id}"
        ):
            session.perform(
                "today.rejected",
                caregivers.move,
                profile.id,
                "reject",
                because or "",
                forget=("reject_reason_",),
            )

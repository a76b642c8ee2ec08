"""The operator's morning: how the day goes, and what waits."""

from datetime import datetime, timedelta

import streamlit as st

from components import (
    catalogue,
    formats,
    icons,
    layout,
    navigation,
    session,
    stand_ins,
    troubles,
)
from components.i18n import t
from services import clock, to_do
from services.catalogue import ItemView
from services.day_figures import DayFigures, Figure
from services.to_do import Thing, ToDo, ToDoKind

# Where each kind of thing is dealt with: a page, and what it shows first.
_PLACES = {
    ToDoKind.APPLICATIONS: ("applications", ""),
    ToDoKind.CASES: ("verifications", ""),
    ToDoKind.UNANSWERED: ("applications", "unanswered"),
    ToDoKind.INCIDENTS: ("orders", "incidents"),
    ToDoKind.MISSING: ("orders", "missing"),
    ToDoKind.LATE: ("orders", "late"),
    ToDoKind.OVERLONG: ("orders", "overlong"),
    ToDoKind.COMPLAINTS: ("complaints", ""),
    ToDoKind.POINTS: ("complaints", ""),
    ToDoKind.FINDINGS: ("compliance", ""),
    ToDoKind.EARLY: ("orders", "early"),
    ToDoKind.LEAVES: ("orders", "leaves"),
    ToDoKind.UNQUALIFIED: ("orders", "unqualified"),
    ToDoKind.LOCKED: ("orders", "locked"),
    ToDoKind.UNREDEEMED: ("orders", "unredeemed"),
    ToDoKind.REQUESTS: ("orders", "held"),
    ToDoKind.APPROVALS: ("orders", "held"),
}
# How many mornings away a thing put aside comes back; 0: in an hour.
PAUSES = {"hour": 0, "tomorrow": 1, "days": 3}
_URGENT = {
    ToDoKind.INCIDENTS,
    ToDoKind.MISSING,
    ToDoKind.LATE,
    ToDoKind.OVERLONG,
    ToDoKind.LOCKED,
}
# What to do next is said where it is not plain from the count.
ADVISED = (
    ToDoKind.INCIDENTS,
    ToDoKind.MISSING,
    ToDoKind.LATE,
    ToDoKind.OVERLONG,
    ToDoKind.COMPLAINTS,
    ToDoKind.EARLY,
    ToDoKind.UNQUALIFIED,
)
_GREETINGS = ((5, "night"), (11, "morning"), (13, "noon"), (18, "afternoon"), (24, "evening"))


def greeting() -> str:
    """早上好,陈立军."""
    hour = clock.in_city(clock.now()).hour
    part = next(name for until, name in _GREETINGS if hour < until)
    visitor = session.visitor()
    return t(f"today.{part}", name=formats.plain(visitor.name) if visitor else "")


def where_and_when(figures: DayFigures) -> str:
    """南通市 · 今天 · 11月22日 周日 · 15 个需求正在招募."""
    cities = formats.listed(formats.city(code) for code in sorted(session.actor().cities))
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
    with st.container(border=True, gap="small", key=f"to_do_{one.kind}"):
        with st.container(
            horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
        ):
            colour = "red" if one.kind in _URGENT else "primary"
            said = (
                f":{colour}[{icons.TO_DO[one.kind]}] **{t(f'to_do.{one.kind}', count=one.count)}**"
            )
            if one.since is not None:
                said += f"  \n:gray[:small[{t('today.oldest', ago=formats.ago(one.since))}]]"
            st.markdown(said, width="content")
            page, shown = _PLACES[one.kind]
            query = {"show": shown} if shown else {}
            navigation.link(
                page, t(f"to_do.{one.kind}_go"), icon=":material/arrow_forward:", **query
            )
        if one.kind in ADVISED:
            st.caption(t(f"to_do.{one.kind}_next"))
        if one.kind is ToDoKind.LEAVES:
            stand_ins.away_links()
        with st.expander(
            t("today.one_by_one"), key=f"things_{one.kind}", on_change="rerun"
        ) as opened:
            if opened.open:
                _things(one.kind)


def _things(kind: ToDoKind) -> None:
    """The waiting things of a kind, each with its way to it and a note that it is seen to."""
    items = catalogue.items()
    things = session.fetch(to_do.things, kind)
    known = troubles.troubles(
        [thing.order_id for thing in things if thing.order_id and kind in to_do.CONTESTED]
    )
    for thing in things:
        with st.container(
            horizontal=True,
            horizontal_alignment="distribute",
            vertical_alignment="center",
            key=f"thing_{kind}_{thing.subject_id}",
        ):
            st.markdown("  \n".join(_facts(thing, items)), width="content")
            with st.container(
                horizontal=True, vertical_alignment="center", width="content", gap="small"
            ):
                if thing.kind is ToDoKind.CASES:
                    navigation.link(
                        "verifications",
                        t("verifications.number", number=thing.subject_id),
                        icon=":material/arrow_forward:",
                        case=str(thing.subject_id),
                    )
                elif thing.kind in (ToDoKind.POINTS, ToDoKind.FINDINGS):
                    page, _ = _PLACES[thing.kind]
                    navigation.link(
                        page, t(f"to_do.{thing.kind}_go"), icon=":material/arrow_forward:"
                    )
                elif thing.order_id is not None:
                    navigation.link(
                        "orders",
                        t("order.number", number=thing.order_id),
                        icon=":material/arrow_forward:",
                        order=str(thing.order_id),
                    )
                _see_to(thing)
        if thing.order_id is not None:
            troubles.trouble_cards(known, thing.order_id, thing.subject_id)


def _facts(thing: Thing, items: dict[int, ItemView]) -> list[str]:
    """What it is about, when, who, and how long it waits."""
    about = []
    if thing.item_id is not None:
        about.append(f"**{catalogue.item_name(items, thing.item_id)}**")
    if thing.finding is not None:
        about.append(f"**{t(f'finding_kind.{thing.finding}')}**")
    if thing.name:
        about.append(formats.plain(thing.name))
    if thing.starts_at is not None:
        about.append(formats.moment(thing.starts_at))
    waits = t("today.waits", ago=formats.ago(thing.since))
    lines = [" · ".join(about), f":gray[:small[{waits}]]"]
    if thing.due_at is not None:
        colour = "red" if thing.due_at <= clock.now() else "orange"
        at = formats.soon(thing.due_at)
        asked = thing.kind in to_do.REQUEST_STATUS
        due = t("order.answer_until", until=at) if asked else t("complaint.due", at=at)
        lines.append(f":{colour}[:small[:material/schedule: {due}]]")
    return lines


def _see_to(thing: Thing) -> None:
    """Put a thing aside until somebody must look again; a family can be reminded at once."""
    key = f"{thing.kind}_{thing.subject_id}"
    with st.popover(
        t("today.see_to"),
        icon=":material/task_alt:",
        type="tertiary",
        key=f"see_to_{key}_ask",
        on_change="rerun",
    ) as asked:
        if not asked.open:
            return
        if thing.kind is ToDoKind.UNREDEEMED and st.button(
            t("today.remind"), icon=":material/notifications_active:", key=f"remind_{key}"
        ):
            session.perform("today.reminded", to_do.remind_family, thing.subject_id)
        said = st.text_input(
            t("today.what_was_done"),
            key=f"seen_words_{key}",
            max_chars=200,
            placeholder=t("today.what_was_done_hint"),
        )
        pause = st.segmented_control(
            t("today.again"),
            list(PAUSES),
            default="tomorrow",
            format_func=lambda one: t(f"today.again_{one}"),
            required=True,
            key=f"seen_until_{key}",
        )
        if st.button(t("today.put_aside"), type="primary", key=f"see_to_{key}"):
            session.perform(
                "today.put_aside_done",
                to_do.see_to,
                thing.kind,
                thing.subject_id,
                said,
                _until(pause),
                forget=("seen_words_",),
            )


def _until(pause: str) -> datetime:
    """An hour on, or eight in the morning some days on."""
    if PAUSES[pause] == 0:
        return clock.now() + timedelta(hours=1)
    morning = clock.in_city(clock.now()).replace(hour=8, minute=0, second=0, microsecond=0)
    return morning + timedelta(days=PAUSES[pause])

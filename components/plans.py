"""Plans: how often somebody comes, what stands in the way, and a running plan changed."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

import pandas as pd
import streamlit as st

from components import formats, icons, layout, prices, session, tables
from components.courses import course_fields
from components.i18n import t
from components.places import band_name
from services import clock, orders, plans
from services.access import Permission
from services.catalogue import ItemView
from services.courses import Course, Planned
from services.open_plans import Rhythm
from services.orders import OrderStatus, OrderView, VisitStatus
from services.plans import SegmentView

_SKIP, _STAND_IN = "skip", "stand_in"
_MOST_CLASHES = 12
_MADE = (
    VisitStatus.PLANNED,
    VisitStatus.IN_PROGRESS,
    VisitStatus.FINISHED,
    VisitStatus.HELD,
    VisitStatus.OFFERED,
    VisitStatus.UNFILLED,
)


def settle(key: str, course: Course, look: Callable[[Course], list[Planned]]) -> Course | None:
    """Show what the course means, day by day, and have each clash settled.

    None while there is nothing to ask for.
    """
    laid = look(course)
    if clashes := [one for one in laid if one.obstacle]:
        course = _without_clashes(key, course, clashes, len(laid))
        laid = look(course)
        if still := [one for one in laid if one.obstacle]:
            why = t(f"error.obstacle_{still[0].obstacle}")
            st.error(t("plan.still", day=formats.day(still[0].on), why=why))
            return None
    if all(one.by_stand_in for one in laid):
        st.info(t("error.plan_empty"), icon=":material/event_busy:")
        return None
    _summary(course, laid)
    return course


def _without_clashes(key: str, course: Course, clashes: Sequence[Planned], count: int) -> Course:
    """The course with every day that has no room skipped, moved or given to a stand-in."""
    st.warning(t("plan.clashes", count=len(clashes), all=count), icon=":material/event_busy:")
    with st.grid(2, min_column_width=300):
        chosen = {one.on: _settled(key, one) for one in clashes[:_MOST_CLASHES]}
    if rest := clashes[_MOST_CLASHES:]:
        chosen |= dict.fromkeys((one.on for one in rest), _SKIP)
        st.caption(t("plan.more_clashes", count=len(rest)))
    return replace(
        course,
        skipped=frozenset(day for day, what in chosen.items() if what == _SKIP),
        moved={day: what for day, what in chosen.items() if isinstance(what, int)},
        stand_ins=frozenset(day for day, what in chosen.items() if what == _STAND_IN),
    )


def _settled(key: str, clash: Planned) -> str | int:
    """What shall be done about one day: nothing, somebody else, or another minute of the day."""
    ways = (_SKIP, _STAND_IN) if clash.starts_at > clock.now() else (_SKIP,)
    return st.selectbox(
        t("plan.clash", day=formats.day(clash.on), why=t(f"error.obstacle_{clash.obstacle}")),
        (*ways, *clash.other_minutes),
        format_func=lambda one: (
            t("plan.move", at=formats.hour_minute(one))
            if isinstance(one, int)
            else t(f"plan.clash_{one}")
        ),
        key=f"{key}_clash_{clash.on:%Y%m%d}",
    )


def _summary(course: Course, every: Sequence[Planned]) -> None:
    laid = [one for one in every if not one.by_stand_in]
    amounts = sorted({one.price.total_fen for one in laid})
    each = "–".join(formats.money(fen) for fen in amounts[:1] + amounts[1:][-1:])
    total = formats.money(sum(one.price.total_fen for one in laid))
    st.markdown(
        f"**{t('plan.total', count=len(laid), total=total)}** · {t('plan.each', price=each)}"
        f"  \n:gray[:small[{t('plan.goes_on' if course.last_on is None else 'plan.whole')}]]"
    )
    if others := [one for one in every if one.by_stand_in]:
        most = formats.money(sum(one.price.total_fen for one in others))
        said = t("plan.by_stand_ins", count=len(others), total=most)
        st.info(said, icon=icons.VISIT[VisitStatus.UNFILLED][0])
    parts: Counter[str] = Counter()
    for one in laid:
        parts.update(one.price.parts)
    prices.explanation(parts, "plan")
    with st.expander(
        t("plan.every_visit"), icon=":material/calendar_month:", key="plan_every_visit",
        on_change="rerun",
    ) as opened:  # fmt: skip
        if opened.open:
            cells = {
                "day": [formats.date_alone(one.on) for one in every],
                "start": [formats.time_of_day(one.starts_at) for one in every],
                "price": [formats.money(one.price.total_fen) for one in every],
            }
            if others:
                words = {True: t("plan.somebody_else"), False: ""}
                cells["caregiver"] = [words[one.by_stand_in] for one in every]
            st.dataframe(
                pd.DataFrame(cells),
                hide_index=True,
                column_config={
                    name: st.column_config.TextColumn(t(f"plan.column_{name}")) for name in cells
                },
                alt=t("plan.every_visit"),
            )


def in_words(segment: SegmentView | Rhythm, item: ItemView | None) -> str:
    """每周一、三、五 09:00，每次 2 小时."""
    days = formats.listed(t(f"weekday.{formats.WEEKDAYS[day]}") for day in segment.weekdays)
    if len(segment.weekdays) == len(formats.WEEKDAYS):
        days = t("plan.daily")
    often = "" if segment.weeks == 1 else t("plan.weeks", weeks=segment.weeks) + " "
    amount = formats.amount(segment.units, item.unit) if item else str(segment.units)
    at = formats.hour_minute(segment.starts_minute)
    return t("plan.rule", often=often, days=days, at=at, amount=amount)


def rhythm_lines(rhythm: Rhythm | None, item: ItemView | None) -> list[str]:
    """How often a posted plan wants somebody, and until when; nothing for a single visit."""
    if rhythm is None:
        return []
    until = t("plan.open_end")
    if rhythm.until_on is not None:
        until = t("plan.until_on", last=formats.date_alone(rhythm.until_on))
    return [f":material/event_repeat: {in_words(rhythm, item)} · {until}"]


def lasts(segment: SegmentView) -> str:
    """From when until when a stretch lasts."""
    first = formats.date_alone(segment.from_on)
    if segment.until_on is None:
        return t("plan.from", first=first)
    return t("plan.from_until", first=first, last=formats.date_alone(segment.until_on))


def rule_lines(order: OrderView, items: dict[int, ItemView]) -> list[SegmentView]:
    """What the plan's rule is now and was before, written down; its stretches, the last first."""
    stretches = session.fetch(plans.segments, order.id)
    item = items.get(order.item_id)
    lines = [
        f":material/event_repeat: {in_words(one, item)}"
        f"  \n:gray[:small[{' · '.join((lasts(one), *_left_out(one)))}]]"
        for one in stretches
        if one.until_on is None or one.until_on >= one.from_on
    ]
    st.markdown("  \n".join(lines[:2]))
    return stretches


def _left_out(segment: SegmentView) -> list[str]:
    """The days of a stretch still to come on which nobody comes."""
    days = [day for day in segment.skipped if day >= clock.today()]
    if not days:
        return []
    return [t("plan.left_out", days=formats.listed(formats.day(day) for day in days))]


def visits_table(order: OrderView) -> OrderView | None:
    """The plan's visits still to come; the one that was clicked is returned."""
    coming = session.fetch(orders.visits_of, _MADE, order_id=order.id)
    if not coming:
        st.caption(t("plan.no_visits"))
        return None
    statuses = {t(f"visit_status.{one}"): icons.VISIT[one][1] for one in VisitStatus}
    column = st.column_config
    return tables.chosen(
        coming,
        {
            "day": [formats.moment(one.starts_at) for one in coming],
            "status": [[t(f"visit_status.{one.visit_status}")] for one in coming],
            "caregiver": [
                t("plan.nobody_yet")
                if one.visit_status is VisitStatus.UNFILLED
                else one.caregiver_name
                for one in coming
            ],
            "price": [formats.money(one.total_fen) for one in coming],
        },
        {
            "status": column.MultiselectColumn(
                t("orders_page.status"), options=list(statuses), color=list(statuses.values())
            ),
            **{
                name: column.TextColumn(t(f"plan.column_{name}"))
                for name in ("day", "caregiver", "price")
            },
        },
        key=f"plan_visits_{order.id}",
        alt=t("plan.every_visit"),
    )


def move_buttons(order: OrderView, stretches: Sequence[SegmentView]) -> None:
    """Change, pause, take up again and end: each from a day far enough ahead to cost nothing."""
    if order.status is OrderStatus.CONFIRMED:
        with st.popover(
            t("plan.pause"), icon=":material/pause_circle:", key=f"pause_{order.id}",
            on_change="rerun",
        ) as asked:  # fmt: skip
            if asked.open:
                _pause(order)
    if order.status in (OrderStatus.CONFIRMED, OrderStatus.PAUSED):
        with st.popover(
            t("plan.end"), icon=":material/stop_circle:", key=f"end_{order.id}", on_change="rerun"
        ) as asked:
            if asked.open:
                _end(order)
        if stretches:
            _change(order, stretches[0])


def _pause(order: OrderView) -> None:
    st.markdown(t("plan.pause_warning", days=plans.EARLIEST_CHANGE.days))
    first = _day(t("plan.pause_from"), f"pause_{order.id}_day")
    if st.button(t("plan.pause"), type="primary", key=f"pause_{order.id}_yes"):
        session.perform("plan.paused", plans.pause, order.id, first)


def _end(order: OrderView) -> None:
    st.markdown(t("plan.end_warning", days=plans.EARLIEST_CHANGE.days))
    last = _day(t("plan.last"), f"end_{order.id}_day")
    if st.button(t("plan.end"), type="primary", key=f"end_{order.id}_yes"):
        session.perform("plan.ended", plans.end, order.id, last)


def _day(label: str, key: str) -> date:
    earliest = clock.today() + plans.EARLIEST_CHANGE
    return st.date_input(label, earliest, min_value=earliest, key=key)


def _change(order: OrderView, now: SegmentView) -> None:
    """The rule from a day on: this and all that follow."""
    resumes = order.status is OrderStatus.PAUSED
    label = t("plan.resume" if resumes else "plan.change")
    key = f"plan_change_{order.id}"
    with st.expander(
        label, icon=":material/edit_calendar:", key=f"{key}_open", on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        st.caption(t("plan.change_about", days=plans.EARLIEST_CHANGE.days))
        course = course_fields(key, now.units, now.unit_price_fen, now)
        if course is None:
            return
        settled = settle(
            key, course, lambda one: session.fetch(plans.preview_change, order.id, one)
        )
        if settled and st.button(label, type="primary", key=f"{key}_yes"):
            done = "plan.resumed" if resumes else "plan.changed"
            session.perform(done, plans.change, order.id, settled, forget=(key,))


def swap_form(order: OrderView, stretches: Sequence[SegmentView]) -> None:
    """Another caregiver from a day on; the operator has agreed it with her by phone."""
    key = f"plan_swap_{order.id}"
    with st.expander(
        t("plan.swap"), icon=":material/swap_horiz:", key=f"{key}_open", on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        st.caption(t("plan.swap_about"))
        found = {one.id: one for one in session.fetch(plans.candidates, order.id)}
        if not found:
            st.info(t("plan.swap_none"), icon=":material/person_off:")
            return
        chosen = st.selectbox(
            t("plan.swap_to"),
            list(found),
            format_func=lambda one: " · ".join(
                (
                    found[one].name,
                    formats.money(found[one].price_fen),
                    band_name(found[one].distance),
                )
            ),
            key=f"{key}_to",
        )
        now = stretches[0]
        course = course_fields(key, now.units, found[chosen].price_fen, now)
        if course is None:
            return
        settled = settle(
            key, course, lambda one: session.fetch(plans.preview_change, order.id, one, chosen)
        )
        sure = st.checkbox(t("plan.swap_agreed"), key=f"{key}_sure")
        if settled and st.button(t("plan.swap"), type="primary", key=key, disabled=not sure):
            session.perform("plan.swapped", plans.swap, order.id, chosen, settled, forget=(key,))


def plan_card(order: OrderView, items: dict[int, ItemView]) -> OrderView | None:
    """A running plan: its rule, its coming visits, what may be changed; the visit clicked."""
    stretches = rule_lines(order, items)
    picked = visits_table(order)
    with layout.row():
        move_buttons(order, stretches)
    swappable = order.status is OrderStatus.CONFIRMED and bool(stretches)
    if swappable and session.actor().may(Permission.DECIDE_REQUEST):
        swap_form(order, stretches)
    return picked

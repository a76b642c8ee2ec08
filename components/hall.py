"""The task hall: its filters, the open demands, and applying for them."""

import streamlit as st

from components import (
    catalogue,
    formats,
    icons,
    layout,
    live,
    navigation,
    places,
    plans,
    pushes,
    session,
)
from components.i18n import t
from services import applications, hall
from services import places as place_services
from services.caregivers import CaregiverStatus, Standing
from services.catalogue import ItemGroup, ItemView, Skill
from services.hall import AGE_BAND_YEARS, Hall, HallFilter, HallTask
from services.news import Topic
from services.places import DistanceBand
from services.waiting_lists import Waited

_SHOWN_AT_ONCE = 6
_DAYS_AHEAD = (1, 3, 7, 14)
_WITHIN_KM = tuple(limit for limit, _ in place_services.BAND_LIMITS_KM)
_ADJUSTING = "hall_adjusting"
_CARD_WIDTH = 340


def not_yet(standing: Standing | None) -> None:
    """Why this caregiver cannot take work yet, and the way on."""
    status = standing.status if standing else CaregiverStatus.DRAFT
    with st.container(border=True, key="hall_closed"):
        layout.badge(icons.CAREGIVER[status], t(f"caregiver_status.{status}"))
        st.markdown(f"**{t(f'hall.closed_{status}')}**")
        st.caption(t(f"hall.closed_{status}_next"))
        if standing and standing.decision_words:
            layout.field(t("my_profile.operator_said"), standing.decision_words)
        navigation.button("my_profile", t("hall.to_profile"), icon=":material/badge:")


def filters() -> HallFilter:
    """What the caregiver wants to see; remembered for the session."""
    with st.container(border=True, gap="small", key="hall_filters"):
        with layout.row():
            groups = st.pills(
                t("catalogue.group"),
                list(ItemGroup),
                selection_mode="multi",
                format_func=lambda one: f"{icons.GROUP[one]} {t(f'group.{one}')}",
                key="hall_groups",
                label_visibility="collapsed",
                persist_state="session",
            )
            only_fitting = st.toggle(
                t("hall.only_fitting"),
                value=True,
                key="hall_only_fitting",
                persist_state="session",
            )
        days, within, skills = _more_filters()
    return HallFilter(
        groups=tuple(groups),
        skills=tuple(skills),
        days_ahead=days,
        within_km=within,
        only_fitting=only_fitting,
    )


def _more_filters() -> tuple[int | None, int | None, list[Skill]]:
    """When, how far and with what skills; kept while they are folded away."""
    with st.expander(
        t("hall.more_filters"),
        icon=":material/tune:",
        key="hall_more_filters",
        type="compact",
        on_change="rerun",
    ) as more:
        if more.open:
            st.pills(
                t("hall.when"),
                _DAYS_AHEAD,
                format_func=lambda one: t("hall.within_days", count=one),
                key="hall_days",
                persist_state="session",
            )
            st.pills(
                t("hall.distance"),
                _WITHIN_KM,
                format_func=lambda one: t("hall.within_km", count=one),
                key="hall_km",
                persist_state="session",
            )
            st.pills(
                t("field.skills"),
                list(Skill),
                selection_mode="multi",
                format_func=lambda one: t(f"skill.{one}"),
                key="hall_skills",
                persist_state="session",
            )
    kept = st.session_state
    return kept.get("hall_days"), kept.get("hall_km"), kept.get("hall_skills") or []


@live.part(Topic.HALL, Topic.INBOX)
def open_demands(wanted: HallFilter, city_code: str) -> None:
    """The open demands that pass, as they come and go."""
    pushes.take_wanted()
    limit = layout.shown_so_far("hall", _SHOWN_AT_ONCE)
    task_list(session.fetch(hall.tasks, wanted, limit), city_code)


def task_list(found: Hall, city_code: str) -> None:
    """The open demands, soonest first, a few at once."""
    if not found.count:
        layout.empty("task_hall", icon=":material/search_off:")
        return
    items = catalogue.items()
    open_places = places.open_names(city_code)
    st.caption(t("hall.found", count=found.count))
    with st.grid("auto", min_column_width=_CARD_WIDTH):
        for task in found.shown:
            task_card(task, items, open_places)
    layout.more_button(range(found.count), "hall", _SHOWN_AT_ONCE)


def waiting_list(waited: list[Waited]) -> None:
    """The demands that somebody else got, should they open again; behind a click."""
    if not waited:
        return
    with st.expander(
        t("hall.waiting_list", count=len(waited)),
        icon=":material/hourglass_top:",
        key="hall_waiting_list",
        on_change="rerun",
    ) as opened:
        if not opened.open:
            return
        st.caption(t("hall.waiting_list_about"))
        items = catalogue.items()
        for one in waited:
            _waited_card(one, items)


def _waited_card(one: Waited, items: dict[int, ItemView]) -> None:
    item = items.get(one.item_id)
    offer = formats.unit_price(one.price_fen, item.unit) if item else ""
    when = formats.span(one.starts_at, one.ends_at)
    facts = f":material/schedule: {when} · {formats.district(one.district_code)}"
    with st.container(border=True, gap="small", key=f"waited_{one.demand_id}"):
        st.markdown(
            f"**{catalogue.item_name(items, one.item_id)}**  \n{facts}"
            f"  \n{t('hall.my_offer', price=offer)}"
        )
        if layout.confirmed(
            t("hall.leave_list"),
            t("hall.leave_list_warning"),
            f"leave_list_{one.demand_id}",
            icon=":material/undo:",
        ):
            session.perform("hall.left_list", applications.withdraw, one.demand_id)


def task_card(task: HallTask, items: dict[int, ItemView], open_places: dict[int, str]) -> None:
    """One demand: what, when, where, for whom, at what price, and one click to apply.

    One piece of text and two buttons: twenty cards must redraw in no time.
    """
    item = items.get(task.item_id)
    total = formats.total_range(task.lowest_total_fen, task.highest_total_fen)
    if task.plan is not None:
        month = formats.total_range(task.plan.lowest_month_fen, task.plan.highest_month_fen)
        total = t("hall.month", total=month)
    head = f"**{catalogue.item_name(items, task.item_id)}** :primary-badge[{total}]"
    if task.push:
        head += f" :green-badge[:material/bolt: {t('hall.pushed')}]"
    elif task.invited:
        head += f" :violet-badge[:material/mark_email_unread: {t('hall.invited')}]"
    with st.container(border=True, gap="small", height="stretch", key=f"task_{task.id}"):
        st.markdown("  \n".join((head, *_lines(task, item, open_places))))
        if task.words:
            st.text(task.words)
        if task.push:
            pushes.answer_buttons(task.push, item)
        elif "withdraw" in task.open_moves:
            _withdraw(task)
        elif task.open_moves:
            _apply(task, item)


def _lines(task: HallTask, item: ItemView | None, open_places: dict[int, str]) -> list[str]:
    """What a caregiver weighs, one line each."""
    far = task.distance is DistanceBand.VERY_FAR
    way = t("hall.way_over" if far else "hall.way", minutes=task.travel_minutes)
    where = f"{formats.district(task.district_code)} · {places.band_name(task.distance)} · {way}"
    if place := open_places.get(task.place_id or 0):
        where = f"{where} · {place}"
    who = t(
        "hall.recipient",
        sex=t(f"sex.{task.recipient_sex}"),
        youngest=task.recipient_age_from,
        oldest=task.recipient_age_from + AGE_BAND_YEARS - 1,
        mobility=t(f"mobility.{task.recipient_mobility}"),
    )
    lines = [
        f":material/schedule: {formats.span(task.starts_at, task.ends_at)}",
        *(plans.rhythm_lines(task.plan.rhythm, item) if task.plan else ()),
        f":material/location_on: {where}",
        f":material/elderly: {who}",
    ]
    if item is not None:
        price = formats.price_range(task.lowest_fen, task.highest_fen, item.unit)
        lines.append(f":material/payments: {price} · {formats.amount(task.units, item.unit)}")
    if task.skills:
        wished = " · ".join(t(f"skill.{skill}") for skill in task.skills)
        lines.append(f":material/checklist: {t('hall.wished', skills=wished)}")
    if task.wished_sex is not None:
        lines.append(f":material/wc: {t(f'hall.wished_{task.wished_sex}')}")
    lines.append(f":gray[:small[{t('hall.posted', ago=formats.ago(task.posted_at))}]]")
    if obstacles := _obstacles(task):
        lines.append(" ".join(obstacles))
    if applied := _applied(task, item):
        lines.append(applied)
    return lines


def _obstacles(task: HallTask) -> list[str]:
    """What stands between this caregiver and the demand, in words."""
    found = []
    for kind in task.missing_certificates:
        missing = t("hall.missing", name=t(f"certificate.{kind}"))
        found.append(f":orange-badge[:material/workspace_premium: {missing}]")
    if task.plan is not None:
        fits = t("hall.plan_fits", fitting=task.plan.fitting, all=task.plan.visits)
        colour = "green" if task.plan.fitting == task.plan.visits else "orange"
        found.append(f":{colour}-badge[:material/event_repeat: {fits}]")
    for met in task.obstacles:
        found.append(f":orange-badge[{icons.OBSTACLE[met]} {t(f'clash.{met}')}]")
    return found


def _apply(task: HallTask, item: ItemView | None) -> None:
    """One click at the middle price; price and words are drawn only where they are asked for."""
    lowest, highest = _yuan_range(task)
    price_fen = (lowest + highest) // 2 * 100 if lowest < highest else task.lowest_fen
    said = ""
    adjusting = st.session_state.get(_ADJUSTING) == task.id
    if adjusting:
        if lowest < highest:
            price_fen = 100 * st.number_input(
                t("hall.my_price"),
                lowest,
                highest,
                price_fen // 100,
                key=f"apply_price_{task.id}",
            )
        said = st.text_input(
            t("field.application_words"),
            key=f"apply_words_{task.id}",
            max_chars=200,
            placeholder=t("hall.words_hint"),
        )
    label = t("move.apply")
    if item is not None:
        label = f"{label} · {formats.unit_price(price_fen, item.unit)}"
    with layout.row():
        pressed = st.button(
            label, type="primary", icon=":material/front_hand:", key=f"apply_{task.id}"
        )
        if not adjusting:
            st.button(
                t("hall.adjust"),
                type="tertiary",
                icon=":material/tune:",
                key=f"adjust_{task.id}",
                on_click=_adjust,
                args=(task.id,),
            )
    if pressed:
        session.perform(
            "hall.applied",
            applications.apply,
            task.id,
            price_fen,
            said,
            forget=(f"apply_words_{task.id}", f"apply_price_{task.id}", _ADJUSTING),
        )


def _adjust(task_id: int) -> None:
    st.session_state[_ADJUSTING] = task_id


def _yuan_range(task: HallTask) -> tuple[int, int]:
    """The whole yuan inside the family's price range."""
    return -(-task.lowest_fen // 100), task.highest_fen // 100


def _applied(task: HallTask, item: ItemView | None) -> str:
    """How far her own application is while nothing else can be done, and what she offered."""
    if task.my_application is None or (task.open_moves and "withdraw" not in task.open_moves):
        return ""
    icon, colour = icons.APPLICATION[task.my_application]
    said = f":{colour}-badge[{icon} {t(f'application_status.{task.my_application}')}]"
    if "withdraw" in task.open_moves and task.my_price_fen is not None and item is not None:
        price = formats.unit_price(task.my_price_fen, item.unit)
        said = f"{said} {t('hall.my_offer', price=price)}"
    return said


def _withdraw(task: HallTask) -> None:
    if layout.confirmed(
        t("move.withdraw"),
        t("hall.withdraw_warning"),
        f"withdraw_{task.id}",
        icon=":material/undo:",
    ):
        session.perform("hall.withdrawn", applications.withdraw, task.id)

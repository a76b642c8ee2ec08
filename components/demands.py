"""Demands: entered by families and shown to those who posted them."""

from datetime import datetime, timedelta

import streamlit as st

from components import (
    catalogue,
    courses,
    drafts,
    formats,
    icons,
    layout,
    places,
    plans,
    prices,
    recipients,
    session,
    wishes,
)
from components.i18n import t
from components.idle_demands import improve_button
from components.invitations import invite_button
from services import cities, clock, demands, open_plans, recurrence, tariffs
from services import recipients as recipient_services
from services.catalogue import ItemView, Skill
from services.courses import Course
from services.demands import DemandForm, DemandStatus, DemandView
from services.drafts import DraftFields
from services.recipients import Sex

_KEY = "demand"
_PLAN = "demand_plan"


def demand_form(
    *, customer_id: int | None = None, district_code: str | None = None, keep: str | None = None
) -> None:
    """The whole form of a new demand; posts it and opens the family's orders.

    For a caller the page stays, and finds the demand's number under the key to keep it by.
    """
    items = catalogue.items()
    written = drafts.restore(_KEY, items, customer_id)
    with st.container(border=True):
        st.subheader(t("demand.who_and_what"), anchor=False)
        known = session.fetch(recipient_services.listing, customer_id=customer_id)
        recipient = recipients.recipient_choice(known, _KEY, customer_id=customer_id)
        item = catalogue.item_choice(items, _KEY)
    with st.container(border=True):
        st.subheader(t("demand.when_and_where"), anchor=False)
        starts_at, units, course = _when_fields(item, written)
        location = places.location_fields(_KEY, district_code=district_code)
    with st.container(border=True):
        st.subheader(t("demand.price_and_words"), anchor=False)
        lowest_fen, highest_fen = _price_fields(item, units, starts_at, location)
        if course is not None:
            _month_estimate(item, course, (lowest_fen, highest_fen), location)
        skills = st.pills(
            t("field.skills"),
            list(Skill),
            selection_mode="multi",
            format_func=lambda one: t(f"skill.{one}"),
            key=f"{_KEY}_skills",
        )
        sex = st.segmented_control(
            t("field.wished_sex"),
            [drafts.EITHER, *Sex],
            required=True,
            default=drafts.EITHER,
            format_func=lambda one: t(f"wished_sex.{one}"),
            key=f"{_KEY}_wished_sex",
            help=t("demand.wished_sex_help"),
        )
        words = wishes.words_field(_KEY)
    wished_sex = None if sex == drafts.EITHER else Sex(sex)
    wished = tuple(Skill(one) for one in skills)
    draft = DraftFields(
        recipient_id=recipient.id if recipient else None,
        item_id=item.id,
        city_code=location.city_code if location else None,
        district_code=location.district_code if location else None,
        place_id=location.place_id if location else None,
        cell=location.cell if location else None,
        address=st.session_state.get(f"{_KEY}_address", ""),
        day=starts_at.date() if starts_at else None,
        start=starts_at.time() if starts_at else None,
        units=units,
        lowest_fen=lowest_fen,
        highest_fen=highest_fen,
        skills=wished,
        wished_sex=wished_sex,
        words=words,
    )
    if st.session_state[f"{_KEY}_often"] == drafts.REGULARLY:
        draft = courses.written_course(_PLAN, draft)
    drafts.keep(_KEY, draft, customer_id)
    pressed = st.button(
        t("demand.submit"),
        type="primary",
        icon=":material/campaign:",
        key="demand_submit",
        disabled=recipient is None or location is None or starts_at is None,
    )
    request_key = wishes.request_key(_KEY, pressed=pressed)
    if pressed and recipient is not None and location is not None and starts_at is not None:
        form = DemandForm(
            recipient_id=recipient.id,
            item_id=item.id,
            city_code=location.city_code,
            district_code=location.district_code,
            address=location.address,
            starts_at=starts_at,
            units=units,
            lowest_fen=lowest_fen,
            highest_fen=highest_fen,
            place_id=location.place_id,
            cell=location.cell,
            skills=wished,
            wished_sex=wished_sex,
            words=words,
            rule=course.rule if course else None,
            until_on=course.last_on if course else None,
        )
        session.perform(
            "demand.posted",
            demands.post,
            form,
            request_key,
            customer_id=customer_id,
            then="my_orders" if customer_id is None else None,
            forget=(_KEY,),
            keep=keep,
        )


def _horizon() -> timedelta:
    """How far ahead any city takes demands; the family's own may take less."""
    return timedelta(days=session.public(cities.furthest_horizon))


def _when_fields(
    item: ItemView, written: DraftFields | None
) -> tuple[datetime | None, int, Course | None]:
    """Once or regularly: the first start, the units, and a plan's course; no start yet: None."""
    often = st.segmented_control(
        t("demand.often"),
        drafts.OFTEN,
        default=None if f"{_KEY}_often" in st.session_state else drafts.ONCE,
        required=True,
        format_func=lambda one: t(f"demand.often_{one}"),
        key=f"{_KEY}_often",
    )
    if often == drafts.ONCE:
        return *_time_fields(item), None
    units = _units_field(item)
    begun = written if written and written.weekdays is not None else None
    course = courses.course_fields(_PLAN, units, item.lowest_fen, written=begun)
    first = recurrence.first_day(course.rule, course.first_on) if course else None
    if course is None or first is None:
        return None, units, None
    starts_at = recurrence.moment(first, course.starts_minute)
    ends_at = starts_at + timedelta(hours=units * item.hours_per_unit)
    st.caption(t("demand.first_visit", span=formats.span(starts_at, ends_at)))
    return starts_at, units, course


def _month_estimate(
    item: ItemView, course: Course, bounds: tuple[int, int], location: places.Location | None
) -> None:
    """What 30 days of the plan would cost at both ends of the price range."""
    city_code = location.city_code if location else ""
    hours = course.units * item.hours_per_unit
    lowest, highest = (
        session.public(open_plans.estimate, city_code, course, hours, price_fen)
        for price_fen in bounds
    )
    st.caption(t("demand.month", total=formats.total_range(lowest, highest)))


def _units_field(item: ItemView) -> int:
    return st.number_input(
        t("field.units", units=t(f"units.{item.unit}")),
        item.fewest_units,
        item.most_units,
        key=f"{_KEY}_units_{item.id}",
    )


def _time_fields(item: ItemView) -> tuple[datetime, int]:
    left, middle, right = st.columns(3)
    tomorrow = clock.today() + timedelta(days=1)
    day = left.date_input(
        t("field.day"),
        "today" if f"{_KEY}_day" in st.session_state else tomorrow,
        min_value=clock.today(),
        max_value=clock.today() + _horizon(),
        key=f"{_KEY}_day",
    )
    # A field takes either a default or a value set for it.
    first = "now" if f"{_KEY}_start" in st.session_state else drafts.FIRST_START
    at = middle.time_input(t("field.start"), first, step=900, key=f"{_KEY}_start")
    with right:
        units = _units_field(item)
    starts_at = datetime.combine(day, at, clock.CITY_TIME)
    ends_at = starts_at + timedelta(hours=units * item.hours_per_unit)
    st.caption(formats.span(starts_at, ends_at))
    return starts_at, units


def _price_fields(
    item: ItemView, units: int, starts_at: datetime | None, location: places.Location | None
) -> tuple[int, int]:
    """The family's price range in fen per unit, within the catalogue's."""
    lowest_fen, highest_fen = _price_range(item)
    if starts_at is None:
        return lowest_fen, highest_fen
    length = timedelta(hours=units * item.hours_per_unit)
    lowest, highest = session.public(
        tariffs.quotes,
        location.city_code if location else "",
        item.id,
        (lowest_fen, highest_fen),
        units,
        starts_at,
        starts_at + length,
    )
    total = formats.total_range(lowest.total_fen, highest.total_fen)
    st.caption(t("demand.total", total=total, amount=formats.amount(units, item.unit)))
    if surcharges := prices.in_short(highest.parts):
        st.caption(surcharges)
    return lowest_fen, highest_fen


def _price_range(item: ItemView) -> tuple[int, int]:
    if item.lowest_fen == item.highest_fen:  # A slider needs two ends.
        return item.lowest_fen, item.highest_fen
    field, ends = f"{_KEY}_price_{item.id}", (item.lowest_fen // 100, item.highest_fen // 100)
    lowest, highest = st.slider(
        t("field.price_range", unit=t(f"unit.{item.unit}")),
        *ends,
        None if field in st.session_state else ends,  # pyright: ignore[reportArgumentType, reportCallIssue]
        format="¥%d",
        key=field,
    )
    return lowest * 100, highest * 100


def demand_card(
    demand: DemandView, items: dict[int, ItemView], *, customer_id: int | None = None
) -> None:
    """One posted demand with what became of it and what can be done."""
    item = items.get(demand.item_id)
    with st.container(border=True, key=f"demand_{demand.id}"):
        icon, colour = icons.DEMAND[demand.status]
        lines = (
            f"**{catalogue.item_name(items, demand.item_id)}** "
            f":{colour}-badge[{icon} {t(f'demand_status.{demand.status}')}]",
            f":material/schedule: {formats.span(demand.starts_at, demand.ends_at)}"
            f" · {formats.district(demand.district_code)}",
            t("recipient.for", name=formats.plain(demand.recipient_name)),
            *plans.rhythm_lines(demand.rhythm, items.get(demand.item_id)),
        )
        st.markdown("  \n".join(lines))
        if demand.words:
            st.text(demand.words)
        if demand.status is DemandStatus.OPEN and demand.offers > 1 and not demand.applications:
            st.caption(f":orange[:material/lightbulb:] {t('idle.advice')}")
        st.caption(_answers(demand))
        with layout.deeds(f"demand_{demand.id}"):
            if demand.status is DemandStatus.OPEN:
                invite_button(demand.id, item)
            if "improve" in demand.open_moves and item is not None:
                improve_button(demand, item, _horizon())
            if demand.repeatable:
                drafts.again_button(demand.id, f"demand_{demand.id}", customer_id=customer_id)
            if "withdraw" in demand.open_moves and layout.confirmed(
                t("move.withdraw"),
                t("demand.withdraw_warning"),
                f"withdraw_{demand.id}",
                icon=":material/undo:",
            ):
                session.perform("demand.withdrawn", demands.withdraw, demand.id)


def _answers(demand: DemandView) -> str:
    """How many applied, and how many were invited by name or are asked one after the other."""
    said = t("demand.no_applications")
    if demand.applications:
        said = t("demand.applications", count=demand.applications)
    if demand.invited:
        said = f"{said} · {t('invite.count', count=demand.invited)}"
    return f"{said} · {t('demand.pushed', count=demand.pushed)}" if demand.pushed else said


def demand_section(
    posted: list[DemandView], items: dict[int, ItemView], *, customer_id: int | None = None
) -> None:
    """The family's demands: open ones first, ended ones behind a click."""
    if not posted:
        return
    st.subheader(t("my_orders.demands"), anchor=False)
    for demand in posted:
        if demand.status is DemandStatus.OPEN:
            demand_card(demand, items, customer_id=customer_id)
    ended = [demand for demand in posted if demand.status is not DemandStatus.OPEN]
    if ended:
        with st.expander(
            t("my_orders.ended", count=len(ended)), key="ended_demands", on_change="rerun"
        ) as opened:
            if opened.open:
                for demand in ended:
                    demand_card(demand, items, customer_id=customer_id)

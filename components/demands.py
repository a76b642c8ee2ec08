"""Demands: entered by families and shown to those who posted them."""

from datetime import datetime, timedelta

import streamlit as st

from components import (
    catalogue,
    drafts,
    formats,
    icons,
    layout,
    places,
    prices,
    recipients,
    session,
    wishes,
)
from components.i18n import t
from components.idle_demands import improve_button
from components.invitations import invite_button
from services import cities, clock, demands, tariffs
from services import recipients as recipient_services
from services.catalogue import ItemView, Skill
from services.demands import DemandForm, DemandStatus, DemandView
from services.drafts import DraftFields

_KEY = "demand"


def demand_form(
    *, customer_id: int | None = None, district_code: str | None = None, keep: str | None = None
) -> None:
    """The whole form of a new demand; posts it and opens the family's orders.

    For a caller the page stays, and finds the demand's number under the key to keep it by.
    """
    items = catalogue.items()
    drafts.restore(_KEY, items, customer_id)
    with st.container(border=True):
        st.subheader(t("demand.who_and_what"), anchor=False)
        known = session.fetch(recipient_services.listing, customer_id=customer_id)
        recipient = recipients.recipient_choice(known, _KEY, customer_id=customer_id)
        item = catalogue.item_choice(items, _KEY)
    with st.container(border=True):
        st.subheader(t("demand.when_and_where"), anchor=False)
        starts_at, units = _time_fields(item)
        location = places.location_fields(_KEY, district_code=district_code)
    with st.container(border=True):
        st.subheader(t("demand.price_and_words"), anchor=False)
        lowest_fen, highest_fen = _price_fields(item, units, starts_at, location)
        skills = st.pills(
            t("field.skills"),
            list(Skill),
            selection_mode="multi",
            format_func=lambda one: t(f"skill.{one}"),
            key=f"{_KEY}_skills",
        )
        words = wishes.words_field(_KEY)
    wished = tuple(Skill(one) for one in skills)
    draft = DraftFields(
        recipient_id=recipient.id if recipient else None,
        item_id=item.id,
        city_code=location.city_code if location else None,
        district_code=location.district_code if location else None,
        place_id=location.place_id if location else None,
        cell=location.cell if location else None,
        address=st.session_state.get(f"{_KEY}_address", ""),
        day=starts_at.date(),
        start=starts_at.time(),
        units=units,
        lowest_fen=lowest_fen,
        highest_fen=highest_fen,
        skills=wished,
        words=words,
    )
    drafts.keep(_KEY, draft, customer_id)
    pressed = st.button(
        t("demand.submit"),
        type="primary",
        icon=":material/campaign:",
        key="demand_submit",
        disabled=recipient is None or location is None,
    )
    request_key = wishes.request_key(_KEY, pressed=pressed)
    if pressed and recipient is not None and location is not None:
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
            words=words,
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
    opened = session.public(cities.opened)
    return timedelta(days=max((city.horizon_days for city in opened), default=1))


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
    units = right.number_input(
        t("field.units", unit=t(f"unit.{item.unit}")),
        item.fewest_units,
        item.most_units,
        key=f"{_KEY}_units_{item.id}",
    )
    starts_at = datetime.combine(day, at, clock.CITY_TIME)
    ends_at = starts_at + timedelta(hours=units * item.hours_per_unit)
    st.caption(formats.span(starts_at, ends_at))
    return starts_at, units


def _price_fields(
    item: ItemView, units: int, starts_at: datetime, location: places.Location | None
) -> tuple[int, int]:
    """The family's price range in fen per unit, within the catalogue's."""
    lowest_fen, highest_fen = _price_range(item)
    length = timedelta(hours=units * item.hours_per_unit)
    lowest, highest = (
        session.public(
            tariffs.quote,
            location.city_code if location else "",
            price_fen,
            units,
            starts_at,
            starts_at + length,
        )
        for price_fen in (lowest_fen, highest_fen)
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
        )
        st.markdown("  \n".join(lines))
        if demand.words:
            st.text(demand.words)
        if demand.status is DemandStatus.OPEN and demand.offers > 1 and not demand.applications:
            st.caption(f":orange[:material/lightbulb:] {t('idle.advice')}")
        with layout.row():
            st.caption(_answers(demand), width="content")
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
    """How many applied, and how many were invited by name."""
    said = t("demand.applications", count=demand.applications)
    return f"{said} · {t('invite.count', count=demand.invited)}" if demand.invited else said


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

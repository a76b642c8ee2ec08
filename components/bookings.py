"""Booking one caregiver: her free times, for whom, where; asked for, and answered."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

import streamlit as st
from streamlit.components.v2 import component

from components import (
    catalogue,
    courses,
    formats,
    layout,
    navigation,
    places,
    portraits,
    prices,
    recipients,
    session,
    wishes,
)
from components import plans as plan_parts
from components.caregivers import profile_dialog
from components.i18n import name, t
from components.reviews import stars
from services import bookable, bookings, caregivers, clock, photos, plan_requests, plans, tariffs
from services import recipients as recipient_services
from services.bookings import BookingForm
from services.caregivers import Offer, Profile
from services.catalogue import ItemView
from services.courses import Course
from services.orders import OrderKind, OrderStatus, OrderView
from services.plan_requests import PlanForm
from services.pricing import Price
from services.recipients import RecipientView

_KEY = "booking"
# Opened from far down a list, Streamlit would leave the page there.
_TOP = component(
    "top",
    js="""
export default function ({ parentElement }) {
  if (parentElement.atTop) return
  parentElement.atTop = true
  document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0)
}
""",
)
_DAYS_SHOWN = 10
_REQUESTS_SHOWN = 2


def booking_form(
    items: dict[int, ItemView],
    asked: Mapping[str, str],
    *,
    customer_id: int | None = None,
    keep: str | None = None,
    kind: OrderKind = OrderKind.SINGLE,
) -> None:
    """The whole form for the caregiver the address names; then the family's orders open.

    For a caller the page stays, and finds the order's number under the key to keep it by.
    """
    _TOP(key="book_top", height="content")
    number = asked.get("caregiver", "")
    if not number.isdecimal() or len(number) > 9:
        layout.empty("book", icon=":material/person_search:")
        navigation.button("find_caregivers", t("book.find"), icon=":material/search:")
        return
    profile = session.fetch(caregivers.profile, int(number))
    offers = {offer.item_id: offer for offer in session.fetch(bookable.offers, profile.id)}
    with st.container(border=True, key="booked"):
        _head(profile)
        if not offers:
            st.info(t("book.no_offer"), icon=":material/event_busy:")
            return
        item, offer, units = _what(items, offers, asked)
        chosen_kind = st.segmented_control(
            t("book.kind"),
            list(OrderKind),
            format_func=lambda one: t(f"order_kind.{one}"),
            default=kind,
            required=True,
            key=f"{_KEY}_kind_{kind}",
        )
        times = st.container()
    with st.container(border=True, key="booked_for"):
        known = session.fetch(recipient_services.listing, customer_id=customer_id)
        recipient = recipients.recipient_choice(known, _KEY, customer_id=customer_id)
        location = places.location_fields(
            _KEY,
            city_code=profile.city_code,
            district_code=asked.get("district"),
            place_id=asked.get("place"),
        )
        said = wishes.words_field(_KEY)
    if chosen_kind is OrderKind.MONTHLY:
        with times:
            course = _course(profile, item, offer, units, location)
        _request_plan(
            profile, item, recipient, location, course, said, customer_id=customer_id, keep=keep
        )
        return
    with times:
        starts_at = _when(profile, item, units, location, asked)
    price = None
    if starts_at is not None:
        ends_at = starts_at + timedelta(hours=units * item.hours_per_unit)
        span = starts_at, ends_at
        price = session.public(
            tariffs.quote, profile.city_code, item.id, offer.price_fen, units, *span
        )
        _price(price, *span)
    ready = recipient is not None and location is not None and starts_at is not None
    pressed = st.button(
        t("book.request", name=formats.plain(profile.name)),
        type="primary",
        icon=":material/send:",
        key="booking_request",
        disabled=not ready,
    )
    request_key = wishes.request_key(_KEY, pressed=pressed)
    total_fen = prices.as_shown(_KEY, price.total_fen, pressed=pressed) if price else None
    if pressed and recipient is not None and location is not None and starts_at is not None:
        form = BookingForm(
            caregiver_id=profile.id,
            recipient_id=recipient.id,
            item_id=item.id,
            district_code=location.district_code,
            address=location.address,
            starts_at=starts_at,
            units=units,
            price_fen=offer.price_fen,
            total_fen=total_fen,
            place_id=location.place_id,
            cell=location.cell,
            words=said,
        )
        session.perform(
            "book.requested",
            bookings.request,
            form,
            request_key,
            customer_id=customer_id,
            then="my_orders" if customer_id is None else None,
            forget=(_KEY,),
            keep=keep,
        )


def _price(price: Price, starts_at: datetime, ends_at: datetime) -> None:
    """What the chosen visit costs, what that consists of, and what happens next."""
    small = (prices.in_short(price.parts), t("book.what_happens"))
    lines = [f"**{formats.money(price.total_fen)}** · {formats.span(starts_at, ends_at)}"]
    lines += [f":gray[:small[{one}]]" for one in small if one]
    st.markdown("  \n".join(lines))
    prices.explanation(price.parts, "booking")


def _course(
    profile: Profile, item: ItemView, offer: Offer, units: int, location: places.Location | None
) -> Course | None:
    """How often she shall come, and whether she can."""
    key = f"{_KEY}_plan"
    course = courses.course_fields(key, units, offer.price_fen)
    if course is None or location is None:
        return None
    near = location.near
    return plan_parts.settle(
        key,
        course,
        lambda one: session.fetch(plan_requests.preview, profile.id, item.id, near, one),
    )


def _request_plan(
    profile: Profile,
    item: ItemView,
    recipient: RecipientView | None,
    location: places.Location | None,
    course: Course | None,
    said: str,
    *,
    customer_id: int | None,
    keep: str | None,
) -> None:
    """The button that asks for a whole plan."""
    ready = recipient is not None and location is not None and course is not None
    pressed = st.button(
        t("book.request_plan", name=formats.plain(profile.name)),
        type="primary",
        icon=":material/send:",
        key="booking_request_plan",
        disabled=not ready,
    )
    request_key = wishes.request_key(f"{_KEY}_plan", pressed=pressed)
    if pressed and recipient is not None and location is not None and course is not None:
        form = PlanForm(
            caregiver_id=profile.id,
            recipient_id=recipient.id,
            item_id=item.id,
            district_code=location.district_code,
            address=location.address,
            course=course,
            place_id=location.place_id,
            cell=location.cell,
            words=said,
        )
        session.perform(
            "book.requested",
            plan_requests.request,
            form,
            request_key,
            customer_id=customer_id,
            then="my_orders" if customer_id is None else None,
            forget=(_KEY,),
            keep=keep,
        )


def _head(profile: Profile) -> None:
    image = session.fetch(photos.of, [profile.id]).get(profile.id)
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    ):
        with st.container(
            horizontal=True, wrap=False, gap="small", width="content", key=f"face_{profile.id}"
        ):
            portraits.face(profile.name, image)
            _facts(profile)
        if st.button(
            t("find.profile"), type="tertiary", icon=":material/badge:", key="booked_profile"
        ):
            profile_dialog(profile.id, profile.name)


def _facts(profile: Profile) -> None:
    score = t("caregiver.no_score")
    if profile.score.overall is not None:
        score = f"{stars(profile.score.overall)} **{profile.score.overall:.1f}**"
    about = t(
        "caregiver.summary",
        sex=t(f"sex.{profile.sex}"),
        age=profile.age,
        district=formats.district(profile.district_code),
        years=clock.today().year - profile.worked_since,
    )
    st.markdown(
        f"**{formats.plain(profile.name)}**  \n{score}  \n:gray[:small[{about}]]", width="content"
    )


def _what(
    items: dict[int, ItemView], offers: dict[int, Offer], asked: Mapping[str, str]
) -> tuple[ItemView, Offer, int]:
    """Which of her items, at her price, for how long."""
    choices = [item_id for item_id in offers if item_id in items]
    wanted = asked.get("item", "")
    first = int(wanted) if wanted.isdecimal() and len(wanted) < 10 else 0
    left, right = st.columns([3, 1])
    chosen = left.selectbox(
        t("field.item"),
        choices,
        index=choices.index(first) if first in choices else 0,
        format_func=lambda one: (
            f"{name(items[one])} · {formats.unit_price(offers[one].price_fen, items[one].unit)}"
        ),
        key=f"{_KEY}_item",
    )
    item = items[chosen]
    length = asked.get("units", "")
    units = int(length) if length.isdecimal() and len(length) < 4 else item.fewest_units
    return (
        item,
        offers[chosen],
        right.number_input(
            t("field.units", units=t(f"units.{item.unit}")),
            item.fewest_units,
            item.most_units,
            min(max(units, item.fewest_units), item.most_units),
            key=f"{_KEY}_units_{item.id}",
        ),
    )


def _when(
    profile: Profile,
    item: ItemView,
    units: int,
    location: places.Location | None,
    asked: Mapping[str, str],
) -> datetime | None:
    """One of her free times, the way there and back included: a day, then an hour."""
    near = location.near if location else None
    free = session.fetch(bookable.free_starts, profile.id, item.id, units, near)
    if not free:
        st.info(t("book.no_time"), icon=":material/event_busy:")
        return None
    days = list(free)[:_DAYS_SHOWN]
    wanted_day, _, wanted_time = asked.get("start", "").partition("T")
    day = st.pills(
        t("book.day"),
        days,
        default=wanted_day if wanted_day in days else days[0],
        format_func=lambda one: formats.day(date.fromisoformat(one)),
        required=True,
        key=f"{_KEY}_day_{item.id}_{units}",
    )
    starts = {formats.time_of_day(start): start for start in free[day]}
    at = st.pills(
        t("book.start"),
        list(starts),
        default=wanted_time if wanted_time in starts else next(iter(starts)),
        required=True,
        key=f"{_KEY}_start_{item.id}_{units}_{day}",
    )
    return starts[at]


def requests(waiting: list[OrderView], items: dict[int, ItemView]) -> None:
    """What families ask of this caregiver, each with the time left to answer."""
    # Of a plan all visits wait for the one answer.
    asked = list(
        {one.id: one for one in reversed(waiting) if one.status is OrderStatus.REQUESTED}.values()
    )[::-1]
    if not asked:
        return
    st.subheader(t("request.title", count=len(asked)), anchor=False)
    with st.grid("auto", min_column_width=320):
        for order in layout.first_of(asked, "requests", _REQUESTS_SHOWN):
            _request_card(order, items)
    layout.more_button(asked, "requests", _REQUESTS_SHOWN)


def _request_card(order: OrderView, items: dict[int, ItemView]) -> None:
    with st.container(border=True, height="stretch", gap="small", key=f"request_{order.id}"):
        pay = t("visits.pay", pay=formats.money(order.pay_fen))
        lines = [
            f"**{catalogue.item_name(items, order.item_id)}**",
            f":material/schedule: {formats.span(order.starts_at, order.ends_at)}",
            f":material/location_on: {formats.district(order.district_code)}",
            f":material/payments: {pay}",
        ]
        if order.kind is OrderKind.MONTHLY:
            [now, *_] = session.fetch(plans.segments, order.id)
            rule = plan_parts.in_words(now, items.get(order.item_id))
            lines.append(f":material/event_repeat: {rule} · {plan_parts.lasts(now)}")
        if order.answer_until is not None:
            left = t("request.until", at=formats.moment(order.answer_until))
            lines.append(f":orange[:material/timer: {left}]")
        st.markdown("  \n".join(lines))
        with layout.row():
            if "accept" in order.open_moves and st.button(
                t("move.accept"),
                type="primary",
                icon=":material/check:",
                key=f"accept_{order.id}",
            ):
                session.perform("request.accepted", bookings.accept, order.id)
            if "refuse" in order.open_moves and layout.confirmed(
                t("move.refuse"), t("request.refuse_warning"), f"refuse_{order.id}"
            ):
                session.perform("request.refused", bookings.refuse, order.id)

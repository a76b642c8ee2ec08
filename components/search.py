"""Finding a caregiver: the wish above, those who can come as cards below."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta

import streamlit as st

from components import catalogue, formats, icons, layout, navigation, portraits, session
from components.caregivers import level_name, profile_dialog
from components.i18n import chinese, t
from components.places import band_name, city_choice, district_choice, place_name
from components.reviews import stars
from services import bookable, clock, photos, places, search, unmet_needs
from services.availability import Obstacle
from services.catalogue import ItemView
from services.recipients import Sex
from services.search import Found, Sort, Wanted

_KEY = "find"
_NOTED = "find_noted"
# What a family can change about an obstacle.
_ADVICE = {
    Obstacle.NOT_OFFERED: "other_item",
    Obstacle.TOO_FAR: "post",
    Obstacle.PRICE: "price",
    Obstacle.TOO_SOON: "later",
    Obstacle.TOO_FAR_AHEAD: "sooner",
    Obstacle.CITY_CLOSED: "other_day",
    Obstacle.OFF_HOURS: "other_time",
    Obstacle.ON_LEAVE: "other_day",
    Obstacle.BUSY: "other_time",
    Obstacle.TRAVEL: "other_time",
    Obstacle.REST: "other_time",
    Obstacle.WEEK_FULL: "other_week",
}
_SHOWN_AT_ONCE = 4
_DAYS_AHEAD = 30


def wish(items: dict[int, ItemView], *, district_code: str | None = None) -> Wanted | None:
    """What is looked for: the care, the place (near whom it is for), perhaps the time and who."""
    with st.container(border=True, key="wish"):
        item = catalogue.item_choice(items, _KEY)
        with st.grid(4, min_column_width=145):
            city = city_choice(_KEY)
            if city is None:
                return None
            district_code, place_id, cell = _where(city.code, district_code)
            units = st.number_input(
                t("field.units", units=t(f"units.{item.unit}")),
                item.fewest_units,
                item.most_units,
                key=f"{_KEY}_units_{item.id}",
            )
            starts_at = _when()
            sort = st.selectbox(
                t("find.sort"),
                list(Sort),
                format_func=lambda one: t(f"find.by_{one}"),
                key=f"{_KEY}_sort",
            )
        sex, most = _narrower(item)
    return Wanted(
        item_id=item.id,
        city_code=city.code,
        district_code=district_code,
        place_id=place_id,
        cell=cell,
        units=units,
        starts_at=starts_at,
        sex=sex,
        most_fen=most * 100 if most else None,
        sort=sort,
    )


def _narrower(item: ItemView) -> tuple[Sex | None, int | None]:
    """Who and for how much at most, which few care for: kept, and told, while it is folded away."""
    sex_key, most_key = f"{_KEY}_sex", f"{_KEY}_most_{item.id}"
    # Under another name it would fold itself again.
    with st.expander(
        t("find.narrower"),
        icon=":material/tune:",
        key=f"{_KEY}_narrower",
        type="compact",
        on_change="rerun",
    ) as more:
        if more.open:
            with st.grid(4, min_column_width=145):
                st.selectbox(
                    t("find.sex"),
                    [None, *Sex],
                    format_func=lambda one: t(f"sex.{one}") if one else t("find.any_sex"),
                    key=sex_key,
                    persist_state="session",
                )
                st.number_input(
                    t("find.most_price", unit=t(f"unit.{item.unit}")),
                    item.lowest_fen // 100,
                    item.highest_fen // 100,
                    value=None,
                    step=5,
                    placeholder=t("find.any_price"),
                    key=most_key,
                    persist_state="session",
                )
    sex, most = st.session_state.get(sex_key), st.session_state.get(most_key)
    if not more.open and (sex or most):
        price = most and formats.unit_price(most * 100, item.unit)
        told = (sex and t(f"sex.{sex}"), price and t("find.at_most", price=price))
        st.caption(" · ".join(filter(None, told)))
    return sex, most


def _where(city_code: str, near: str | None) -> tuple[str, int | None, str]:
    """A known place, or a district's middle."""
    visitor = session.visitor()
    known = {place.id: place for place in session.public(places.listing, city_code)}
    place_id = st.selectbox(
        t("field.place"),
        [None, *known],
        format_func=lambda one: place_name(known[one]) if one else t("find.at_home"),
        key=f"{_KEY}_place_{city_code}",
    )
    if place_id:
        place = known[place_id]
        return place.district_code, place_id, places.cell_at(place.lng, place.lat)
    remembered = near or (visitor.district_code if visitor else None)
    district_code = district_choice(city_code, _KEY, chosen=remembered)
    return district_code, None, places.cell_of_district(district_code)


def _days() -> list[date]:
    """The days of the coming weeks, today first."""
    return [clock.today() + timedelta(days=ahead) for ahead in range(_DAYS_AHEAD)]


def _when() -> datetime | None:
    """A day and an hour, or whenever somebody is free."""
    day = st.selectbox(
        t("find.day"),
        [None, *_days()],
        format_func=lambda one: formats.day_in_short(one) if one else t("find.any_time"),
        key=f"{_KEY}_day",
    )
    if day is None:
        return None
    at = st.time_input(t("field.start"), time(9), step=1800, key=f"{_KEY}_start")
    return datetime.combine(day, at, clock.CITY_TIME)


def results(
    wanted: Wanted,
    items: dict[int, ItemView],
    *,
    then: Callable[[dict[str, str]], None] | None = None,
    customer_id: int | None = None,
) -> None:
    """Those who can come, best first, and why others cannot; and what to do when nobody can.

    `then` takes what is known of the booking; without it the booking page opens.
    """
    limit = layout.shown_so_far(_KEY, _SHOWN_AT_ONCE)
    finding = session.fetch(search.find, wanted, limit, why=False)
    _note(wanted, customer_id)
    if not finding.count:
        layout.empty("find_caregivers", icon=":material/person_search:")
        _reasons(wanted)
        navigation.button("post_demand", t("find.post_instead"), icon=":material/campaign:")
        return
    with layout.row():
        st.caption(
            t("find.free_then" if wanted.starts_at else "find.near", count=finding.count),
            width="content",
        )
        _others(wanted, finding.hindered)
    book = then or _open_booking
    faces = session.fetch(photos.of, [one.id for one in finding.shown])
    with st.grid(2, min_column_width=320):
        for one in finding.shown:
            chosen = _card(one, items[wanted.item_id], faces.get(one.id), wanted, book)
            if chosen:
                book(booking_query(one.id, wanted))
    layout.more_button(range(finding.count), _KEY, _SHOWN_AT_ONCE)


def _note(wanted: Wanted, customer_id: int | None) -> None:
    """Once for each thing looked for; what the page shows by itself was looked for by nobody."""
    looked_for = replace(wanted, sort=Sort.FIT), customer_id
    before = st.session_state.get(_NOTED)
    st.session_state[_NOTED] = looked_for
    if looked_for != before and (before or wanted.starts_at):
        session.disclose(unmet_needs.note_search, wanted, customer_id=customer_id)


def _others(wanted: Wanted, count: int) -> None:
    """How many cannot come, and behind it why, and what would help."""
    if not count:
        return
    with st.popover(
        t("find.others", count=count),
        icon=":material/help:",
        type="tertiary",
        key=f"{_KEY}_others",
        on_change="rerun",
    ) as opened:
        if opened.open:
            _reasons(wanted)


def _reasons(wanted: Wanted) -> None:
    """7 too far, 3 lack a certificate, 2 busy; and what to change."""
    others = session.fetch(search.find, wanted, _SHOWN_AT_ONCE).others
    if not others:
        return
    st.markdown(
        formats.listed(
            t("find.hindered", count=count, what=t(f"obstacle.{what}"))
            for what, count in others.items()
        )
    )
    help_with = dict.fromkeys(_ADVICE[what] for what in others if what in _ADVICE)
    st.caption("  \n".join(t(f"advice.{key}") for key in help_with))


def _open_booking(query: dict[str, str]) -> None:
    navigation.go("book", **query)


def _card(
    one: Found,
    item: ItemView,
    image: bytes | None,
    wanted: Wanted,
    book: Callable[[dict[str, str]], None],
) -> bool:
    """A caregiver as a card; whether she is the one to book."""
    with st.container(border=True, height="stretch", gap="small", key=f"found_{one.id}"):
        with st.container(horizontal=True, wrap=False, gap="small", key=f"face_{one.id}"):
            portraits.face(one.name, image)
            st.markdown("  \n".join(_facts(one, item)))
        with layout.row():
            chosen = st.button(
                t("find.book"), type="primary", icon=":material/event:", key=f"book_{one.id}"
            )
            if st.button(t("find.profile"), type="tertiary", key=f"profile_{one.id}"):
                profile_dialog(one.id, one.name, lambda: _next_starts(one.id, wanted, book))
    return chosen


def _facts(one: Found, item: ItemView) -> list[str]:
    """Name and price, what families say, how near, and when she is free."""
    years = clock.today().year - one.worked_since
    about = t("find.about", sex=t(f"sex.{one.sex}"), age=one.age, years=years)
    level = f":gray-badge[{icons.LEVEL[one.level]} {level_name(one.level)}]"
    score = f":gray[{t('caregiver.no_score')}]"
    if one.score.overall is not None:
        score = f"{stars(one.score.overall)} **{one.score.overall:.1f}**"
        score += f" :gray[:small[({one.score.reviews})]]"
    lines = [
        f"**{formats.plain(one.name)}** {level} :gray[:small[{about}]]",
        f"{score} :gray[:small[· {t('find.done', count=one.visits_done)}]]",
        f":primary[**{formats.unit_price(one.price_fen, item.unit)}**]"
        f" :gray-badge[:material/distance: {band_name(one.distance)}]",
    ]
    free = formats.soon(one.next_start_at)
    lines.append(f":green[:material/event_available:] :small[{t('find.free', at=free)}]")
    if one.skills:
        known = ("、" if chinese() else ", ").join(t(f"skill.{skill}") for skill in one.skills[:3])
        lines.append(f":gray[:small[{known}]]")
    return lines


def _next_starts(caregiver_id: int, wanted: Wanted, book: Callable[[dict[str, str]], None]) -> None:
    """When she can come for this next; each opens the booking with it."""
    starts = session.fetch(
        bookable.next_starts, caregiver_id, wanted.item_id, wanted.units, wanted.cell
    )
    st.markdown(f"**{t('find.next_starts')}**")
    if not starts:
        st.caption(t("find.no_next_start"))
    with layout.row():
        for number, start in enumerate(starts):
            if st.button(
                formats.moment(start), icon=":material/event:", key=f"next_start_{number}"
            ):
                book(booking_query(caregiver_id, replace(wanted, starts_at=start)))


def booking_query(caregiver_id: int, wanted: Wanted) -> dict[str, str]:
    """What the booking page must know; nothing that names a person."""
    query = {
        "caregiver": str(caregiver_id),
        "item": str(wanted.item_id),
        "units": str(wanted.units),
        "district": wanted.district_code,
    }
    if wanted.place_id:
        query["place"] = str(wanted.place_id)
    if wanted.starts_at is not None:
        query["start"] = f"{clock.in_city(wanted.starts_at):%Y-%m-%dT%H:%M}"
    return query

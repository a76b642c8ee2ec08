"""What somebody looks at: a place, a period, a kind of care; kept in the page's address.

Whatever an address names that is not to be chosen is passed over; what is as it would be anyway is
not named in it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from functools import partial
from typing import TypeVar

import pandas as pd
import streamlit as st

from components import formats, layout, session
from components.figures import choices, extracts, saved_views
from components.i18n import t
from services import clock, regions
from services.analytics import figures
from services.analytics.figures import Frame, Standing
from services.analytics.terms import month_of, week_of, weeks_of_month
from services.catalogue import ItemGroup
from services.extracts import Scope
from services.regions import RegionLevel

EVERYWHERE, EVERY_CARE = "all", "all"
# Who comes by is not told by kind of care; people are told by district in live figures only.
_WITHOUT_CARE = {Frame.FAMILIES, Frame.CAREGIVERS, Frame.FUNNEL}
Made = TypeVar("Made")


class Period(StrEnum):
    """Months of whole weeks, back from the newest figures on."""

    MONTH_1 = "month_1"
    MONTHS_3 = "months_3"
    MONTHS_6 = "months_6"
    MONTHS_12 = "months_12"


_MONTHS = {
    Period.MONTH_1: 1,
    Period.MONTHS_3: 3,
    Period.MONTHS_6: 6,
    Period.MONTHS_12: 12,
}


@dataclass(frozen=True, slots=True)
class Window:
    """Whole weeks: the first Monday and the last Sunday."""

    first: date
    last: date

    @property
    def weeks(self) -> int:
        return ((self.last - self.first).days + 1) // 7

    @property
    def before(self) -> "Window":
        """As many weeks right before it."""
        back = timedelta(weeks=self.weeks)
        return Window(self.first - back, self.last - back)


@dataclass(frozen=True, slots=True)
class View:
    """What is looked at; the place is EVERYWHERE or a code of a province, a city or a district."""

    standing: Standing
    cities: frozenset[str]
    place: str
    period: Period
    window: Window
    group: ItemGroup | None

    @property
    def city(self) -> str | None:
        """The city looked at, or None for several."""
        return _at(self.place, RegionLevel.CITY)

    @property
    def district(self) -> str | None:
        """The district looked at, or None for several."""
        return _at(self.place, RegionLevel.DISTRICT)

    @property
    def closed_until(self) -> date:
        """The last day that is over."""
        newest = self.standing.last_day or self.window.first
        return newest if self.standing.published else newest - timedelta(days=1)

    @property
    def weeks(self) -> list[date]:
        """The Mondays of the weeks that are over."""
        mondays = (self.window.first + timedelta(weeks=one) for one in range(self.window.weeks))
        return [monday for monday in mondays if monday + timedelta(days=6) <= self.closed_until]

    @property
    def inside(self) -> frozenset[str]:
        """The cities that lie in the place, or that it lies in."""
        if self.city:
            return frozenset({self.city})
        province = _at(self.place, RegionLevel.PROVINCE)
        return frozenset(
            city for city in self.cities if province in (None, _at(city, RegionLevel.PROVINCE))
        )

    @property
    def below(self) -> RegionLevel:
        """The level of the places that the place is made of; a district is seen in its city."""
        if self.city:
            return RegionLevel.DISTRICT
        several = len({_at(city, RegionLevel.PROVINCE) for city in self.inside}) > 1
        return RegionLevel.PROVINCE if several else RegionLevel.CITY


def choose(
    page: str,
    of: Frame = Frame.NEEDS,
    *,
    by_period: bool = True,
    tables: Callable[["View"], dict[str, pd.DataFrame]] | None = None,
) -> View:
    """The head of a page of figures and its choices, as far as what it is `of` is told by them.

    Without any figures the page ends here. `tables` are what its export tells, else the cells it
    is made of.
    """
    standing = session.fetch(figures.standing)
    layout.page_head(page, subtitle=_as_of(standing))
    cities = session.actor().cities
    if standing.last_day is None or not cities:
        layout.empty("figures", icon=":material/insights:")
        st.stop()
    by_care = of not in _WITHOUT_CARE
    by_district = by_care or (of is not Frame.FUNNEL and not standing.published)
    if not by_district:
        _leave_district()
    care = EVERY_CARE
    with layout.row():
        places = _places(cities, by_district=by_district)
        place = choices.kept(
            "place", places, _first_place(cities), _place_box, label=t("figures.place")
        )
        period = Period.MONTHS_3
        if by_period:
            period = choices.kept(
                "period", list(Period), period, partial(choices.segments, _period)
            )
        if by_care:
            every = [EVERY_CARE, *ItemGroup]
            care = choices.kept("care", every, EVERY_CARE, partial(choices.segments, _care))
        view = View(
            standing,
            cities,
            place,
            Period(period),
            _window(Period(period), standing.last_day),
            None if care == EVERY_CARE else ItemGroup(care),
        )
        saved_views.popover(page)
        _export(page, view, tables)
    return view


def _export(
    page: str, view: View, tables: Callable[[View], dict[str, pd.DataFrame]] | None
) -> None:
    last = min(view.window.last, view.standing.last_day or view.window.last)
    head = {
        "place": place_name(view.place),
        "first": view.window.first,
        "last": last,
        "as_of": last if view.standing.published else _as_of_moment(view.standing),
        "smallest": view.standing.smallest_cell,
    }
    scope = Scope(
        view.place, f"{view.window.first}", f"{last}", view.group or EVERY_CARE, 0,
        view.standing.published,
    )  # fmt: skip

    def told() -> dict[str, pd.DataFrame]:
        if tables is not None:
            return tables(view)
        return {one: extracts.cells(one, frame(view, one)) for one in extracts.FRAMES[page]}

    extracts.popover(page, head, scope, told)


def _leave_district() -> None:
    """Look at the city of the district that was chosen where districts are told."""
    place = st.query_params.get("place") or st.session_state.get(choices.key("place"))
    if place and (city := _at(place, RegionLevel.CITY)) and city != place:
        st.query_params.pop("place", None)
        st.session_state[choices.key("place")] = city


def frame(view: View, wanted: Frame, window: Window | None = None) -> pd.DataFrame:
    """The cells of a kind in the view's place, period and care; of another period if one is given.

    Cells that are not of one place or one kind of care are left out where one was chosen.
    """
    looked_at = window or view.window
    known = (*_whose(view), wanted, view.inside, looked_at.first, looked_at.last)
    cells = _kept(
        known,
        lambda: session.fetch(figures.read, wanted, view.inside, looked_at.first, looked_at.last),
    )
    if view.district and "district" in cells:
        cells = cells[cells["district"] == view.district]
    if view.group and "item_group" in cells:
        cells = cells[cells["item_group"] == view.group]
    return cells


def _whose(view: View) -> tuple[object, ...]:
    """What is kept is shared by all: whose it may be, and which figures they are."""
    actor = session.actor()
    return actor.cities, actor.role, view.standing.version, view.standing.last_day


# Streamlit takes as long over each argument as over a tuple of them all.
@st.cache_data(max_entries=400, show_spinner=False)
def _kept(known: tuple[object, ...], _read: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    return _read()


def made(view: View, what: str, make: Callable[[], Made]) -> Made:
    """What a page makes of a view's figures, kept under its name while they are the same."""
    window = view.window
    return _made((*_whose(view), view.place, window.first, window.last, view.group, what), make)


@st.cache_data(max_entries=400, show_spinner=False)
def _made(known: tuple[object, ...], _make: Callable[[], Made]) -> Made:
    return _make()


def elsewhere(view: View, place: str) -> View:
    """The same view of another place."""
    return replace(view, place=place)


def picker_key(picker: str, view: View) -> str:
    """The key of a map or table that picks places.

    One of another city or period is another widget, as is one whose pick is not the place looked
    at any more: nothing is picked in it.
    """
    around, cleared = view.city or view.place, choices.cleared(picker.partition("_")[0])
    return f"figures_{picker}_{around}_{view.window.first}_{view.group}_{cleared}"


def _period(one: str) -> str:
    return t(f"period.{one}")


def _care(one: str) -> str:
    return t(f"care.{one}")


def _place_box(options: Sequence[str], key: str, label: str) -> str | None:
    return st.selectbox(
        label,
        options,
        format_func=_indented,
        key=key,
        on_change=choices.clear_pickers,
        label_visibility="collapsed",
        width=220,
        persist_state="session",
    )


def districts(city: str) -> list[str]:
    """The codes of a city's districts."""
    return [one.code for one in regions.districts_of(city)]


def place_name(code: str) -> str:
    """A place in words."""
    return t("figures.everywhere") if code == EVERYWHERE else formats.district(code)


def _indented(code: str) -> str:
    depth = max(len(regions.path(code)) - 2, 0)
    return "\u3000" * depth + place_name(code)


def _places(cities: frozenset[str], *, by_district: bool) -> list[str]:
    """Everywhere and the provinces if there are several, each city with its districts."""
    provinces = sorted({_at(city, RegionLevel.PROVINCE) or "" for city in cities})
    options = [EVERYWHERE] if len(cities) > 1 else []
    for province in provinces:
        options += [province] if len(provinces) > 1 else []
        for city in sorted(one for one in cities if _at(one, RegionLevel.PROVINCE) == province):
            options.append(city)
            if by_district:
                options += [district.code for district in regions.districts_of(city)]
    return options


def _first_place(cities: frozenset[str]) -> str:
    return EVERYWHERE if len(cities) > 1 else next(iter(cities))


def _at(code: str, level: RegionLevel) -> str | None:
    """The region of a level that a code names or lies in."""
    return next((one.code for one in regions.path(code) if one.level is level), None)


def _window(period: Period, last_day: date) -> Window:
    """From the first week of the month so many months back to the newest week."""
    month = month_of(last_day)
    for _ in range(_MONTHS[period] - 1):
        month = (month - timedelta(days=1)).replace(day=1)
    return Window(weeks_of_month(month)[0], week_of(last_day) + timedelta(days=6))


def _as_of_moment(standing: Standing) -> str:
    """As files tell it: whoever opens one later does not know what today was."""
    return f"{clock.in_city(standing.as_of):%Y-%m-%d %H:%M}" if standing.as_of else ""


def _as_of(standing: Standing) -> str:
    if standing.last_day is None or standing.as_of is None:
        return t("figures.not_yet")
    if standing.published:
        return t("figures.published", on=standing.last_day)
    return t("figures.live", at=formats.moment(standing.as_of))


def small_print(view: View) -> None:
    """How the figures came to be, and what is not told."""
    if view.standing.published:
        said = t("figures.privacy", smallest=view.standing.smallest_cell)
        st.caption(f":material/shield_person: {said}")
    else:
        st.caption(f":material/bolt: {t('figures.live_print')}")

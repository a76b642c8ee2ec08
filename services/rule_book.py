"""The rule book's parameters: of what kind each is, what it may be, and what it is unless set."""

from collections.abc import Collection, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

from data.caregivers import CaregiverLevel
from data.cities import City
from data.complaints import ComplaintCategory
from data.compliance import FindingKind
from services import pricing
from services.board.leaving_limits import Limits
from services.catalogue import ItemView
from services.complaint_limits import LONGEST_APPEAL, MOST_HOURS, ComplaintRules
from services.dispatch.weights import MOST, Weights
from services.errors import Invalid
from services.pricing import Rules

Values = Mapping[str, Any]
MOST_STEPS = 3


class Section(StrEnum):
    """What belongs together, in the order in which it is read out."""

    PRICES = "prices"
    SURCHARGES = "surcharges"
    FEES = "fees"
    COMMISSION = "commission"
    PAY = "pay"
    BOOKING = "booking"
    WORK = "work"
    DISPATCH = "dispatch"
    LEAVING = "leaving"
    COMPLAINTS = "complaints"
    POINTS = "points"
    COMPLIANCE = "compliance"
    PRIVACY = "privacy"


class Kind(StrEnum):
    """A share is in basis points, money in fen, a minute that of a day, stars in tenths.

    Steps are pairs of a bound and a share; by item means a share for each of some items; bounds
    are what each level may ask for an item, at the least and at the most.
    """

    SHARE = "share"
    NUMBER = "number"
    MONEY = "money"
    MINUTE = "minute"
    STARS = "stars"
    SWITCH = "switch"
    STEPS = "steps"
    BY_ITEM = "by_item"
    BOUNDS = "bounds"


@dataclass(frozen=True, slots=True)
class Parameter:
    """Where it belongs and its kind; the fewest and most of its number, or of a step's bound.

    The unit says what a number counts.
    """

    section: Section
    kind: Kind
    fewest: int
    most: int
    usual: Any
    unit: str = ""


# Shares are set, shown and refused in per cent, money in yuan, stars in whole ones.
_SHOWN_IN = dict.fromkeys((Kind.SHARE, Kind.MONEY, Kind.BY_ITEM), 100) | {Kind.STARS: 10}
_STEPS = "monthly_steps", "customer_fees", "caregiver_fees"
# Steps are pairs in a tariff, and lists where they are stored.
_USUAL = {
    name: [list(step) for step in value] if name in _STEPS else value
    for name, value in asdict(Rules()).items()
}
_MINUTES = 24 * 60 - 1
# Parameters that a city's own columns say too, for whoever asks what holds now.
_OF_CITY = {
    "commission_bp": (Section.COMMISSION, Kind.SHARE, 0, 5000, ""),
    "release_days": (Section.PAY, Kind.NUMBER, 0, 60, "days"),
    "auto_confirm_days": (Section.PAY, Kind.NUMBER, 1, 60, "days"),
    "hold_hours": (Section.BOOKING, Kind.NUMBER, 1, 72, "hours"),
    "decline_hours": (Section.BOOKING, Kind.NUMBER, 0, 72, "hours"),
    "notice_hours": (Section.BOOKING, Kind.NUMBER, 0, 168, "hours"),
    "horizon_days": (Section.BOOKING, Kind.NUMBER, 1, 365, "days"),
    "plan_ahead_days": (Section.BOOKING, Kind.NUMBER, 1, 180, "days"),
    "reoffer_hours": (Section.BOOKING, Kind.NUMBER, 1, 168, "hours"),
    "rest_hours": (Section.WORK, Kind.NUMBER, 0, 24, "hours"),
    "week_hours": (Section.WORK, Kind.NUMBER, 1, 168, "hours"),
    "travel_kmh": (Section.WORK, Kind.NUMBER, 3, 120, "kmh"),
    "smallest_cell": (Section.PRIVACY, Kind.NUMBER, 5, 100, "families"),
}
_OF_TARIFF = {
    "night_bp": (Section.SURCHARGES, Kind.SHARE, 0, 20_000, ""),
    "night_from_minute": (Section.SURCHARGES, Kind.MINUTE, 0, _MINUTES, ""),
    "night_until_minute": (Section.SURCHARGES, Kind.MINUTE, 0, _MINUTES, ""),
    "weekend_bp": (Section.SURCHARGES, Kind.SHARE, 0, 20_000, ""),
    "holiday_bp": (Section.SURCHARGES, Kind.SHARE, 0, 30_000, ""),
    "urgent_bp": (Section.SURCHARGES, Kind.SHARE, 0, 20_000, ""),
    "urgent_hours": (Section.SURCHARGES, Kind.NUMBER, 0, 72, "hours"),
    "rounding_fen": (Section.SURCHARGES, Kind.MONEY, 1, 10_000, ""),
    "monthly_steps": (Section.SURCHARGES, Kind.STEPS, 2, 62, ""),
    "customer_fees": (Section.FEES, Kind.STEPS, 1, 720, ""),
    "caregiver_fees": (Section.FEES, Kind.STEPS, 1, 720, ""),
    "no_show_bp": (Section.FEES, Kind.SHARE, 0, 10_000, ""),
    "caregiver_no_show_bp": (Section.FEES, Kind.SHARE, 0, 10_000, ""),
}
_COMPLAINTS = ComplaintRules()
# How many hours a complaint of each category may take, of those in which the desk works.
COMPLAINT_HOURS = {category: f"complaint_hours_{category}" for category in ComplaintCategory}
# How many points the rules suggest for a finding; a complaint that waits is nobody's fault alone.
FINDING_POINTS = {
    kind: f"{kind}_points" for kind in FindingKind if kind is not FindingKind.IDLE_COMPLAINT
}
_OF_COMPLAINTS = {
    **{
        name: (Section.COMPLAINTS, 1, MOST_HOURS, _COMPLAINTS.hours[category], "working_hours")
        for category, name in COMPLAINT_HOURS.items()
    },
    "due_soon_hours": (
        Section.COMPLAINTS, 0, MOST_HOURS - 1, _COMPLAINTS.due_soon_hours, "working_hours",
    ),
    "appeal_days": (
        Section.COMPLAINTS, 1, LONGEST_APPEAL.days, _COMPLAINTS.appeal_days, "days",
    ),
    "appeal_hours": (Section.COMPLAINTS, 1, MOST_HOURS, _COMPLAINTS.appeal_hours, "working_hours"),
    "most_points": (Section.POINTS, 1, 100, _COMPLAINTS.most_points, "points"),
    "limit_points": (Section.POINTS, 1, 1000, _COMPLAINTS.limit_points, "points"),
    "points_months": (Section.POINTS, 1, 60, _COMPLAINTS.points_months, "months"),
    **{
        name: (Section.POINTS, 0, 100, 3 if kind is FindingKind.CONTACTS else 2, "points")
        for kind, name in FINDING_POINTS.items()
    },
    "late_cancellations": (Section.COMPLIANCE, 1, 30, 3, "times"),
    "pair_reviews": (Section.COMPLIANCE, 2, 50, 5, "times"),
    "far_km": (Section.COMPLIANCE, 1, 50, 3, "km"),
    "idle_days": (Section.COMPLIANCE, 1, 60, 2, "days"),
}  # fmt: skip
# What counts in dispatch, as minutes of a caregiver's time.
WEIGHTS = {f"weight_{one.name}": one.name for one in fields(Weights)}
_OF_DISPATCH = {
    **{
        name: (Section.DISPATCH, 0, MOST, round(getattr(Weights(), weight)), "minutes")
        for name, weight in WEIGHTS.items()
    },
    "dispatch_window_days": (Section.DISPATCH, 7, 182, 28, "days"),
    "wave_size": (Section.DISPATCH, 1, 50, 5, "people"),
    "wave_minutes": (Section.DISPATCH, 1, 240, 15, "minutes"),
}
# From which figure on a sign tells that a caregiver may be about to leave.
LIMITS = {f"sign_{one.name}": one.name for one in fields(Limits)}
_OF_LEAVING = {
    "sign_lately_weeks": (Kind.NUMBER, 2, 12, "weeks"),
    "sign_before_weeks": (Kind.NUMBER, 4, 26, "weeks"),
    "sign_there_bp": (Kind.SHARE, 1000, 10_000, ""),
    "sign_fallen_bp": (Kind.SHARE, 0, 9000, ""),
    "sign_hours_before": (Kind.NUMBER, 1, 60, "hours"),
    "sign_pay_bp": (Kind.SHARE, 0, 9000, ""),
    "sign_unwilling": (Kind.NUMBER, 1, 50, "times"),
    "sign_unwilling_bp": (Kind.SHARE, 100, 10_000, ""),
    "sign_stars_tenths": (Kind.STARS, 1, 30, "stars"),
    "sign_review_weeks": (Kind.NUMBER, 2, 26, "weeks"),
    "sign_reviews": (Kind.NUMBER, 1, 50, "reviews"),
    "sign_idle_days": (Kind.NUMBER, 7, 120, "days"),
    "sign_open_hours": (Kind.NUMBER, 1, 300, "hours"),
    "sign_ways": (Kind.NUMBER, 1, 50, "times"),
    "sign_way_minutes": (Kind.NUMBER, 10, 240, "minutes"),
}
CITY_COLUMNS = tuple(_OF_CITY)
PARAMETERS: dict[str, Parameter] = {
    "prices": Parameter(Section.PRICES, Kind.BOUNDS, 0, 0, {}),
    **{
        name: Parameter(section, kind, fewest, most, _USUAL[name], unit)
        for name, (section, kind, fewest, most, unit) in _OF_TARIFF.items()
    },
    "withholds_tax": Parameter(Section.PAY, Kind.SWITCH, 0, 1, usual=True),
    "commissions": Parameter(Section.COMMISSION, Kind.BY_ITEM, 0, 5000, {}),
    **{
        name: Parameter(section, kind, fewest, most, City.__table__.c[name].default.arg, unit)
        for name, (section, kind, fewest, most, unit) in _OF_CITY.items()
    },
    **{
        name: Parameter(section, Kind.NUMBER, fewest, most, value, unit)
        for name, (section, fewest, most, value, unit) in (_OF_DISPATCH | _OF_COMPLAINTS).items()
    },
    **{
        name: Parameter(Section.LEAVING, kind, fewest, most, getattr(Limits(), LIMITS[name]), unit)
        for name, (kind, fewest, most, unit) in _OF_LEAVING.items()
    },
}


def usual() -> dict[str, Any]:
    """The rules of a city that never set any."""
    return deepcopy({name: one.usual for name, one in PARAMETERS.items()})


def complete(values: Values) -> dict[str, Any]:
    """A version's values; what there was not yet when it was written is as usual."""
    return usual() | dict(values)


def tariff(values: Values) -> Rules:
    """What prices and fees hang on."""
    said = complete(values)
    numbers: dict[str, Any] = {name: said[name] for name in _OF_TARIFF}
    for name in _STEPS:
        numbers[name] = tuple((bound, share) for bound, share in said[name])
    return Rules(**numbers)


def complaints(values: Values) -> ComplaintRules:
    """What complaints and points hang on."""
    said = complete(values)
    return ComplaintRules(
        hours={category: said[name] for category, name in COMPLAINT_HOURS.items()},
        appeal_hours=said["appeal_hours"],
        due_soon_hours=said["due_soon_hours"],
        appeal_days=said["appeal_days"],
        most_points=said["most_points"],
        limit_points=said["limit_points"],
        points_months=said["points_months"],
    )


def weights(values: Values) -> Weights:
    """What each term of dispatch weighs."""
    said = complete(values)
    return Weights(**{weight: said[name] for name, weight in WEIGHTS.items()})


def leaving(values: Values) -> Limits:
    """From which figure on each sign of leaving is told."""
    said = complete(values)
    return Limits(**{limit: said[name] for name, limit in LIMITS.items()})


def commission_bp(values: Values, item_id: int) -> int:
    """The platform's share of an item's price, in basis points."""
    return values["commissions"].get(str(item_id), values["commission_bp"])


def bounds(values: Values) -> dict[tuple[int, CaregiverLevel], tuple[int, int]]:
    """Between what a level may ask for an item, in fen, where the city has set it."""
    return {
        (int(item_id), CaregiverLevel(level)): (lowest, highest)
        for item_id, levels in values["prices"].items()
        for level, (lowest, highest) in levels.items()
    }


def changes(before: Values, after: Values) -> dict[str, tuple[Any, Any]]:
    """By parameter what it was and what it is, of those that differ, in order."""
    old, new = complete(before), complete(after)
    return {name: (old[name], new[name]) for name in PARAMETERS if old[name] != new[name]}


def checked(values: Values, items: Collection[ItemView]) -> dict[str, Any]:
    """The values with their steps in order, or a refusal that names the parameter."""
    said = complete(values)
    found = {name: _checked(name, one, said[name], items) for name, one in PARAMETERS.items()}
    shortest = min(found[name] for name in (*COMPLAINT_HOURS.values(), "appeal_hours"))
    if found["due_soon_hours"] >= shortest:
        raise Invalid("error.due_soon_too_long", most=shortest - 1)
    return found


def _checked(name: str, one: Parameter, value: object, items: Collection[ItemView]) -> Any:  # noqa: ANN401
    known = {str(item.id): item for item in items}
    match one.kind, value:
        case Kind.STEPS, list() | tuple():
            return _in_order(name, one, value)
        case Kind.BY_ITEM, dict():
            if not set(value) <= set(known):
                raise Invalid("error.item_not_found")
            for share in value.values():
                _in_range(name, one, share)
            return {item_id: value[item_id] for item_id in sorted(value, key=int)}
        case Kind.BOUNDS, dict():
            return _bounds(value, known)
        case Kind.SWITCH, bool():
            return value
        case _:
            _in_range(name, one, None if one.kind is Kind.SWITCH else value)
            return value


def _in_range(name: str, one: Parameter, value: object) -> None:
    if isinstance(value, int) and not isinstance(value, bool) and one.fewest <= value <= one.most:
        return
    step = _SHOWN_IN.get(one.kind, 1)
    raise Invalid(
        "error.number_out_of_range",
        field=name,
        fewest=f"{one.fewest / step:g}",
        most=f"{one.most / step:g}",
    )


def _in_order(name: str, one: Parameter, steps: Collection[Any]) -> list[list[int]]:
    """Steps sorted as a tariff has them; a step further away never costs more, nor saves more."""
    found = [(bound, share) for bound, share in steps]
    bounds = [bound for bound, _ in found]
    if len(found) > MOST_STEPS or len(set(bounds)) < len(bounds):
        raise Invalid("error.steps_doubled", field=name)
    if any(not one.fewest <= bound <= one.most for bound in bounds):
        raise Invalid("error.number_out_of_range", field=name, fewest=one.fewest, most=one.most)
    if any(not 0 <= share <= pricing.BASIS_POINTS for _, share in found):
        raise Invalid("error.share_out_of_range", field=name)
    ordered = sorted(found, reverse=name == "monthly_steps")
    shares = [share for _, share in ordered]
    if shares != sorted(shares, reverse=True):
        raise Invalid("error.steps_out_of_order", field=name)
    return [list(step) for step in ordered]


def _bounds(
    value: Mapping[str, Any], items: Mapping[str, ItemView]
) -> dict[str, dict[str, list[int]]]:
    for item_id, levels in value.items():
        if item_id not in items or not set(levels) <= set(CaregiverLevel):
            raise Invalid("error.item_not_found")
        item = items[item_id]
        for lowest, highest in levels.values():
            if lowest > highest:
                raise Invalid("error.price_upside_down")
            if not item.lowest_fen <= lowest <= highest <= item.highest_fen:
                raise Invalid(
                    "error.price_out_of_range",
                    lowest_fen=item.lowest_fen,
                    highest_fen=item.highest_fen,
                )
    return {item_id: dict(levels) for item_id, levels in value.items() if levels}

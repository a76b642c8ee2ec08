"""Where things are, only as exactly as it may be shown: H3 cells and distance bands."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import h3
from sqlalchemy import Select, bindparam, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from data.cities import Place, PlaceKind
from services import audit, clock, regions
from services.access import Actor, Permission
from services.errors import Conflict, Invalid, NotFound
from services.regions import Datum
from services.wording import words

__all__ = ["Datum", "DistanceBand", "PlaceForm", "PlaceKind", "PlaceView"]

# A cell of resolution 7 is about 5 km2: it names a neighbourhood, never a home.
CELL_RESOLUTION = 7
# A home's estate would give the family away; a hospital or care home does not.
OPEN_KINDS = frozenset({PlaceKind.HOSPITAL, PlaceKind.CARE_HOME})
# Where a district's boundary is not kept, nothing of it lies further from its middle than this.
FURTHEST_KM = 400


class DistanceBand(StrEnum):
    NEAR = "near"
    CLOSE = "close"
    FAR = "far"
    VERY_FAR = "very_far"


BAND_LIMITS_KM = ((3, DistanceBand.NEAR), (8, DistanceBand.CLOSE), (15, DistanceBand.FAR))


@dataclass(frozen=True, slots=True)
class PlaceView:
    id: int
    kind: PlaceKind
    district_code: str
    name_zh: str
    name_en: str
    lng: float
    lat: float
    city_code: str
    retired: bool


@dataclass(frozen=True, slots=True)
class PlaceForm:
    """A place as an operator enters it: a point in degrees with its datum, or a tapped cell."""

    city_code: str
    district_code: str
    kind: PlaceKind
    name_zh: str
    name_en: str
    lng: float | None = None
    lat: float | None = None
    datum: Datum = Datum.WGS84
    cell: str | None = None


def cell_at(lng: float, lat: float) -> str:
    """The neighbourhood cell of a WGS84 point in degrees."""
    return h3.latlng_to_cell(lat, lng, CELL_RESOLUTION)


def is_cell(cell: str) -> bool:
    """Whether this names a neighbourhood, and nothing finer."""
    return h3.is_valid_cell(cell) and h3.get_resolution(cell) == CELL_RESOLUTION


def cell_of_district(district_code: str) -> str:
    """The cell in the middle of a district, for those who tell no more."""
    district = regions.region(district_code)
    return cell_at(district.lng or 0.0, district.lat or 0.0)


@cache
def cells_of_district(district_code: str) -> frozenset[str]:
    """The cells that cover a district, or only its middle where no boundary is known."""
    boundary = regions.boundary(district_code)
    if boundary is None:
        return frozenset({cell_of_district(district_code)})
    shape = h3.geo_to_h3shape(boundary)
    return frozenset(
        h3.h3shape_to_cells_experimental(shape, CELL_RESOLUTION, contain="overlap")
    ) | {cell_of_district(district_code)}


def middle(cell: str) -> tuple[float, float]:
    """Longitude and latitude of a cell's middle, in degrees."""
    lat, lng = h3.cell_to_latlng(cell)
    return lng, lat


def distance_km(cell: str, other: str) -> float:
    """Great-circle kilometres between the middles of two cells."""
    return h3.great_circle_distance(h3.cell_to_latlng(cell), h3.cell_to_latlng(other), unit="km")


def band(distance: float) -> DistanceBand:
    """The band a distance in kilometres falls into; bands are all that is ever shown."""
    return next((name for limit, name in BAND_LIMITS_KM if distance < limit), DistanceBand.VERY_FAR)


def near(here: str | None, there: str | None) -> DistanceBand | None:
    """How far apart two neighbourhoods are, if both are told."""
    return band(distance_km(here, there)) if here and there else None


def listing(session: Session, city_code: str, *, retired: bool = False) -> list[PlaceView]:
    """A city's known places, hospitals first; they are public. Retired ones only if wanted."""
    known = session.scalars(_EVERY if retired else _OFFERED, {"city": city_code})
    return [_view(place) for place in known]


_IN_ORDER = (Place.kind.desc(), Place.name_zh)
_EVERY = select(Place).where(Place.city_code == bindparam("city")).order_by(*_IN_ORDER)
_OFFERED = _EVERY.where(Place.retired_at.is_(None))


def kept(session: Session, actor: Actor, city_code: str) -> list[PlaceView]:
    """All places of one of the actor's cities, the retired ones too."""
    actor.require(Permission.KEEP_PLACES)
    known = _visible_to(actor).where(Place.city_code == city_code).order_by(*_IN_ORDER)
    return [_view(place) for place in session.scalars(known)]


def save(session: Session, actor: Actor, form: PlaceForm, place_id: int | None = None) -> int:
    """Add a place to one of the actor's cities, or change one; return its id.

    Demands keep the neighbourhood they were posted with.
    """
    actor.require(Permission.KEEP_PLACES)
    if form.city_code not in actor.cities:
        raise NotFound("error.city_not_found")
    name_zh, name_en = words(form.name_zh, "name_zh", 60), words(form.name_en, "name_en", 80)
    if not regions.district_of_city(form.district_code, form.city_code):
        raise Invalid("error.district_of_another_city")
    lng, lat = _point(form)
    same = select(Place.id).where(
        Place.city_code == form.city_code,
        or_(Place.name_zh == name_zh, Place.name_en == name_en),
        Place.id != (place_id or 0),
    )
    if session.scalar(same.limit(1)) is not None:
        raise Conflict("error.place_exists")
    if place_id is None:
        place = Place(created_at=clock.now(), city_code=form.city_code)
    else:
        place = _reach(session, actor, place_id)
        if place.city_code != form.city_code:
            raise NotFound("error.place_not_found")
    place.district_code, place.kind = form.district_code, form.kind
    place.name_zh, place.name_en = name_zh, name_en
    place.lng, place.lat, place.cell = lng, lat, form.cell or cell_at(lng, lat)
    try:
        with session.begin_nested():
            session.add(place)
    except IntegrityError:
        raise Conflict("error.place_exists") from None
    done = "add_place" if place_id is None else "change_place"
    audit.record(session, actor, done, "place", place.id, city=place.city_code)
    return place.id


def retire(session: Session, actor: Actor, place_id: int) -> None:
    """Offer a place no more; it stays on the demands that name it."""
    actor.require(Permission.KEEP_PLACES)
    place = _reach(session, actor, place_id)
    if place.retired_at is not None:
        raise Conflict("error.changed_meanwhile")
    place.retired_at = clock.now()
    audit.record(session, actor, "retire_place", "place", place.id, city=place.city_code)


def restore(session: Session, actor: Actor, place_id: int) -> None:
    """Offer a retired place again."""
    actor.require(Permission.KEEP_PLACES)
    place = _reach(session, actor, place_id)
    if place.retired_at is None:
        raise Conflict("error.changed_meanwhile")
    place.retired_at = None
    audit.record(session, actor, "restore_place", "place", place.id, city=place.city_code)


def _point(form: PlaceForm) -> tuple[float, float]:
    """Longitude and latitude in WGS84 degrees of a point in the form's district, or a refusal."""
    if form.cell is not None:
        # A cell on the edge belongs to the district even where its middle does not.
        if form.cell not in cells_of_district(form.district_code):
            raise Invalid("error.cell_of_another_district")
        return middle(form.cell)
    if form.lng is None or form.lat is None:
        raise Invalid("error.point_missing")
    if not (-180 <= form.lng <= 180 and -90 <= form.lat <= 90):
        raise Invalid("error.point_impossible")
    lng, lat = regions.wgs84(form.lng, form.lat, form.datum)
    if regions.boundary(form.district_code) is not None:
        found = regions.district_at(lng, lat, form.city_code)
        inside = found is not None and found.code == form.district_code
    else:
        district = regions.region(form.district_code)
        apart = distance_km(cell_at(lng, lat), cell_of_district(district.code))
        inside = district.lng is None or apart < FURTHEST_KM
    if not inside:
        raise Invalid("error.place_outside_district")
    return lng, lat


def _view(place: Place) -> PlaceView:
    return PlaceView(
        id=place.id,
        kind=place.kind,
        district_code=place.district_code,
        name_zh=place.name_zh,
        name_en=place.name_en,
        lng=place.lng,
        lat=place.lat,
        city_code=place.city_code,
        retired=place.retired_at is not None,
    )


def _reach(session: Session, actor: Actor, place_id: int) -> Place:
    place = session.scalar(_visible_to(actor).where(Place.id == place_id).with_for_update())
    if place is None:
        raise NotFound("error.place_not_found")
    return place


def _visible_to(actor: Actor) -> Select[Place]:
    """Places are kept by the operators of their city."""
    return select(Place).where(Place.city_code.in_(actor.cities))

"""Facts of small cities, written straight into the lake: the sheets are about what lies there."""

from collections import defaultdict
from datetime import date, datetime, time, timedelta
from itertools import count

import pyarrow as pa

from data.catalogue import ItemGroup
from services.analytics import lake
from services.analytics.schemas import MOMENT_OF, SCHEMAS, Fact
from services.analytics.terms import Daypart
from tests.factories import CHONGCHUAN, NANTONG, TONGZHOU

HAIMEN, RUGAO = "320614", "320682"
# The weeks of December 2029: their Thursdays are the 6th, 13th, 20th and 27th.
WEEKS = [date(2029, 12, 3) + timedelta(weeks=number) for number in range(4)]
NEXT = date(2029, 12, 31)  # The first week of January, whose Thursday is the 3rd.
ITEMS = {
    ItemGroup.MEDICAL: "ward_care_day",
    ItemGroup.ELDERLY: "companionship",
    ItemGroup.MATERNITY: "maternity_nurse",
}
HOURS = {ItemGroup.MEDICAL: 8, ItemGroup.ELDERLY: 3, ItemGroup.MATERNITY: 24}
_number = count()


def need(
    family,
    week=WEEKS[0],
    district=CHONGCHUAN,
    group=ItemGroup.ELDERLY,
    *,
    city=NANTONG,
    age="70_79",
    sex="female",
    channel="app",
    served=True,
    day=2,
    hour=10,
    hours=None,
    matched_after=6,
    price=5000,
    status=None,
    order_status="completed",
    home=CHONGCHUAN,
):
    """A need of a family; one that is not served was open when its time came."""
    starts_at = datetime.combine(week + timedelta(days=day), time(hour))
    posted_at = starts_at - timedelta(days=2)
    return {
        "need": f"need{next(_number)}",
        "family": family,
        "recipient": family,
        "caregiver": "li" if served else None,
        "order": "order" if served else None,
        "city": city,
        "district": district,
        "cell": "87",
        "home_district": home if served else None,
        "item": ITEMS[group],
        "item_group": group,
        "channel": channel,
        "kind": "single",
        "posted_at": posted_at,
        "starts_at": starts_at,
        "matched_at": posted_at + timedelta(hours=matched_after) if served else None,
        "hours": hours or HOURS[group],
        "lowest_fen": 3000,
        "highest_fen": price + 1000,
        "agreed_fen": price if served else None,
        "applications": 1,
        "status": status or ("matched" if served else "expired"),
        "order_status": order_status if served else None,
        "recipient_age": age,
        "recipient_sex": sex,
    }


def needs(families, *args, **of):
    """The same need of so many families, each seen only this once."""
    return [need(f"family{next(_number)}", *args, **of) for _ in range(families)]


def family(name, *, city=NANTONG, joined=date(2029, 12, 4), holder_age="40_49", channel="app"):
    joined_at = datetime.combine(joined, time(9))
    return {
        "family": name,
        "city": city,
        "district": CHONGCHUAN,
        "joined_at": joined_at,
        "channel": channel,
        "holder_age": holder_age,
        "verified_at": joined_at,
    }


def supply(caregiver, week, district=CHONGCHUAN, hours=6.0, dayparts=tuple(Daypart)):
    return [
        {
            "week": week,
            "caregiver": caregiver,
            "city": NANTONG,
            "district": district,
            "daypart": daypart,
            "hours": hours,
        }
        for daypart in dayparts
    ]


def caregiver(name, district=CHONGCHUAN):
    return {
        "caregiver": name,
        "city": NANTONG,
        "district": district,
        "cell": "87",
        "sex": "female",
        "age": "40_49",
        "level": "trained",
        "status": "approved",
        "approved_at": datetime.fromisoformat("2029-01-01"),
        "items": [],
    }


def visit(caregiver, family, week, *, hours=3, total_fen=15000, status="redeemed", late=0):
    starts_at = datetime.combine(week + timedelta(days=2), time(10))
    return {
        "visit": f"visit{next(_number)}",
        "order": "order",
        "need": "need",
        "family": family,
        "caregiver": caregiver,
        "city": NANTONG,
        "district": CHONGCHUAN,
        "cell": "87",
        "item": "companionship",
        "item_group": "elderly",
        "kind": "single",
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(hours=hours),
        "status": status,
        "checked_in_at": starts_at + timedelta(minutes=late),
        "checked_out_at": None,
        "redeemed_at": starts_at + timedelta(hours=hours),
        "ended_by": None,
        "total_fen": total_fen,
        "commission_fen": total_fen // 10,
    }


def unmet(week, district=CHONGCHUAN, group=ItemGroup.ELDERLY, obstacle="busy"):
    return {
        "city": NANTONG,
        "district": district,
        "item": ITEMS[group],
        "item_group": group,
        "source": "search",
        "noted_at": datetime.combine(week, time(9)),
        "wanted_at": None,
        "obstacle": obstacle,
    }


def export(as_of="2030-01-07T09:00", **rows):
    """Write these rows as the whole of the facts: `export(needs=[...], supply=[...])`."""
    known = lake.contents()
    for part in list(known.parts.values()):
        lake.write(known, part.fact, part.month, SCHEMAS[part.fact].empty_table())
    for name, some in rows.items():
        fact = Fact(name)
        moment = MOMENT_OF[fact]
        months = defaultdict(list)
        for row in some:
            months[f"{row[moment]:%Y-%m}" if moment else lake.ALL].append(row)
        for month, of_month in months.items():
            lake.write(known, fact, month, pa.Table.from_pylist(of_month, schema=_plain(fact)))
    known.as_of = datetime.fromisoformat(as_of)
    lake.keep(known)
    return known


def _plain(fact):
    """The columns of a fact without dictionaries, which rows cannot be turned into."""
    return pa.schema(
        (one.name, pa.string() if pa.types.is_dictionary(one.type) else one.type)
        for one in SCHEMAS[fact]
    )


def busy_month():
    """Facts of December 2029, with enough of everybody for every sheet."""
    people = [f"regular{number}" for number in range(30)]
    hers = [f"caregiver{number}" for number in range(24)]
    return {
        "needs": [
            need(
                name,
                week,
                (CHONGCHUAN, TONGZHOU)[number % 2],
                sex=("female", "male")[number // 2 % 2],
                age=("60_69", "70_79", "80")[number % 3],
                served=number % 4 > 0,
            )
            for week in WEEKS
            for number, name in enumerate(people)
        ],
        "families": [
            family(name, joined=WEEKS[number % 4] + timedelta(days=number % 5))
            for number, name in enumerate(people)
        ],
        "visits": [
            visit(hers[number % 24], name, week, late=number)
            for week in WEEKS
            for number, name in enumerate(people)
        ],
        "supply": [row for week in WEEKS for name in hers for row in supply(name, week)],
        "caregivers": [caregiver(name) for name in hers],
        "unmet": [unmet(week) for week in WEEKS for _ in range(8)],
        "footfall": [{"city": NANTONG, "on_day": week, "opened": 40} for week in WEEKS],
    }

"""Every table of the rollups worked out row by row from the rows of a lake, without any SQL."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from statistics import median

from services.analytics.schemas import Fact
from services.analytics.terms import Daypart, daypart, month_of, week_of, weekday_and_part
from tests.services.analytics.lakes import Lake, Row

SERVING = {"confirmed", "paused", "completed"}
DONE = {"finished", "redeemed"}


def needs_weekly(lake: Lake) -> Iterator[Row]:
    for key, rows in _grouped(_needs(lake), "week", "city", "district", "item_group", "item"):
        matched = [row for row in rows if row["matched_at"]]
        waits = [(row["matched_at"] - row["posted_at"]).total_seconds() / 3600 for row in matched]
        agreed = [row["agreed_fen"] for row in rows if row["agreed_fen"] is not None]
        yield (
            key
            | _sums(rows)
            | {
                "served_hours": sum(row["hours"] for row in rows if row["served"]),
                "matched": len(matched),
                "wait_hours": median(waits) if waits else None,
                "price_fen": math.floor(median(agreed) + 0.5) if agreed else None,
            }
        )


def groups_weekly(lake: Lake) -> Iterator[Row]:
    offered = defaultdict[tuple, list[int]](list)
    for row in _needs(lake):
        offered[row["city"], row["item"], row["month"]].append(row["highest_fen"])
    for row in (rows := list(_needs(lake))):
        usual = median(offered[row["city"], row["item"], row["month"]])
        row |= {
            "age": row["recipient_age"],
            "sex": row["recipient_sex"],
            "hour": weekday_and_part(row["starts_at"]),
            "urgency": _urgency(row["starts_at"] - row["posted_at"]),
            "price": _price(row["highest_fen"], usual),
            "home": row["home_district"],
        }
    for dimension in ("age", "sex", "channel", "hour", "urgency", "price", "home"):
        told = [row for row in rows if dimension != "home" or row["served"]]
        keys = ("week", "city", "district", "item_group", "item", dimension)
        for key, some in _grouped(told, *keys):
            bucket = key.pop(dimension)
            yield key | {"dimension": dimension, "bucket": bucket} | _sums(some)


def cells_monthly(lake: Lake) -> Iterator[Row]:
    for key, rows in _grouped(_needs(lake), "month", "city", "cell", "item_group"):
        yield key | _sums(rows)


def dayparts_weekly(lake: Lake) -> Iterator[Row]:
    wanted, offered = defaultdict[tuple, float](float), defaultdict[tuple, float](float)
    caregivers = defaultdict[tuple, set[str]](set)
    for need in _needs(lake):
        for part, hours in _laid_out(need["starts_at"], need["hours"]).items():
            wanted[need["week"], need["city"], need["district"], part] += hours
    for row in lake.rows[Fact.SUPPLY]:
        if row["hours"] and row["week"] <= lake.as_of.date():
            key = row["week"], row["city"], row["district"], row["daypart"]
            offered[key] += row["hours"]
            caregivers[key].add(row["caregiver"])
    for key in {*wanted, *offered}:
        yield dict(zip(("week", "city", "district", "daypart"), key, strict=True)) | {
            "wanted_hours": wanted.get(key, 0),
            "offered_hours": offered.get(key, 0),
            "caregivers": len(caregivers.get(key, ())),
        }


def obstacles_weekly(lake: Lake) -> Iterator[Row]:
    rows = ({**row, "week": _week(row["noted_at"])} for row in lake.rows[Fact.UNMET])
    keys = ("week", "city", "district", "item_group", "item", "obstacle")
    for key, some in _grouped(rows, *keys):
        yield key | {"count": len(some)}


def families_monthly(lake: Lake) -> Iterator[Row]:
    people = {row["family"]: row for row in lake.rows[Fact.FAMILIES]}
    wanted = list(_needs(lake))
    visits = [
        {**row, "month": _month(row["starts_at"])}
        for row in lake.rows[Fact.VISITS]
        if row["status"] == "redeemed"
    ]
    rows: list[Row] = []
    for key, some in _grouped([*wanted, *visits], "month", "city", "family"):
        person = people.get(key["family"], {})
        own = [need for need in wanted if _same(need, key, "city", "family")]
        now = [need for need in own if need["month"] == key["month"]]
        before = [need for need in own if need["month"] < key["month"]]
        rows.append(
            {
                "month": key["month"],
                "city": key["city"],
                "district": min((row["starts_at"], row["district"]) for row in some)[1],
                "holder_age": person.get("holder_age"),
                "channel": person.get("channel"),
                "cohort": _month(person["joined_at"]) if person else None,
                "new": bool(now and not before),
                "repeated": bool(now and len(now) + len(before) > 1),
                "needs": len(now),
                "spend_fen": sum(row["total_fen"] for row in some if "visit" in row),
            }
        )
    for key, some in _grouped(rows, "month", "city", "district", "holder_age", "channel", "cohort"):
        sums = ("new", "repeated", "needs", "spend_fen")
        yield key | {"families": len(some)} | {name: sum(r[name] for r in some) for name in sums}


def caregivers_monthly(lake: Lake) -> Iterator[Row]:
    people = {row["caregiver"]: row for row in lake.rows[Fact.CAREGIVERS]}
    told = defaultdict[tuple, Counter[str]](Counter)
    for visit in lake.rows[Fact.VISITS]:
        of = told[_month(visit["starts_at"]), visit["caregiver"]]
        if visit["status"] in DONE:
            of["visits"] += 1
            of["hours"] += (visit["ends_at"] - visit["starts_at"]).total_seconds() / 3600
            came_at = visit["checked_in_at"] or visit["starts_at"]
            of["late"] += came_at - visit["starts_at"] > timedelta(minutes=10)
        if visit["status"] == "redeemed":
            of["pay_fen"] += visit["total_fen"] - visit["commission_fen"]
        if visit["status"] == "missed" and visit["ended_by"] == "caregiver":
            of["no_shows"] += 1
    for offer in lake.rows[Fact.OFFERS]:
        of = told[_month(offer["made_at"]), offer["caregiver"]]
        of["offers"] += 1
        of["accepted"] += offer["outcome"] == "accepted"
    for review in lake.rows[Fact.REVIEWS]:
        of = told[_month(review["made_at"]), review["caregiver"]]
        of["overall_sum"] += review["overall"] * review["weight"]
        of["review_weight"] += review["weight"]
    for row in lake.rows[Fact.SUPPLY]:
        if row["week"] <= lake.as_of.date():
            told[month_of(row["week"]), row["caregiver"]]["offered_hours"] += row["hours"]
    names = (
        "visits", "hours", "late", "no_shows", "pay_fen", "offers", "accepted", "overall_sum",
        "review_weight", "offered_hours",
    )  # fmt: skip
    for (month, caregiver), sums in told.items():
        if not sums:
            continue  # Visits that were not made tell nothing.
        person = people.get(caregiver, {})
        where = {name: person.get(name) for name in ("city", "district", "level")}
        yield (
            {"month": month, "caregiver": caregiver} | where | {name: sums[name] for name in names}
        )


def funnel_weekly(lake: Lake) -> Iterator[Row]:
    opened = Counter[tuple]()
    for row in lake.rows[Fact.FOOTFALL]:
        opened[week_of(row["on_day"]), row["city"], "opened"] += row["opened"]
    came = defaultdict[tuple, set[str]](set)
    for stage, fact, moment in (
        ("joined", Fact.FAMILIES, "joined_at"),
        ("verified", Fact.FAMILIES, "verified_at"),
        ("asked", Fact.NEEDS, "posted_at"),
        ("matched", Fact.NEEDS, "matched_at"),
        ("redeemed", Fact.VISITS, "redeemed_at"),
        ("reviewed", Fact.REVIEWS, "made_at"),
    ):
        for row in lake.rows[fact]:
            if row[moment]:
                came[_week(row[moment]), row["city"], stage].add(row["family"])
    counts = opened | {key: len(families) for key, families in came.items()}
    for key, count in counts.items():
        yield dict(zip(("week", "city", "stage"), key, strict=True)) | {"count": count}


TABLES: dict[str, Callable[[Lake], Iterator[Row]]] = {
    table.__name__: table
    for table in (
        needs_weekly,
        groups_weekly,
        cells_monthly,
        dayparts_weekly,
        obstacles_weekly,
        families_monthly,
        caregivers_monthly,
        funnel_weekly,
    )
}


def _needs(lake: Lake) -> Iterator[Row]:
    """The needs that count, with their week and month and whether they were served."""
    for row in lake.rows[Fact.NEEDS]:
        agreed = row["status"] == "matched"
        gone = row["status"] == "withdrawn" or (agreed and row["order_status"] == "cancelled")
        if row["starts_at"] <= lake.as_of and not gone:
            moment = row["starts_at"]
            yield row | {
                "week": _week(moment),
                "month": _month(moment),
                "served": agreed and row["order_status"] in SERVING,
            }


def _laid_out(starts_at: datetime, hours: int) -> dict[Daypart, float]:
    """The hours from a moment on by the part of the day: whole days, then minute by minute."""
    days, rest = divmod(hours, 24)
    minutes = Counter(
        daypart((starts_at + timedelta(minutes=number)).hour) for number in range(rest * 60)
    )
    laid = {part: days * 6 + minutes[part] / 60 for part in Daypart}
    return {part: found for part, found in laid.items() if found}


def _sums(rows: list[Row]) -> Row:
    return {
        "needs": len(rows),
        "served": sum(row["served"] for row in rows),
        "wanted_hours": sum(row["hours"] for row in rows),
    }


def _urgency(ahead: timedelta) -> str:
    hours = ahead.total_seconds() / 3600
    limits = ((6, "under_6h"), (24, "under_24h"), (72, "under_3d"), (168, "under_7d"))
    return next((name for limit, name in limits if hours < limit), "longer")


def _price(fen: int, usual: float) -> str:
    if fen * 10 < usual * 9:
        return "low"
    return "high" if fen * 10 > usual * 11 else "usual"


def _grouped(rows: Iterable[Row], *names: str) -> Iterator[tuple[Row, list[Row]]]:
    groups = defaultdict[tuple, list[Row]](list)
    for row in rows:
        groups[tuple(row[name] for name in names)].append(row)
    for key, some in groups.items():
        yield dict(zip(names, key, strict=True)), some


def _same(row: Row, other: Row, *names: str) -> bool:
    return all(row[name] == other[name] for name in names)


def _week(moment: datetime) -> date:
    return week_of(moment.date())


def _month(moment: datetime) -> date:
    return month_of(moment.date())

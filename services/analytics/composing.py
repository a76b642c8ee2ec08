"""What a publication says: the sheets of a city's week or month, cut and rounded for analysts.

The argument that nobody can be worked out of them is in docs/privacy.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import fsum
from statistics import fmean
from typing import Any

from data.publications import SheetName
from services.analytics import microdata, terms
from services.analytics.cutting import (
    Cell,
    Draw,
    apart,
    components,
    cut,
    grouped,
    head_count,
    in_order,
    only,
    runs,
    stretch,
    within,
)
from services.analytics.groups import Block, Rows, groups_of_people
from services.analytics.lake import Contents
from services.analytics.microdata import UNKNOWN, FamilyMonth, Need, Offered, family_of
from services.analytics.rounding import (
    capped,
    coarse,
    draws,
    middle,
    part,
    quartiles,
    rounded,
    total,
)
from services.analytics.terms import HOLDER_AGES, HOURS_A_DAYPART, Daypart

Sheets = dict[SheetName, Rows]


@dataclass(frozen=True, slots=True)
class Week:
    """A week's sheet, the needs it told by cell, and those of a week too small to be told.

    The month is made of these very needs: one that was called off since would be the difference.
    """

    monday: date
    cells: list[Cell[Need]]
    left: list[Need]
    sheets: Sheets


def sheets_of_week(known: Contents, city: str, monday: date, k: int) -> Week:
    """What was wanted in a closed week, by district and group of items."""
    needs = microdata.needs(known, city, monday)
    draw = draws(city, "week", monday, SheetName.NEEDS)
    cells = _cut(needs, k, draw)
    rows = [_needs_row(cell, 1, k, draw) for cell in cells]
    return Week(monday, cells, [] if cells else needs, {SheetName.NEEDS: rows})


def sheets_of_month(
    known: Contents, city: str, month: date, weeks: Sequence[Week], k: int
) -> Sheets:
    """Everything else of a closed month of weeks, and the weeks that were too small, together."""
    first, after = _span(month)
    draw = draws(city, "month", month)
    pooled = _cut(
        [need for week in weeks for need in week.left], k, lambda *of: draw(SheetName.NEEDS, *of)
    )
    cells = [cell for week in weeks for cell in week.cells] + pooled
    told = [need for cell in cells for need in cell.rows]
    small = sum(not week.cells for week in weeks)

    def of(name: SheetName) -> Draw:
        return lambda *what: draw(name, *what)

    families = microdata.families(known, city, first, after, told)
    cohorts = _months(microdata.first_cohort(known), f"{month:%Y-%m}")
    return {
        SheetName.NEEDS: [_needs_row(cell, small, k, of(SheetName.NEEDS)) for cell in pooled],
        SheetName.GROUPS_OF_PEOPLE: groups_of_people(cells, k, of(SheetName.GROUPS_OF_PEOPLE)),
        SheetName.SUPPLY: supply(
            cells, microdata.offered(known, city, first, after), k, of(SheetName.SUPPLY)
        ),
        SheetName.OBSTACLES: obstacles(
            microdata.hindrances(known, city, first, after), k, of(SheetName.OBSTACLES)
        ),
        SheetName.FAMILIES: families_sheet(families, cohorts, k, of(SheetName.FAMILIES)),
        SheetName.CAREGIVERS: caregivers(
            microdata.measures(known, city, first, after), k, of(SheetName.CAREGIVERS)
        ),
        SheetName.FUNNEL: funnel(
            microdata.stages(known, city, first, after), k, of(SheetName.FUNNEL)
        ),
    }


def supply(cells: Sequence[Cell[Need]], offered: list[Offered], k: int, draw: Draw) -> Rows:
    """Hours wanted and offered by part of the day, where enough families and caregivers are."""
    blocks = [Block.of(block) for block in components(cells, levels=1)]
    block_of = {code: str(n) for n, block in enumerate(blocks) for code in block.districts}
    rows: Rows = []
    if head_count(offered, _caregiver) < k:
        return rows
    for names, hers in apart(
        offered, lambda row: block_of.get(row.district, UNKNOWN), _caregiver, k, draw
    ):
        of = [blocks[int(name)] for name in sorted(names - {UNKNOWN})]
        codes = {code for block in of for code in block.districts}
        laid = grouped(
            [piece for block in of for need in block.needs for piece in _laid_out(need)],
            lambda piece: piece.daypart,
        )
        theirs = grouped(hers, lambda row: row.daypart)

        def enough(
            dayparts: Sequence[str], laid: dict = laid, theirs: dict = theirs, idle: bool = not of
        ) -> bool:
            return head_count(within(theirs, dayparts), _caregiver) >= k and (
                idle or head_count(within(laid, dayparts), _caregiver) >= k
            )

        for dayparts in runs(list(Daypart), enough):
            wanted, given = within(laid, dayparts), within(theirs, dayparts)
            at = ("+".join(sorted(names)), dayparts[0])
            people = head_count(given, _caregiver)
            rows.append(
                {
                    "district": None if UNKNOWN in names else only(codes),
                    "daypart": stretch(dayparts),
                    "wanted_hours": _hours(wanted, draw("wanted", *at)),
                    "offered_hours": _hours(given, draw("offered", *at)),
                    "caregivers": rounded(people, k, draw("caregivers", *at)),
                }
            )
    return rows


def _hours(pieces: list[Offered], chance: float) -> int:
    of_each = grouped(pieces, _caregiver)
    hours = [(who, fsum(piece.hours for piece in hers)) for who, hers in of_each.items()]
    return total(hours, lambda pair: pair, chance)


def _laid_out(need: Need) -> list[Offered]:
    """A need's hours by the part of the day they are in; the family stands for the caregiver."""
    hours = dict.fromkeys(Daypart, 0.0)
    at, ends_at = need.starts_at, need.starts_at + timedelta(hours=need.hours)
    while at < ends_at:
        part_begins = at.replace(
            hour=at.hour // HOURS_A_DAYPART * HOURS_A_DAYPART, minute=0, second=0, microsecond=0
        )
        until = min(part_begins + timedelta(hours=HOURS_A_DAYPART), ends_at)
        hours[terms.daypart(at.hour)] += (until - at) / timedelta(hours=1)
        at = until
    return [Offered(need.family, need.district, name, some) for name, some in hours.items() if some]


def obstacles(hindrances: list[microdata.Hindrance], k: int, draw: Draw) -> Rows:
    """What stood in the way, by district and group of items; each time counts as a person."""
    cells = cut(
        hindrances,
        (lambda one: one.district, lambda one: one.item_group),
        lambda one: one.number,
        k,
        draw,
    )
    rows = [
        {
            "district": cell.label(0),
            "item_group": cell.label(1),
            "obstacle": obstacle,
            "count": rounded(len(found), k, draw(cell.label(0), cell.label(1), obstacle)),
        }
        for cell in cells
        for obstacle, found in grouped(cell.rows, lambda one: one.obstacle).items()
    ]
    return _sorted([row for row in rows if row["count"]])


def families_sheet(families: list[FamilyMonth], cohorts: Sequence[str], k: int, draw: Draw) -> Rows:
    """The families of a month, by one dimension at a time; none is counted exactly.

    Beside the exact number of needs, one of families would tell how many had two.
    """
    if len(families) < k:
        return []
    dimensions = {
        "all": [(None, families)],
        "holder_age": in_order(
            families,
            lambda one: one.holder_age if one.holder_age in HOLDER_AGES else UNKNOWN,
            HOLDER_AGES,
            family_of,
            k,
        ),
        "cohort": in_order(
            families,
            lambda one: one.cohort if one.cohort in cohorts else UNKNOWN,
            (UNKNOWN, *cohorts),
            family_of,
            k,
        ),
        "channel": _values(families, lambda one: one.channel, k, draw, "channel"),
        "district": _values(families, lambda one: one.district, k, draw, "district"),
    }
    rows: Rows = []
    for dimension, buckets in dimensions.items():
        for bucket, some in buckets:
            count, at = len(some), (dimension, bucket)
            told = rounded(count, k, draw(*at, "families"))
            spent = [(one, float(one.spend_fen)) for one in some if one.spend_fen]
            spending = part(len(spent), count, told, k, draw(*at, "spending"))
            each = coarse(fmean(capped(spent, family_of))) if len(spent) >= k else None
            rows.append(
                {
                    "dimension": dimension,
                    "bucket": bucket,
                    "families": told,
                    "new": part(sum(x.new for x in some), count, told, k, draw(*at, "new")),
                    "repeated": part(
                        sum(x.repeated for x in some), count, told, k, draw(*at, "repeated")
                    ),
                    "spend_fen": None if each is None else round(each * spending),
                }
            )
    return rows


def _values(
    families: list[FamilyMonth], by: Callable[[FamilyMonth], str], k: int, draw: Draw, name: str
) -> list[tuple[str | None, list[FamilyMonth]]]:
    parts = apart(families, by, family_of, k, lambda *of: draw(name, *of))
    return [(only(values), some) for values, some in parts]


def caregivers(measures: dict[str, list[float]], k: int, draw: Draw) -> Rows:
    """How caregivers are spread in what they do, where they are enough."""
    rows: Rows = []
    for measure, values in measures.items():
        if len(values) >= k:
            told = rounded(len(values), k, draw(measure))
            p25, p50, p75 = quartiles(values, k)
            rows.append(
                {"measure": measure, "caregivers": told, "p25": p25, "p50": p50, "p75": p75}
            )
    return rows


def funnel(stages: dict[tuple[date, terms.Stage], int], k: int, draw: Draw) -> Rows:
    """How many came to each stage, by week."""
    return [
        {
            "week": week.isoformat(),
            "stage": stage.value,
            "count": rounded(stages[week, stage], k, draw(week, stage)),
        }
        for week, stage in sorted(stages)
    ]


def _needs_row(cell: Cell[Need], weeks: int, k: int, draw: Draw) -> dict[str, Any]:
    needs, count = cell.rows, len(cell.rows)
    district, group = cell.label(0), cell.label(1)
    hours = [(need, need.hours) for need in needs]
    wanted = total(hours, family_of, draw(district, group, "hours"), least=1)
    chance = draw(district, group, "parts")
    served = part(sum(need.served for need in needs), count, count, k, chance)

    def typical(values: list[tuple[Need, float]]) -> float | None:
        # Told beside a part that was rounded to none, it would tell that they are just k.
        shown = part(len(values), count, count, k, chance)
        return middle(values, family_of, k) if shown else None

    waits = [(need, need.waited) for need in needs if need.waited is not None]
    prices = [(need, float(need.agreed_fen)) for need in needs if need.agreed_fen is not None]
    wait, price = typical(waits), typical(prices)
    return {
        "weeks": weeks,
        "district": district,
        "item_group": group,
        "needs": count,
        "served": served,
        "wanted_hours": wanted,
        "served_hours": round(wanted * served / count),
        "matched": part(len(waits), count, count, k, chance),
        "wait_hours": None if wait is None else round(wait),
        "price_fen": None if price is None else round(price / 100) * 100,
    }


def _cut(needs: list[Need], k: int, draw: Draw) -> list[Cell[Need]]:
    levels = (lambda need: need.district, lambda need: need.item_group)
    return cut(needs, levels, family_of, k, draw)


def _months(first: str, last: str) -> list[str]:
    """The calendar months from one to another, as "2026-11"."""
    months = [last]
    while first and months[0] > first:
        before = date.fromisoformat(f"{months[0]}-01") - timedelta(days=1)
        months.insert(0, f"{before:%Y-%m}")
    return months


def _span(month: date) -> tuple[date, date]:
    """The first day of a month of weeks, and the first after it."""
    weeks = terms.weeks_of_month(month)
    return weeks[0], weeks[-1] + microdata.WEEK


def _sorted(rows: Rows) -> Rows:
    return sorted(rows, key=lambda row: str(list(row.values())))


def _caregiver(row: Offered) -> str:
    return row.caregiver

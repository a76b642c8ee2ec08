"""The tables of the rollups: what a row of each is, and the SQL that fills it.

The SQL runs inside a build (see rollups), which gives it, for a stretch of whole weeks: a view of
each fact with the rows of the stretch, `told_<fact>` with all rows of the files that tell of it
under any of their moments, `wanted`, `people` and `known` as said below, the variables `first`,
`last` (exclusive) and `as_of`, and `week_of` and `month_of` as in terms. Weeks are their Mondays,
months are months of whole weeks, waits are hours, money is fen, prices are fen per hour of care.
"""

from dataclasses import dataclass

from services.analytics.schemas import Fact
from services.analytics.terms import (
    HOURS_A_DAYPART,
    LONGER,
    URGENCIES,
    Daypart,
    Dimension,
    Stage,
)


@dataclass(frozen=True, slots=True)
class Rollup:
    """A table, its columns, the query that fills it, and which facts change what it tells.

    A changed row changes the months of its own moment; those `onwards` too, or those of any of
    its moments (`reaching`).
    """

    name: str
    columns: str
    query: str
    facts: frozenset[Fact]
    onwards: bool = False
    reaching: bool = False

    @property
    def monthly(self) -> bool:
        """Whether a row tells of a month; else of a week."""
        return self.columns.startswith("month ")


MACROS = (
    "CREATE TEMP MACRO week_of(moment) AS date_trunc('week', moment)::DATE",
    "CREATE TEMP MACRO month_of(moment) AS date_trunc('month', week_of(moment) + 3)::DATE",
    # The hours that `length` of them, from the day's hour `begin` on, lie in six of the clock.
    f"""
    CREATE TEMP MACRO hours_within(begin, length, opens) AS
        {HOURS_A_DAYPART} * (length // 24)
        + greatest(0, least(begin + length % 24, opens + {HOURS_A_DAYPART})
            - greatest(begin, opens))
        + greatest(0, begin + length % 24 - (24 + opens))
            - greatest(0, begin + length % 24 - (24 + opens + {HOURS_A_DAYPART}))
    """,
)

# A need counts when nobody withdrew it and what was agreed was not called off, ...
STOOD = """
    status <> 'withdrawn'
    AND NOT (status = 'matched' AND order_status IS NOT DISTINCT FROM 'cancelled')
"""
# ... and its time has come.
COUNTS = f"starts_at <= getvariable('as_of') AND {STOOD}"
# It is served while its order stands or is done.
SERVED = """
    status = 'matched'
    AND coalesce(order_status IN ('confirmed', 'paused', 'completed'), false)
"""
# How long before its time it was posted.
_WHENS = "".join(
    f" WHEN starts_at < posted_at + INTERVAL {hours} HOURS THEN '{urgency}'"
    for urgency, hours in URGENCIES.items()
)
URGENCY = f"CASE{_WHENS} ELSE '{LONGER}' END"
_DAYPARTS = "".join(f" WHEN {number} THEN '{daypart}'" for number, daypart in enumerate(Daypart))

# The needs of the stretch that count, with the bucket of each dimension; a price is told against
# the middle of what was offered for the item in its city and month.
WANTED = f"""
CREATE OR REPLACE TEMP TABLE wanted AS
WITH counted AS (
    SELECT
        *,
        month_of(starts_at) AS month,
        median(highest_fen) OVER (PARTITION BY city, item, month_of(starts_at)) AS usual_fen
    FROM needs
    WHERE {COUNTS}
)
SELECT
    week_of(starts_at) AS week, month, city, district, cell, item_group, item,
    family, starts_at, hours, agreed_fen, {SERVED} AS served,
    epoch(matched_at - posted_at) / 3600 AS waited,
    recipient_age AS {Dimension.AGE},
    recipient_sex AS {Dimension.SEX},
    channel AS {Dimension.CHANNEL},
    concat(
        isodow(starts_at) - 1, '_', CASE hour(starts_at) // {HOURS_A_DAYPART}{_DAYPARTS} END
    ) AS {Dimension.HOUR},
    {URGENCY} AS {Dimension.URGENCY},
    CASE
        WHEN highest_fen * 10 < usual_fen * 9 THEN 'low'
        WHEN highest_fen * 10 > usual_fen * 11 THEN 'high'
        ELSE 'usual'
    END AS {Dimension.PRICE},
    home_district AS {Dimension.HOME}
FROM counted
"""

# Every family as it is known now, and the month it joined in.
PEOPLE = """
CREATE TEMP TABLE people AS
SELECT family, channel, holder_age, month_of(joined_at) AS cohort FROM all_families
"""

# The families of the stretches to build that had a need in a city before these.
KNOWN = f"""
CREATE TEMP TABLE known AS
SELECT DISTINCT city, family
FROM former_needs
WHERE starts_at < getvariable('first') AND {COUNTS}
    AND family IN (SELECT family FROM coming_needs WHERE starts_at >= getvariable('first'))
"""
# ... and those of the stretch just built.
KNOWN_TOO = """
INSERT INTO known
SELECT DISTINCT city, family FROM wanted ANTI JOIN known USING (city, family)
"""

# What was wanted, and what came of it; medians of those matched and of those agreed.
_NEEDS = """
SELECT
    week, city, district, item_group, item,
    count(*), count(*) FILTER (served), sum(hours), coalesce(sum(hours) FILTER (served), 0),
    count(waited), median(waited), round(median(agreed_fen))
FROM wanted
GROUP BY ALL
"""

# The same by one dimension at a time: its buckets make up all needs, but homes those served.
_GROUPS = " UNION ALL ".join(
    f"""
    SELECT
        week, city, district, item_group, item, '{dimension}', {dimension},
        count(*), count(*) FILTER (served), sum(hours)
    FROM wanted
    {"WHERE served" if dimension is Dimension.HOME else ""}
    GROUP BY ALL
    """
    for dimension in Dimension
)

# The same by neighbourhood.
_CELLS = """
SELECT month, city, cell, item_group, count(*), count(*) FILTER (served), sum(hours)
FROM wanted
GROUP BY ALL
"""

# Hours of the needs that begin in a week, laid out over the parts of the day they last through,
# and the hours that were offered in it.
_DAYPARTS_OF = ", ".join(
    f"sum(hours_within(begins, hours, {number * HOURS_A_DAYPART})) AS {daypart}"
    for number, daypart in enumerate(Daypart)
)
_SUPPLY = f"""
WITH laid AS (
    SELECT week, city, district, {_DAYPARTS_OF}
    FROM (SELECT *, epoch(starts_at - date_trunc('day', starts_at)) / 3600 AS begins FROM wanted)
    GROUP BY ALL
)
SELECT
    week, city, district, daypart,
    sum(wanted_hours), sum(offered_hours), sum(caregivers)
FROM (
    SELECT week, city, district, daypart, wanted_hours, 0 AS offered_hours, 0 AS caregivers
    FROM laid UNPIVOT (wanted_hours FOR daypart IN ({", ".join(Daypart)}))
    WHERE wanted_hours > 0
    UNION ALL
    SELECT week, city, district, daypart, 0, sum(hours), count(DISTINCT caregiver)
    FROM supply
    WHERE hours > 0 AND week <= getvariable('as_of')
    GROUP BY ALL
)
GROUP BY ALL
"""

# Who looked for care in vain, and what stood in the way.
_OBSTACLES = """
SELECT week_of(noted_at), city, district, item_group, item, obstacle, count(*)
FROM unmet
GROUP BY ALL
"""

# Families that wanted or got care in a city and month, each in one row: that of the district where
# it first was. New ones wanted it for the first time, repeated ones had wanted it before.
_FAMILIES = """
WITH active AS (
    SELECT
        month, city, family,
        min({'began': began, 'district': district}).district AS district,
        sum(needs) AS needs, sum(spend_fen) AS spend_fen
    FROM (
        SELECT month, city, family, starts_at AS began, district, 1 AS needs, 0 AS spend_fen
        FROM wanted
        UNION ALL
        SELECT month_of(starts_at), city, family, starts_at, district, 0, total_fen
        FROM visits
        WHERE status = 'redeemed'
    )
    GROUP BY ALL
), before AS (
    SELECT
        active.*, known.family IS NOT NULL OR coalesce(sum(needs) OVER earlier, 0) > 0 AS met
    FROM active LEFT JOIN known USING (city, family)
    WINDOW earlier AS (
        PARTITION BY active.city, active.family ORDER BY month
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )
)
SELECT
    month, city, district, holder_age, channel, cohort,
    count(*), count(*) FILTER (needs > 0 AND NOT met),
    count(*) FILTER (needs > 1 OR (needs = 1 AND met)),
    sum(needs), sum(spend_fen)
FROM before LEFT JOIN people USING (family)
GROUP BY ALL
"""

# What a caregiver did in a month and what was said of it, what she was offered and took.
_CAREGIVERS = """
SELECT
    month, caregiver,
    sum(visits), sum(hours), sum(late), sum(no_shows), sum(pay_fen),
    sum(offers), sum(accepted), sum(overall), sum(weight), sum(offered_hours)
FROM (
    SELECT
        month_of(starts_at) AS month, caregiver,
        count(*) FILTER (done) AS visits,
        coalesce(sum(epoch(ends_at - starts_at)) FILTER (done), 0) / 3600 AS hours,
        count(*) FILTER (done AND checked_in_at > starts_at + INTERVAL 10 MINUTES) AS late,
        count(*) FILTER (status = 'missed' AND ended_by = 'caregiver') AS no_shows,
        coalesce(sum(total_fen - commission_fen) FILTER (status = 'redeemed'), 0) AS pay_fen,
        0 AS offers, 0 AS accepted, 0 AS overall, 0 AS weight, 0 AS offered_hours
    FROM (SELECT *, status IN ('finished', 'redeemed') AS done FROM visits)
    WHERE done OR (status = 'missed' AND ended_by = 'caregiver')
    GROUP BY ALL
    UNION ALL
    SELECT
        month_of(made_at), caregiver, 0, 0, 0, 0, 0,
        count(*), count(*) FILTER (outcome = 'accepted'), 0, 0, 0
    FROM offers
    GROUP BY ALL
    UNION ALL
    SELECT
        month_of(made_at), caregiver, 0, 0, 0, 0, 0,
        0, 0, sum(overall * weight), sum(weight), 0
    FROM reviews
    GROUP BY ALL
    UNION ALL
    SELECT month_of(week), caregiver, 0, 0, 0, 0, 0, 0, 0, 0, 0, sum(hours)
    FROM supply
    WHERE week <= getvariable('as_of')
    GROUP BY ALL
)
GROUP BY ALL
"""


# How many came as far as each stage in a week: doors opened, then families, each counted once.
_DOORS, _FAMILIES_OF = "sum(opened)::BIGINT", "count(DISTINCT family)"
STAGES = (
    (Stage.OPENED, Fact.FOOTFALL, "on_day", _DOORS),
    (Stage.JOINED, Fact.FAMILIES, "joined_at", _FAMILIES_OF),
    (Stage.VERIFIED, Fact.FAMILIES, "verified_at", _FAMILIES_OF),
    (Stage.ASKED, Fact.NEEDS, "posted_at", _FAMILIES_OF),
    (Stage.MATCHED, Fact.NEEDS, "matched_at", _FAMILIES_OF),
    (Stage.REDEEMED, Fact.VISITS, "redeemed_at", _FAMILIES_OF),
    (Stage.REVIEWED, Fact.REVIEWS, "made_at", _FAMILIES_OF),
)
_FUNNEL = " UNION ALL ".join(
    f"""
    SELECT week_of({moment}), city, '{stage}', {counted}
    FROM told_{fact}
    WHERE {moment} >= getvariable('first') AND {moment} < getvariable('last')
    GROUP BY ALL
    """
    for stage, fact, moment, counted in STAGES
)

_WEEK_AND_PLACE = "week DATE, city VARCHAR, district VARCHAR"
_CARE = "item_group VARCHAR, item VARCHAR"
_COUNTED = "needs BIGINT, served BIGINT, wanted_hours BIGINT"
FAMILIES = "families_monthly"
ROLLUPS = (
    Rollup(
        "needs_weekly",
        f"{_WEEK_AND_PLACE}, {_CARE}, {_COUNTED}, served_hours BIGINT,"
        " matched BIGINT, wait_hours DOUBLE, price_fen INTEGER",
        _NEEDS,
        frozenset({Fact.NEEDS}),
    ),
    Rollup(
        "groups_weekly",
        f"{_WEEK_AND_PLACE}, {_CARE}, dimension VARCHAR, bucket VARCHAR, {_COUNTED}",
        _GROUPS,
        frozenset({Fact.NEEDS}),
    ),
    Rollup(
        "cells_monthly",
        f"month DATE, city VARCHAR, cell VARCHAR, item_group VARCHAR, {_COUNTED}",
        _CELLS,
        frozenset({Fact.NEEDS}),
    ),
    Rollup(
        "dayparts_weekly",
        f"{_WEEK_AND_PLACE}, daypart VARCHAR,"
        " wanted_hours DOUBLE, offered_hours DOUBLE, caregivers BIGINT",
        _SUPPLY,
        frozenset({Fact.NEEDS, Fact.SUPPLY}),
    ),
    Rollup(
        "obstacles_weekly",
        f"{_WEEK_AND_PLACE}, {_CARE}, obstacle VARCHAR, count BIGINT",
        _OBSTACLES,
        frozenset({Fact.UNMET}),
    ),
    Rollup(
        FAMILIES,
        "month DATE, city VARCHAR, district VARCHAR, holder_age VARCHAR, channel VARCHAR,"
        " cohort DATE, families BIGINT, new BIGINT, repeated BIGINT, needs BIGINT,"
        " spend_fen BIGINT",
        _FAMILIES,
        frozenset({Fact.NEEDS, Fact.VISITS, Fact.FAMILIES}),
        onwards=True,
    ),
    Rollup(
        "caregiver_months",
        "month DATE, caregiver VARCHAR, visits BIGINT, hours DOUBLE, late BIGINT,"
        " no_shows BIGINT, pay_fen BIGINT, offers BIGINT, accepted BIGINT, overall_sum BIGINT,"
        " review_weight BIGINT, offered_hours DOUBLE",
        _CAREGIVERS,
        frozenset({Fact.VISITS, Fact.OFFERS, Fact.REVIEWS, Fact.SUPPLY}),
    ),
    Rollup(
        "funnel_weekly",
        "week DATE, city VARCHAR, stage VARCHAR, count BIGINT",
        _FUNNEL,
        frozenset({Fact.FOOTFALL, Fact.FAMILIES, Fact.NEEDS, Fact.VISITS, Fact.REVIEWS}),
        reaching=True,
    ),
)
# Where a caregiver lives and her level are those of now, in every month.
CAREGIVERS = (
    "DELETE FROM caregivers",
    "INSERT INTO caregivers SELECT caregiver, city, district, level FROM all_caregivers",
)
# What a new file holds before it is filled: all that has no rows of its own to be built.
FRAME = (
    "CREATE TABLE meta (as_of TIMESTAMP, built_at TIMESTAMP, checksum VARCHAR, recipe VARCHAR)",
    "CREATE TABLE sources (fact VARCHAR, month VARCHAR, sha256 VARCHAR, rows BIGINT,"
    " since DATE, until DATE)",
    "CREATE TABLE caregivers (caregiver VARCHAR, city VARCHAR, district VARCHAR, level VARCHAR)",
    *(f"CREATE TABLE {rollup.name} ({rollup.columns})" for rollup in ROLLUPS),
    "CREATE VIEW caregivers_monthly AS"
    " SELECT month, caregiver, city, district, level, * EXCLUDE (month, caregiver, city,"
    " district, level)"
    " FROM caregiver_months LEFT JOIN caregivers USING (caregiver)",
)
# The moments beside its own of which a file's rows are told.
OTHER_MOMENTS = {
    Fact.NEEDS: ("posted_at", "matched_at"),
    Fact.VISITS: ("redeemed_at",),
    Fact.FAMILIES: ("verified_at",),
}

"""What each fact tells, column by column, as it lies in Parquet.

Moments are the city's, without a zone; money is fen, prices are fen per hour of care. Everybody is
a pseudonym, everything a code. A row lies in the file of its month, by `MOMENT_OF`: a row that
changed is found where it was, but for an open need that was improved (services.analytics.marks).
"""

from enum import StrEnum

import pyarrow as pa


class Fact(StrEnum):
    NEEDS = "needs"
    VISITS = "visits"
    OFFERS = "offers"
    REVIEWS = "reviews"
    UNMET = "unmet"
    FAMILIES = "families"
    CAREGIVERS = "caregivers"
    SUPPLY = "supply"
    FOOTFALL = "footfall"


_TEXT, _MOMENT, _DAY = pa.dictionary(pa.int32(), pa.string()), pa.timestamp("us"), pa.date32()
_KEY, _COUNT, _HOURS = pa.string(), pa.int32(), pa.float32()


def _schema(**columns: pa.DataType) -> pa.Schema:
    return pa.schema([pa.field(name, kind) for name, kind in columns.items()])


SCHEMAS = {
    Fact.NEEDS: _schema(
        need=_KEY,
        family=_KEY,
        recipient=_KEY,
        caregiver=_KEY,
        order=_KEY,
        city=_TEXT,
        district=_TEXT,
        cell=_TEXT,
        home_district=_TEXT,
        item=_TEXT,
        item_group=_TEXT,
        channel=_TEXT,
        kind=_TEXT,
        posted_at=_MOMENT,
        starts_at=_MOMENT,
        matched_at=_MOMENT,
        hours=_COUNT,
        lowest_fen=_COUNT,
        highest_fen=_COUNT,
        agreed_fen=_COUNT,
        applications=_COUNT,
        status=_TEXT,
        order_status=_TEXT,
        recipient_age=_TEXT,
        recipient_sex=_TEXT,
    ),
    Fact.VISITS: _schema(
        visit=_KEY,
        order=_KEY,
        need=_KEY,
        family=_KEY,
        caregiver=_KEY,
        city=_TEXT,
        district=_TEXT,
        cell=_TEXT,
        item=_TEXT,
        item_group=_TEXT,
        kind=_TEXT,
        starts_at=_MOMENT,
        ends_at=_MOMENT,
        status=_TEXT,
        checked_in_at=_MOMENT,
        checked_out_at=_MOMENT,
        redeemed_at=_MOMENT,
        ended_by=_TEXT,
        total_fen=_COUNT,
        commission_fen=_COUNT,
    ),
    Fact.OFFERS: _schema(
        caregiver=_KEY,
        need=_KEY,
        city=_TEXT,
        district=_TEXT,
        item=_TEXT,
        item_group=_TEXT,
        how=_TEXT,
        made_at=_MOMENT,
        price_fen=_COUNT,
        outcome=_TEXT,
        answered_at=_MOMENT,
    ),
    Fact.REVIEWS: _schema(
        caregiver=_KEY,
        family=_KEY,
        city=_TEXT,
        item=_TEXT,
        made_at=_MOMENT,
        weight=_COUNT,
        skill=_COUNT,
        attitude=_COUNT,
        communication=_COUNT,
        overall=_COUNT,
    ),
    Fact.UNMET: _schema(
        city=_TEXT,
        district=_TEXT,
        item=_TEXT,
        item_group=_TEXT,
        source=_TEXT,
        noted_at=_MOMENT,
        wanted_at=_MOMENT,
        obstacle=_TEXT,
    ),
    Fact.FAMILIES: _schema(
        family=_KEY,
        city=_TEXT,
        district=_TEXT,
        joined_at=_MOMENT,
        channel=_TEXT,
        holder_age=_TEXT,
        verified_at=_MOMENT,
    ),
    Fact.CAREGIVERS: _schema(
        caregiver=_KEY,
        city=_TEXT,
        district=_TEXT,
        cell=_TEXT,
        sex=_TEXT,
        age=_TEXT,
        level=_TEXT,
        status=_TEXT,
        approved_at=_MOMENT,
        items=pa.list_(pa.string()),
        week_night=_HOURS,
        week_morning=_HOURS,
        week_afternoon=_HOURS,
        week_evening=_HOURS,
    ),
    Fact.SUPPLY: _schema(
        week=_DAY,
        caregiver=_KEY,
        city=_TEXT,
        district=_TEXT,
        daypart=_TEXT,
        hours=_HOURS,
    ),
    Fact.FOOTFALL: _schema(city=_TEXT, on_day=_DAY, opened=_COUNT),
}
# The same with words as they are: pieces of one table need not agree on a dictionary.
PLAIN = {
    fact: pa.schema(
        [
            field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field
            for field in schema
        ]
    )
    for fact, schema in SCHEMAS.items()
}
# The column whose month a row lies in; caregivers are few and lie in one file.
MOMENT_OF = {
    Fact.NEEDS: "starts_at",
    Fact.VISITS: "starts_at",
    Fact.OFFERS: "made_at",
    Fact.REVIEWS: "made_at",
    Fact.UNMET: "noted_at",
    Fact.FAMILIES: "joined_at",
    Fact.CAREGIVERS: None,
    Fact.SUPPLY: "week",
    Fact.FOOTFALL: "on_day",
}

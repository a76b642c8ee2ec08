"""The check: every total is compared, and only what differs is said."""

import threading

import pytest
from sqlalchemy import select, update

from data import database as engines
from data.demands import Demand
from data.footfalls import Footfall
from data.orders import Visit
from data.reviews import Review
from services.analytics import checks, exports, lake, upkeep
from services.analytics.checks import Difference
from services.analytics.schemas import Fact
from tests.factories import NANTONG, make_demand
from tests.services.analytics import story


@pytest.fixture
def lived(session):
    story.live(session)
    exports.refresh(session)
    return session


def test_facts_that_were_just_exported_differ_in_nothing(lived):
    assert checks.differences(lived) == []
    assert upkeep.rebuild(lived) == 0
    assert upkeep.report(lived) == {"mended": 0, "differing": []}


def test_a_row_that_is_missing_is_said_total_by_total(lived, caplog):
    known = lake.contents()
    rows = lake.read(known, Fact.NEEDS, "2030-02")
    lake.write(known, Fact.NEEDS, "2030-02", rows.slice(1))
    lake.keep(known)

    found = checks.note(lived)
    [missing] = {row["status"] for row in rows.slice(0, 1).to_pylist()}
    live = len(lived.scalars(select(Demand.id).where(Demand.status == missing)).all())
    assert Difference(Fact.NEEDS, f"rows 320600 {missing}", live, live - 1) in found
    assert [one.what.split()[0] for one in found][:2] == ["rows", "hours"]
    assert f"facts differ: {found[0]}" in caplog.text
    assert upkeep.report(lived)["differing"] == [str(one) for one in found]
    exports.refresh(lived, everything=True)
    assert checks.note(lived) == []


def test_every_total_is_compared(lived):
    for change, fact, whats in (
        (update(Demand).values(units=3), Fact.NEEDS, {"hours"}),
        (update(Demand).values(status="expired"), Fact.NEEDS, {"hours", "rows"}),
        (update(Visit).values(total_fen=1_000_000), Fact.VISITS, {"total_fen"}),
        (update(Visit).values(commission_fen=1), Fact.VISITS, {"commission_fen"}),
        (update(Review).values(weight=4), Fact.REVIEWS, {"overall", "weight"}),
        (update(Review).values(overall=2), Fact.REVIEWS, {"overall"}),
        (update(Footfall).values(opened=9), Fact.FOOTFALL, {"opened"}),
    ):
        with lived.begin_nested() as changed:
            lived.execute(change)
            found = checks.differences(lived)
            changed.rollback()
        assert {one.fact for one in found} == {fact}
        assert {one.what.split()[0] for one in found} == whats
        assert NANTONG in {one.what.split()[1] for one in found}


def test_a_fact_that_is_gone_is_noticed(lived):
    for fact in set(Fact) - {Fact.SUPPLY}:
        known = lake.contents()
        for month in known.months(fact):
            lake.write(known, fact, month, [])
        lake.keep(known)
        assert {one.fact for one in checks.differences(lived)} == {fact}
        exports.refresh(lived, everything=True)
    assert checks.differences(lived) == []


def test_who_writes_meanwhile_alarms_nobody(database):
    """The export and the check see what there was as they began, whatever comes between."""
    with engines.writing() as session:
        story.live(session)
    write = lake.write

    def disturbed(*given):
        def disturb():
            with engines.writing() as session:
                make_demand(session)

        other = threading.Thread(target=disturb)
        other.start()
        other.join()
        return write(*given)

    with pytest.MonkeyPatch.context() as patch, engines.still() as session:
        patch.setattr(lake, "write", disturbed)
        upkeep.rebuild(session)
        assert upkeep.report(session)["differing"] == []

    with engines.still() as session:
        assert checks.differences(session) != []
        exports.refresh(session)
        assert checks.differences(session) == []

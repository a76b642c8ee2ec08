import threading
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DatabaseError

from data import database as engines
from data.catalogue import ItemGroup
from data.cities import City
from data.publications import HeldWeek, Publication, SheetName, Span
from services import jobs
from services.analytics import composing, publishing, sheets
from tests.factories import LUZHOU
from tests.services.analytics import planted
from tests.services.analytics.planted import (
    CHONGCHUAN,
    NANTONG,
    NEXT,
    RUGAO,
    TONGZHOU,
    WEEKS,
    export,
    need,
    needs,
)

pytestmark = pytest.mark.usefixtures("database", "clock")
K = 5


def publish():
    return publishing.publish(engines.transact)


def told(name, *, cities=(NANTONG,), first=date(2029, 1, 1), last=date(2031, 1, 1)):
    with engines.reading() as session:
        return sheets.read(session, cities, name, first, last)


def publications():
    with engines.reading() as session:
        rows = session.execute(
            select(Publication.city_code, Publication.span, Publication.first_day).order_by(
                Publication.id
            )
        )
        return [tuple(row) for row in rows]


class TestWhatIsDue:
    def test_nothing_before_the_first_export(self):
        assert publish() == 0

    def test_closed_weeks_from_the_first_need_on_and_months_whose_weeks_are_all_out(self):
        export(needs=needs(6, WEEKS[1]))

        assert publish() == 4  # This Monday, the week just past has not been closed for a day.
        assert publications() == [
            *((NANTONG, Span.WEEK, week) for week in WEEKS[1:]),
            (NANTONG, Span.MONTH, WEEKS[0]),
        ]

    def test_a_week_when_facts_tell_of_it_until_a_day_after_its_end(self, clock):
        clock.move(days=3)
        export(needs=needs(6, WEEKS[3]), as_of="2030-01-07T23:59")
        publish()
        assert (NANTONG, Span.WEEK, NEXT) not in publications()

        export(needs=needs(6, WEEKS[3]), as_of="2030-01-08")
        publish()
        assert (NANTONG, Span.WEEK, NEXT) in publications()

    def test_nothing_that_the_clock_says_is_yet_to_come(self, clock):
        export(needs=needs(6, WEEKS[3]), as_of="2031-01-01")

        publish()

        assert publications()[-1] == (NANTONG, Span.MONTH, WEEKS[0])

    def test_a_closed_week_without_a_need_is_published_with_nothing_in_it(self):
        export(needs=needs(6, WEEKS[0]))
        publish()

        assert (NANTONG, Span.WEEK, WEEKS[2]) in publications()
        assert list(told(SheetName.NEEDS)["week"]) == [WEEKS[0]]

    def test_every_city_by_itself(self):
        export(needs=[*needs(6, WEEKS[2]), *needs(7, WEEKS[3], "510502", city=LUZHOU)])
        publish()

        rows = told(SheetName.NEEDS, cities=(NANTONG, LUZHOU))
        assert list(zip(rows["city"], rows["needs"], strict=True)) == [(NANTONG, 6), (LUZHOU, 7)]
        assert list(told(SheetName.NEEDS, cities=(LUZHOU,))["needs"]) == [7]

    def test_nothing_of_broken_facts(self, folder, caplog):
        export(needs=needs(6))
        next(folder.glob("facts/needs/*")).write_bytes(b"half a file")

        assert publish() == 0
        assert "facts are broken" in caplog.text

    def test_it_is_a_job_with_a_lamp(self):
        assert jobs.JOBS["publish_figures"].apart is publishing.publish


class TestOnce:
    def test_publishing_again_does_nothing(self):
        export(needs=needs(6))
        before = publish(), publications()

        assert (publish(), publications()) == (0, before[1])

    @pytest.mark.race
    def test_two_at_once_publish_each_span_once(self):
        export(needs=needs(6))
        gate = threading.Barrier(2)
        done = []

        def run():
            gate.wait()
            done.append(publish())

        threads = [threading.Thread(target=run) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sum(done) == len(publications()) == len(set(publications()))

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE publications SET smallest_cell = 6",
            "DELETE FROM published_sheets",
            "DELETE FROM publications",
            "UPDATE published_sheets SET columns = '{}'",
        ],
    )
    def test_nothing_published_can_be_changed(self, change):
        export(needs=needs(6))
        publish()

        with (
            pytest.raises(DatabaseError, match="what is published is never changed"),
            engines.writing() as session,
        ):
            session.execute(text(change))

    def test_what_changes_later_changes_no_sheet(self):
        rows = needs(8)
        export(needs=rows, as_of="2029-12-12")
        publish()
        for row in rows[:3]:
            row["order_status"] = "cancelled"
        export(needs=rows)
        publish()

        assert list(told(SheetName.NEEDS)["needs"]) == [8]

    def test_a_month_is_made_of_the_needs_its_weeks_told(self):
        """What was called off in between would be the difference of the two."""
        rows = [*needs(8, WEEKS[0], sex="male"), *needs(7, WEEKS[0])]
        export(needs=rows, as_of="2029-12-12")
        publish()
        rows[0]["order_status"] = "cancelled"
        export(needs=rows)
        publish()

        groups = told(SheetName.GROUPS_OF_PEOPLE)
        by_sex = groups[groups["dimension"] == "sex"]
        assert dict(zip(by_sex["bucket"], by_sex["needs"], strict=True)) == {"male": 8, "female": 7}

    def test_a_week_is_held_no_longer_than_until_its_month(self):
        export(needs=needs(6), as_of="2029-12-20")
        publish()
        with engines.reading() as session:
            assert session.scalar(select(func.count()).select_from(HeldWeek)) == 2
        export(needs=needs(6))
        publish()

        with engines.reading() as session:
            assert session.scalar(select(func.count()).select_from(HeldWeek)) == 0

    def test_a_district_that_was_given_another_code_has_it_from_the_next_sheet_on(self):
        rows = [*needs(6, WEEKS[0]), *needs(6, WEEKS[3])]
        export(needs=rows, as_of="2029-12-12")
        publish()
        for row in rows:
            row["district"] = RUGAO
        export(needs=rows)
        publish()

        assert list(told(SheetName.NEEDS)["district"]) == [CHONGCHUAN, RUGAO]

    def test_a_larger_smallest_cell_is_that_of_later_publications_only(self):
        rows = [
            row
            for week in (WEEKS[0], WEEKS[3])
            for district in (CHONGCHUAN, TONGZHOU)
            for row in needs(6, week, district)
        ]
        export(needs=rows, as_of="2029-12-12")
        publish()
        with engines.writing() as session:
            session.execute(update(City).values(smallest_cell=9))
        export(needs=rows)
        publish()

        sheet = told(SheetName.NEEDS)
        assert list(zip(sheet["week"], sheet["district"], sheet["needs"], strict=True)) == [
            (WEEKS[0], TONGZHOU, 6),
            (WEEKS[0], CHONGCHUAN, 6),
            (WEEKS[3], None, 12),
        ]


class TestSheets:
    def test_weeks_that_are_too_small_are_told_together_with_the_month(self):
        export(needs=[*needs(4, WEEKS[0]), *needs(3, WEEKS[2]), *needs(6, WEEKS[3])])
        publish()

        sheet = told(SheetName.NEEDS)
        assert list(zip(sheet["span"], sheet["weeks"], sheet["needs"], strict=True)) == [
            (Span.MONTH, 3, 7),
            (Span.WEEK, 1, 6),
        ]

    def test_a_month_whose_small_weeks_are_too_small_even_together_keeps_them_to_itself(self):
        export(needs=[*needs(3, WEEKS[0]), *needs(9, WEEKS[1], sex="male"), *needs(9, WEEKS[1])])
        publish()

        assert list(told(SheetName.NEEDS)["needs"]) == [18]
        groups = told(SheetName.GROUPS_OF_PEOPLE)
        assert set(groups[groups["dimension"] != "home"].groupby("dimension")["needs"].sum()) == {
            18
        }

    def test_what_counts_and_what_is_served(self):
        export(
            needs=[
                *needs(6, order_status="confirmed"),
                *needs(6, order_status="paused"),
                *needs(6, order_status="missed"),
                *needs(5, served=False),
                *needs(5, order_status="cancelled"),
                *needs(5, served=False, status="withdrawn"),
            ]
        )
        known = planted.lake.contents()
        week = composing.sheets_of_week(known, NANTONG, WEEKS[0], K)

        [cell] = week.cells
        assert (len(cell.rows), sum(one.served for one in cell.rows)) == (23, 12)

    def test_every_sheet_tells_something_of_a_busy_month(self):
        export(**planted.busy_month())
        publish()

        counts = {name: len(told(name)) for name in SheetName}
        assert min(counts.values()) > 0, counts
        funnel = told(SheetName.FUNNEL)
        assert set(funnel["week"]) == {*WEEKS}
        assert (funnel["count"] % K == 0).all()

    def test_what_was_missed_is_caught_up_and_read_as_one_table(self):
        weeks = [WEEKS[0] - timedelta(weeks=number) for number in range(40)]
        export(needs=[row for week in weeks for row in needs(6, week)])
        assert publish() > len(weeks) * 5 / 4

        sheet = told(SheetName.NEEDS)
        assert len(sheet) == len(weeks)
        assert sheet["week"].is_monotonic_increasing

    def test_nothing_told_is_an_empty_table(self):
        assert told(SheetName.NEEDS).empty

    def test_the_newest_day_told(self):
        export(needs=needs(6))
        publish()

        with engines.reading() as session:
            newest = sheets.newest(session, [NANTONG])
            assert newest is not None
            assert newest.last_day == date(2029, 12, 30)
            assert sheets.newest(session, [LUZHOU]) is None

    def test_a_need_that_ends_at_night_is_wanted_in_every_part_of_the_day_it_lasts_through(self):
        export(needs=[need("a", group=ItemGroup.MATERNITY, hour=10)])
        [one] = composing.microdata.needs(planted.lake.contents(), NANTONG, WEEKS[0])

        assert {piece.daypart: piece.hours for piece in composing._laid_out(one)} == {
            "night": 6, "morning": 6, "afternoon": 6, "evening": 6,
        }  # fmt: skip

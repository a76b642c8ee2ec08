import logging
import os
import threading
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from services.analytics import lake, rollups, tables
from services.analytics.schemas import Fact
from services.analytics.terms import Daypart
from tests.services.analytics import by_hand
from tests.services.analytics.lakes import AS_OF, Lake

at = datetime.fromisoformat  # Facts tell the city's time, without a zone.


def told(table: str) -> list[dict[str, Any]]:
    """All rows of a table."""
    with rollups.reading() as cursor:
        found = cursor.execute(f"FROM {table}")
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def ordered(rows):
    """The rows in an order of their own, fractions without what adding up in an order leaves."""
    rounded = [
        {name: round(cell, 6) if isinstance(cell, float) else cell for name, cell in row.items()}
        for row in rows
    ]
    return sorted(rounded, key=lambda row: [(cell is not None, cell) for cell in row.values()])


def everything():
    return {table: ordered(told(table)) for table in by_hand.TABLES}


def only(table: str) -> dict[str, Any]:
    (row,) = told(table)
    return row


@pytest.fixture
def one_need():
    """A lake with one need of Monday 2030-01-07 08:00, matched two hours after it was posted."""
    lake = Lake()
    lake.add(
        Fact.NEEDS,
        city="320600",
        district="320613",
        item="companionship",
        item_group="elderly",
        posted_at=at("2030-01-06 08:00"),
        matched_at=at("2030-01-06 10:00"),
        starts_at=at("2030-01-07 08:00"),
        hours=4,
        status="matched",
        order_status="completed",
        agreed_fen=4000,
    )
    return lake


@pytest.mark.parametrize("seed", range(3))
def test_every_figure_is_what_a_count_by_hand_gives(seed):
    lake = Lake(seed).fill()
    lake.write()
    rollups.build()
    for table, rows in everything().items():
        assert len(rows) > 20
        assert rows == ordered(by_hand.TABLES[table](lake)), table


@pytest.mark.parametrize("seed", range(2))
def test_what_is_built_bit_by_bit_is_what_is_built_at_once(seed):
    lake = Lake(seed, as_of=AS_OF - timedelta(days=30)).fill(150)
    lake.write()
    rollups.build()
    for _ in range(3):
        lake.as_of += timedelta(days=6, hours=5)
        change(lake)
        lake.write()
        assert rollups.build() > 0
        assert rollups.build() == 0
        grown = everything()
        rollups.build(everything=True)
        assert grown == everything()
    assert grown == {name: ordered(table(lake)) for name, table in by_hand.TABLES.items()}


def change(lake):
    """What a few days bring: news, rows that go on, and some that are gone."""
    chance = lake.chance
    lake.fill(20)
    for need in chance.sample(lake.rows[Fact.NEEDS], 5):
        need |= {"status": "withdrawn", "matched_at": None}
    for visit in chance.sample(lake.rows[Fact.VISITS], 5):
        visit |= {"status": "redeemed", "redeemed_at": lake.moment(lake.first, lake.as_of)}
    family, caregiver = chance.choice(lake.rows[Fact.FAMILIES]), lake.rows[Fact.CAREGIVERS][0]
    family |= {"holder_age": "40_49", "verified_at": lake.as_of}
    caregiver |= {"level": chance.choice(("new", "proven", "senior")), "district": "320682"}
    for fact in (Fact.NEEDS, Fact.OFFERS, Fact.SUPPLY):
        lake.rows[fact].remove(chance.choice(lake.rows[fact]))


def test_only_what_a_changed_file_tells_of_is_made_anew():
    lake = Lake().fill()
    lake.write()
    assert rollups.build() > 4
    lake.rows[Fact.UNMET][0]["obstacle"] = "busy"
    lake.write()
    assert rollups.build() <= 3


def test_a_changed_caregiver_is_as_she_is_now_in_every_month():
    lake = Lake().fill()
    lake.write()
    rollups.build()
    lake.rows[Fact.CAREGIVERS][0]["level"] = "retired"
    lake.write()
    rollups.build()
    assert ordered(told("caregivers_monthly")) == ordered(by_hand.caregivers_monthly(lake))


def test_a_month_whose_file_is_gone_is_told_no_more():
    lake = Lake().fill()
    lake.write()
    rollups.build()
    lake.rows[Fact.NEEDS] = [
        row for row in lake.rows[Fact.NEEDS] if f"{row['starts_at']:%Y-%m}" != "2029-12"
    ]
    lake.write()
    rollups.build()
    assert everything() == {name: ordered(table(lake)) for name, table in by_hand.TABLES.items()}


def test_a_clock_put_back_takes_back_what_had_begun(one_need):
    one_need.write()
    rollups.build()
    one_need.as_of = at("2030-01-07 07:00")
    one_need.write()
    rollups.build()
    assert told("needs_weekly") == []


def test_one_need_is_one_row(one_need):
    one_need.write()
    rollups.build()
    assert only("needs_weekly") == {
        "week": date(2030, 1, 7),
        "city": "320600",
        "district": "320613",
        "item_group": "elderly",
        "item": "companionship",
        "needs": 1,
        "served": 1,
        "wanted_hours": 4,
        "served_hours": 4,
        "matched": 1,
        "wait_hours": 2.0,
        "price_fen": 4000,
    }


def test_a_need_counts_from_the_moment_it_begins(one_need):
    (need,) = one_need.rows[Fact.NEEDS]
    need["starts_at"] = AS_OF + timedelta(minutes=1)
    one_need.write()
    rollups.build()
    assert told("needs_weekly") == told("groups_weekly") == told("families_monthly") == []
    assert {row["stage"] for row in told("funnel_weekly")} == {"asked", "matched"}
    one_need.as_of = need["starts_at"]
    one_need.write()
    rollups.build()
    assert only("needs_weekly")["needs"] == 1


@pytest.mark.parametrize(
    ("status", "order_status", "needs", "served"),
    [
        ("matched", "completed", 1, 1),
        ("matched", "paused", 1, 1),
        ("matched", "missed", 1, 0),
        ("matched", "cancelled", 0, 0),
        ("open", "cancelled", 1, 0),
        ("expired", None, 1, 0),
        ("withdrawn", None, 0, 0),
    ],
)
def test_what_counts_and_what_is_served(one_need, status, order_status, needs, served):
    one_need.rows[Fact.NEEDS][0] |= {"status": status, "order_status": order_status}
    one_need.write()
    rollups.build()
    rows = told("needs_weekly")
    assert sum(row["needs"] for row in rows) == needs
    assert sum(row["served"] for row in rows) == served


def hours_by_daypart() -> dict[str, float]:
    return {row["daypart"]: row["wanted_hours"] for row in told("dayparts_weekly")}


def test_hours_over_midnight_are_of_the_evening_and_the_night(one_need):
    one_need.rows[Fact.NEEDS][0] |= {"starts_at": at("2030-01-07 22:30"), "hours": 4}
    one_need.write()
    rollups.build()
    assert hours_by_daypart() == {Daypart.EVENING: 1.5, Daypart.NIGHT: 2.5}


def test_a_carer_who_lives_in_for_26_days_is_wanted_at_all_hours_alike(one_need):
    one_need.rows[Fact.NEEDS][0] |= {"starts_at": at("2030-01-07 09:15"), "hours": 26 * 24}
    one_need.write()
    rollups.build()
    assert hours_by_daypart() == dict.fromkeys(Daypart, 26 * 6.0)


def test_a_week_over_new_year_is_one_row_and_of_the_month_of_its_thursday(one_need):
    (need,) = one_need.rows[Fact.NEEDS]
    need |= {"starts_at": at("2029-12-31 08:00"), "posted_at": at("2029-12-30 00:00")}
    one_need.add(Fact.NEEDS, **need | {"need": "b", "starts_at": at("2030-01-06 23:59")})
    one_need.write()
    rollups.build()
    row = only("needs_weekly")
    assert (row["week"], row["needs"]) == (date(2029, 12, 31), 2)
    assert [row["month"] for row in told("families_monthly")] == [date(2030, 1, 1)]
    family = only("families_monthly")
    assert [family[name] for name in ("families", "new", "repeated", "needs")] == [1, 1, 1, 2]


def test_a_family_on_a_plan_is_there_in_the_months_it_is_visited(one_need):
    (need,) = one_need.rows[Fact.NEEDS]
    need |= {"starts_at": at("2029-11-07 08:00"), "posted_at": at("2029-11-06 00:00")}
    one_need.add(
        Fact.VISITS,
        **{name: need[name] for name in ("family", "city", "district", "item", "item_group")},
        starts_at=at("2029-12-12 08:00"),
        ends_at=at("2029-12-12 12:00"),
        status="redeemed",
        redeemed_at=at("2029-12-12 13:00"),
        total_fen=16000,
    )
    one_need.write()
    rollups.build()
    names = ("month", "families", "new", "repeated", "needs", "spend_fen")
    assert [[row[name] for name in names] for row in told("families_monthly")] == [
        [date(2029, 11, 1), 1, 1, 0, 1, 0],
        [date(2029, 12, 1), 1, 0, 0, 0, 16000],
    ]


def test_without_facts_the_tables_are_there_and_empty():
    Lake().write()
    rollups.build()
    assert not any(everything().values())
    assert rollups.standing()[0] == AS_OF


def test_nothing_is_built_before_the_first_export():
    assert rollups.build() == 0
    assert rollups.standing() == (None, "")
    with pytest.raises(rollups.NotBuilt):
        rollups.reading()


def test_what_pages_read_has_its_columns_even_before_there_is_anything():
    asked = {"320600"}, date(2029, 1, 1), date(2030, 12, 31)
    empty = {table: rollups.read(table, *asked) for table in by_hand.TABLES}
    Lake().fill().write()
    rollups.build()
    for table, nothing in empty.items():
        full = rollups.read(table, *asked)
        assert nothing.empty
        assert list(full.columns) == list(nothing.columns)
        assert list(full.columns[:2]) == ["day", "weeks"]
        assert set(full["city"]) == {"320600"}


def test_pages_read_the_cells_that_begin_from_one_day_to_another():
    Lake().fill().write()
    rollups.build()
    weeks = rollups.read("needs_weekly", {"320600"}, date(2029, 11, 20), date(2029, 12, 3))
    assert {f"{day:%Y-%m-%d}" for day in weeks["day"]} == {"2029-11-26", "2029-12-03"}
    assert set(weeks["weeks"]) == {1}
    months = rollups.read("cells_monthly", {"320600"}, date(2029, 10, 29), date(2029, 12, 3))
    assert {f"{day:%Y-%m-%d}" for day in months["day"]} == {"2029-10-29", "2029-12-03"}
    assert set(months["weeks"]) == {4, 5}  # November of 2029 has five Thursdays, December four.


def damage(file):
    with file.open("r+b") as written:
        written.seek(file.stat().st_size // 2)
        written.write(b"?")


def cut(file):
    os.truncate(file, file.stat().st_size // 3)


@pytest.mark.parametrize("harm", [damage, cut, lambda file: file.write_bytes(b"nothing")])
def test_rollups_that_are_not_as_they_were_written_are_built_anew(caplog, harm):
    lake = Lake().fill()
    lake.write()
    rollups.build()
    before = everything()
    harm(rollups.file())
    assert rollups.build() > 4
    assert everything() == before
    assert "built anew" in caplog.text


def test_what_is_no_database_cannot_be_read(caplog):
    Lake().write()
    rollups.file().write_bytes(b"nothing at all")
    with pytest.raises(rollups.NotBuilt):
        rollups.reading()
    assert "cannot be read" in caplog.text


def test_another_way_of_making_them_makes_them_anew(monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    Lake().fill().write()
    months = rollups.build()
    monkeypatch.setattr(rollups, "_recipe", lambda: "another")
    assert rollups.build() == months
    assert "in another way" in caplog.text


def test_a_build_that_fails_leaves_the_former(monkeypatch, folder):
    lake = Lake().fill()
    lake.write()
    rollups.build()
    before = everything()
    lake.fill(10)
    lake.write()
    monkeypatch.setattr(tables, "WANTED", "SELECT nothing_like_it")
    with pytest.raises(rollups.duckdb.BinderException):
        rollups.build()
    assert everything() == before


def test_of_broken_facts_nothing_is_built(caplog):
    written = Lake().fill(30)
    written.write()
    rollups.build()
    before = everything()
    written.add(Fact.UNMET)
    written.write()
    file = lake.path(Fact.UNMET, lake.contents().months(Fact.UNMET)[-1])
    file.write_bytes(file.read_bytes()[:-9])
    assert rollups.build() == 0
    assert everything() == before
    assert "facts are broken" in caplog.text


def test_what_a_killed_build_left_is_swept_away(folder):
    Lake().write()
    (folder / "rollups.99.draft").write_bytes(b"half")
    (folder / "rollups.99.draft.wal").write_bytes(b"half")
    (folder / "rollups.99.draft.tmp").mkdir()
    rollups.build()
    assert sorted(one.name for one in folder.iterdir()) == [
        "facts",
        "rollups.duckdb",
        "rollups.sha256",
    ]


def test_who_reads_goes_on_with_what_they_began_with(one_need):
    one_need.write()
    rollups.build()
    with rollups.reading() as cursor:
        one_need.add(Fact.NEEDS, **one_need.rows[Fact.NEEDS][0] | {"need": "b"})
        one_need.write()
        rollups.build()
        assert only("needs_weekly")["needs"] == 2
        assert cursor.execute("SELECT sum(needs) FROM needs_weekly").fetchall() == [(1,)]


def test_threads_read_while_the_file_is_replaced():
    """Each answer is of one version: needs by age are as many as needs by week."""
    written = Lake().fill(60)
    written.write()
    rollups.build()
    over, wrong, answers = threading.Event(), list[object](), list[int]()

    def ask() -> None:
        seen = 0
        while not over.wait(0.01):
            try:
                with rollups.reading() as cursor:
                    (row,) = cursor.execute(
                        "SELECT (SELECT sum(needs) FROM needs_weekly),"
                        " (SELECT sum(needs) FROM groups_weekly WHERE dimension = 'age')"
                    ).fetchall()
                if row[0] != row[1] or row[0] < seen:
                    wrong.append(row)
                seen = row[0]
            except Exception as failed:
                wrong.append(failed)
                return
        answers.append(seen)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(4):
        for _ in range(10):
            written.add(Fact.NEEDS, status="open", starts_at=AS_OF - timedelta(days=1))
        written.write()
        rollups.build()
    over.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(answers) == 3


def test_the_file_does_not_grow_with_each_refresh():
    written = Lake().fill()
    written.write()
    rollups.build()
    sizes = []
    for _ in range(8):
        written.rows[Fact.NEEDS][0]["hours"] += 1
        written.write()
        rollups.build()
        sizes.append(rollups.file().stat().st_size)
    assert max(sizes[4:]) <= max(sizes[:4])


def test_a_folder_may_have_any_name(monkeypatch, tmp_path):
    monkeypatch.setenv("CAREPILOT_FIGURES", str(tmp_path / "a 'quoted' 图"))
    Lake().fill(30).write()
    rollups.build()
    assert told("needs_weekly")
    assert lake.folder().name == "a 'quoted' 图"

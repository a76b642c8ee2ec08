"""The export: what changed and nothing else, whole again after every accident, and nobody in it."""

import os
import random
import re
import shutil
import threading
from collections import Counter
from datetime import timedelta
from itertools import product

import pyarrow.parquet as pq
import pytest
from sqlalchemy import delete, select, text, update

from data import database as engines
from data.base import Base
from data.demands import Application, ApplicationStatus, Demand, DemandStatus
from data.history import AuditEvent
from data.orders import EndReason, Order, OrderStatus, Party, Visit, VisitStatus
from data.recipients import Recipient, Sex
from data.reviews import Review
from data.verifications import CaseStatus
from services import (
    accounts,
    applications,
    bookings,
    customers,
    demands,
    erasure,
    footfalls,
    idle_demands,
    no_shows,
    places,
    redemption,
    reviews,
    visits,
)
from services.access import SYSTEM, Actor, Role
from services.analytics import checks, exports, facts, lake, pseudonyms, upkeep
from services.analytics.months import Month
from services.analytics.schemas import Fact
from services.demands import Terms
from services.errors import ServiceError
from services.reviews import ReviewForm
from tests.factories import (
    CHONGCHUAN,
    LI,
    LUZHOU,
    MONDAY,
    NAMES,
    NANTONG,
    OPERATOR,
    STRANGER,
    TONGZHOU,
    ZHAO,
    ZHOU,
    cancel_order,
    code_of,
    decide_case,
    id_number,
    make_application,
    make_booking,
    make_case,
    make_demand,
    make_family,
    make_finished_visit,
    make_newcomer,
    make_order,
    make_redeemed_visit,
    one_person,
    phone_of,
)
from tests.log_watch import PERSONAL
from tests.services.analytics import story

# A neighbourhood of the district that is not its middle.
AT_HOME = min(places.cells_of_district(CHONGCHUAN) - {places.cell_of_district(CHONGCHUAN)})
# Columns of the database that hold what people are called, or wrote.
PERSONS_WORDS = {"name", "words", "report_words", "hidden_words", "decision_words", "language"}


@pytest.fixture
def lived(session):
    """The story, lived and exported once."""
    story.live(session)
    exports.refresh(session)
    return session


def files():
    """Every part, with the bytes of its file."""
    known = lake.contents()
    assert lake.broken(known) == []
    there = set((lake.folder() / "facts").glob("*/*"))
    told = {lake.path(part.fact, part.month): name for name, part in known.parts.items()}
    assert there == set(told), "there is a file nobody knows of"
    return {name: path.read_bytes() for path, name in told.items()}


def whole(session):
    """What an export from nothing makes of the database as it is, in another place."""
    with pytest.MonkeyPatch.context() as patch:
        elsewhere = lake.folder().with_name("elsewhere")
        patch.setenv("CAREPILOT_FIGURES", str(elsewhere))
        try:
            exports.refresh(session)
            return files()
        finally:
            shutil.rmtree(elsewhere)


def changed(session):
    """The names of the parts that an export writes anew."""
    before = files()
    exports.refresh(session)
    after = files()
    return {name for name in before.keys() | after if before.get(name) != after.get(name)}


class TestIncremental:
    def test_an_empty_database_has_empty_facts(self, empty_database):
        engines.upgrade()
        with engines.still() as session:
            done = exports.refresh(session, everything=True)
            assert checks.differences(session) == []

        assert (done, files()) == (exports.Exported(0, 0, 0), {})
        assert lake.contents().as_of == MONDAY.replace(tzinfo=None)

    def test_one_order_is_told_whole(self, session):
        make_order(session)
        exports.refresh(session)

        [need], [visit], [offer] = map(story.rows, (Fact.NEEDS, Fact.VISITS, Fact.OFFERS))
        assert need["order"] == visit["order"]
        assert need["need"] == offer["need"]
        assert (need["order_status"], offer["outcome"]) == ("confirmed", "accepted")

    def test_a_city_opened_yesterday_has_its_footfall_and_nothing_else(self, session, clock):
        footfalls.note(session, LUZHOU)
        exports.refresh(session)

        told = {fact: [row["city"] for row in story.rows(fact)] for fact in Fact}
        assert {fact for fact, codes in told.items() if LUZHOU in codes} == {Fact.FOOTFALL}

    def test_where_nothing_happened_nothing_is_written(self, lived):
        before = {name: part.written_ns for name, part in lake.contents().parts.items()}

        for everything in (False, True):
            assert exports.refresh(lived, everything=everything) == exports.Exported(0, 0, 0)
        assert {name: part.written_ns for name, part in lake.contents().parts.items()} == before

    def test_an_order_changes_its_own_months_only(self, lived, clock):
        far = clock.moment + timedelta(days=50)
        assert changed(lived) == set()

        make_order(lived, starts_at=far)
        assert changed(lived) == {"needs/2030-02", "visits/2030-02", "offers/2030-01"}

    @pytest.mark.parametrize(
        ("deed", "parts"),
        [
            ("check_in", {"visits/2030-01"}),
            ("redeem", {"needs/2029-12", "visits/2029-12"}),
            ("hide", {"reviews/2030-01"}),
            ("show", {"reviews/2030-01"}),
            ("take_back", {"visits/2030-01"}),
            ("withdraw", {"offers/2030-01"}),
            ("choose_region", {"families/2030-01"}),
            ("verify", {"families/2030-01"}),
            ("improve", {"needs/2030-01", "needs/2030-02"}),
        ],
    )
    def test_what_leaves_a_trace_is_found(self, session, clock, deed, parts):
        act = getattr(Deeds(session, clock), deed)
        exports.refresh(session)
        act()
        session.flush()

        assert changed(session) == parts
        assert files() == whole(session)

    def test_after_whatever_happened_it_is_as_if_made_anew(self, session, clock):
        life = Life(session, clock, seed=7)
        exports.refresh(session)
        for number in range(60):
            life.step()
            if number % 3 == 0:
                exports.refresh(session)
        exports.refresh(session)

        told = files()
        assert told == whole(session)
        assert checks.differences(session) == []
        assert life.done.keys() >= set(Life.DEEDS)

    def test_what_leaves_none_is_found_at_night(self, lived):
        lived.execute(update(Recipient).values(sex=Sex.MALE))
        lived.execute(update(Demand).values(district_code=TONGZHOU))

        assert changed(lived) == set()
        exports.refresh(lived, everything=True)
        assert files() == whole(lived)
        assert {row["district"] for row in story.rows(Fact.NEEDS)} == {TONGZHOU}

    def test_a_number_that_comes_late_is_not_missed(self, session):
        """Of two who write at once, the one with the lower number may be done later."""
        visit_id = make_redeemed_visit(session)
        reviews.write(session, ZHOU, visit_id, ReviewForm(5, 5, 5, 5))
        session.flush()
        review = session.scalars(select(Review)).one()
        values = {column.name: getattr(review, column.name) for column in Review.__table__.columns}
        session.execute(delete(Review))
        session.expire_all()
        session.execute(
            Review.__table__.insert(),
            [values | {"id": 4, "visit_id": None, "month": MONDAY.date().replace(day=1)}],
        )
        exports.refresh(session)
        assert len(story.rows(Fact.REVIEWS)) == 1

        session.execute(Review.__table__.insert(), [values | {"id": 2}])
        assert changed(session) == {"reviews/2030-01"}
        assert len(story.rows(Fact.REVIEWS)) == 2
        assert lake.contents().gaps["reviews"] == [1, 3]

    def test_a_clock_that_jumps_back_loses_no_row(self, lived, clock):
        clock.move(days=-200)
        make_order(lived, starts_at=clock.moment + timedelta(days=2))
        footfalls.note(lived, NANTONG)
        exports.refresh(lived)

        assert files() == whole(lived) | {
            name: data for name, data in files().items() if name.startswith("supply/")
        }
        assert lake.contents().as_of == clock.moment.replace(tzinfo=None)
        assert len(story.rows(Fact.NEEDS)) == len(lived.scalars(select(Demand)).all())

    def test_an_older_database_is_exported_anew(self, lived, caplog):
        known = lake.contents()
        known.marks["status_changes"] += 5
        lake.keep(known)

        exports.refresh(lived)
        assert "an older one" in caplog.text
        assert files() == whole(lived)
        caplog.clear()
        make_demand(lived, starts_at=MONDAY + timedelta(days=3))
        assert changed(lived) == {"needs/2030-01"}
        assert caplog.text == ""

    def test_under_another_key_everybody_has_another_name(self, lived, monkeypatch):
        known = {row["family"] for row in story.rows(Fact.NEEDS)}
        pseudonyms.of.cache_clear()
        for place in (pseudonyms, exports):
            for name in {"derived_key", "keyed_hash"} & set(vars(place)):
                monkeypatch.setattr(place, name, changed_key(getattr(place, name)))
        exports.refresh(lived)
        pseudonyms.of.cache_clear()

        assert not known & {row["family"] for row in story.rows(Fact.NEEDS)}
        supplied = {row["caregiver"] for row in story.rows(Fact.SUPPLY)}
        assert supplied <= {row["caregiver"] for row in story.rows(Fact.CAREGIVERS)}


def changed_key(derive):
    return lambda purpose, *words: derive(f"another {purpose}", *words)


class Deeds:
    """What changes a row; what it needs is made before the first export."""

    def __init__(self, session, clock):
        self.session, self.clock = session, clock
        self.visit = make_finished_visit(session, starts_at=clock.moment - timedelta(days=9))
        reviewed = make_redeemed_visit(session, starts_at=clock.moment - timedelta(days=12))
        reviews.write(session, ZHOU, reviewed, ReviewForm(5, 5, 5, 5))
        order = make_order(session, caregiver=ZHAO, starts_at=clock.moment + timedelta(hours=1))
        session.flush()
        self.next = session.scalars(select(Visit.id).where(Visit.order_id == order)).one()
        self.review = session.scalars(select(Review.id)).one()
        self.demand = make_demand(session, starts_at=clock.moment + timedelta(days=10))
        make_application(session, make_demand(session, starts_at=clock.moment + timedelta(days=9)))
        self.idle = make_demand(session, starts_at=clock.moment + timedelta(days=8))
        self.newcomer = make_newcomer(session)
        make_case(session, self.newcomer, CaseStatus.SUBMITTED)

    def check_in(self):
        visits.check_in(self.session, ZHAO, self.next)

    def redeem(self):
        code = code_of(self.session, self.visit)
        assert redemption.redeem(self.session, ZHOU, self.visit, code) is None

    def hide(self):
        reviews.hide(self.session, OPERATOR, self.review, "言语不当")

    def show(self):
        self.hide()
        exports.refresh(self.session)
        reviews.show(self.session, OPERATOR, self.review)

    def take_back(self):
        visit = self.session.get_one(Visit, self.next)
        visit.status, visit.ended_by = VisitStatus.MISSED, Party.CUSTOMER
        visit.end_reason = EndReason.NO_SHOW
        self.session.flush()
        exports.refresh(self.session, everything=True)
        no_shows.take_back(self.session, OPERATOR, self.next, "记录有误")

    def withdraw(self):
        mine = select(Application.demand_id).where(Application.status == "submitted")
        applications.withdraw(self.session, LI, self.session.scalars(mine).one())

    def choose_region(self):
        accounts.choose_region(self.session, ZHOU, LUZHOU, None)

    def verify(self):
        decide_case(self.session, self.newcomer)

    def improve(self):
        later = Terms(self.clock.moment + timedelta(days=30), 2, 3000, 6000)
        idle_demands.improve(self.session, ZHOU, self.idle, later)


class Life:
    """Deeds at random, each by whoever may do it; what is refused does not happen."""

    DEEDS = (
        "post", "apply", "approve", "decline", "ask", "accept", "refuse", "cancel", "come",
        "redeem", "review", "hide", "withdraw", "improve", "move", "open", "join", "expire",
    )  # fmt: skip

    def __init__(self, session, clock, seed):
        self.session, self.clock, self.chance = session, clock, random.Random(seed)
        self.done = Counter()
        self.left = [*self.DEEDS]

    def step(self):
        deed = self.left.pop(0) if self.left else self.chance.choice(self.DEEDS)
        try:
            with self.session.begin_nested():
                getattr(self, deed)()
                self.session.flush()
        except (ServiceError, IndexError):  # Refused, or there is nobody to do it with.
            return
        self.done[deed] += 1

    def some(self, table, *where):
        """One of these rows."""
        rows = self.session.scalars(select(table).where(*where).order_by(table.id)).all()
        return self.chance.choice(rows)

    def at(self):
        return self.clock.moment + timedelta(
            days=self.chance.randint(1, 40), hours=self.chance.randint(0, 6)
        )

    def post(self):
        make_demand(
            self.session,
            customer=self.chance.choice((ZHOU, STRANGER)),
            starts_at=self.at(),
            district_code=self.chance.choice((CHONGCHUAN, TONGZHOU)),
        )

    def apply(self):
        demand = self.some(Demand, Demand.status == DemandStatus.OPEN)
        make_application(self.session, demand.id, caregiver=self.chance.choice((LI, ZHAO)))

    def _applied(self):
        return self.some(Application, Application.status == ApplicationStatus.SUBMITTED).id

    def approve(self):
        applications.approve(self.session, OPERATOR, self._applied())

    def decline(self):
        demand_id = make_demand(self.session, starts_at=self.at())
        applied = make_application(self.session, demand_id, caregiver=ZHAO)
        applications.decline(self.session, OPERATOR, applied)

    def ask(self):
        make_booking(self.session, starts_at=self.at(), caregiver=LI)

    def _asked(self):
        self.ask()
        return self.some(Order, Order.status == OrderStatus.REQUESTED).id

    def accept(self):
        bookings.accept(self.session, LI, self._asked())

    def refuse(self):
        bookings.refuse(self.session, LI, self._asked())

    def cancel(self):
        order = self.some(Order, Order.status == OrderStatus.CONFIRMED)
        cancel_order(self.session, Actor(order.customer_id, Role.CUSTOMER), order.id)

    def come(self):
        visit_id = make_order(self.session, starts_at=self.at(), caregiver=ZHAO)
        visit = self.some(Visit, Visit.order_id == visit_id)
        self.clock.move(visit.starts_at)
        visits.check_in(self.session, ZHAO, visit.id)
        self.clock.move(visit.ends_at)
        visits.check_out(self.session, ZHAO, visit.id, ())

    def redeem(self):
        visit = self.some(Visit, Visit.status == VisitStatus.FINISHED)
        code = code_of(self.session, visit.id)
        assert redemption.redeem(self.session, ZHOU, visit.id, code) is None

    def review(self):
        visit = self.some(Visit, Visit.status == VisitStatus.REDEEMED)
        scores = (self.chance.randint(1, 5) for _ in range(4))
        reviews.write(self.session, ZHOU, visit.id, ReviewForm(*scores))

    def hide(self):
        reviews.hide(self.session, OPERATOR, self.some(Review).id, "言语不当")

    def withdraw(self):
        demand = self.some(Demand, Demand.status == DemandStatus.OPEN)
        demands.withdraw(self.session, Actor(demand.customer_id, Role.CUSTOMER), demand.id)

    def improve(self):
        demand_id = make_demand(self.session, starts_at=self.at())
        terms = Terms(self.at(), 3, 3000, 6000)
        idle_demands.improve(self.session, ZHOU, demand_id, terms)

    def move(self):
        accounts.choose_region(self.session, STRANGER, self.chance.choice((NANTONG, LUZHOU)), None)

    def open(self):
        footfalls.note(self.session, NANTONG)

    def join(self):
        make_newcomer(self.session, self.chance.randint(1, 10**6))

    def expire(self):
        self.clock.move(days=3)
        make_demand(self.session)
        self.clock.move(days=2)
        assert demands.expire_due(self.session, SYSTEM)


class TestForgetting:
    def test_who_is_erased_leaves_a_pseudonym_and_no_place(self, session, clock):
        visit_id = make_redeemed_visit(
            session, customer=STRANGER, cell=AT_HOME, starts_at=MONDAY - timedelta(days=40)
        )
        reviews.write(session, STRANGER, visit_id, ReviewForm(5, 5, 5, 5))
        accounts.choose_region(session, STRANGER, NANTONG, CHONGCHUAN)
        exports.refresh(session)
        assert AT_HOME in told_of(STRANGER)
        clock.move(days=30)
        erasure.ask(session, STRANGER)
        clock.move(days=7)
        assert erasure.erase_due(session, SYSTEM) == 1
        session.flush()
        exports.refresh(session)

        assert files() == whole(session)
        assert AT_HOME not in told_of(STRANGER)
        [family] = [row for row in story.rows(Fact.FAMILIES) if row["family"] == named(STRANGER)]
        assert {family[name] for name in ("city", "district", "holder_age", "verified_at")} == {
            None
        }
        [need] = story.rows(Fact.NEEDS)
        assert need["family"] == named(STRANGER)

    def test_two_who_are_one_person_become_one_family(self, session, clock):
        make_redeemed_visit(session, customer=STRANGER, starts_at=MONDAY - timedelta(days=40))
        one_person(session)
        for actor in (ZHOU, STRANGER):
            accounts.choose_region(session, actor, NANTONG, None)
        exports.refresh(session)
        customers.merge(session, OPERATOR, ZHOU.id, STRANGER.id)
        session.flush()
        exports.refresh(session)

        assert files() == whole(session)
        assert named(STRANGER) not in told_of(STRANGER)
        assert {row["family"] for row in story.rows(Fact.VISITS)} == {named(ZHOU)}


def named(family):
    return pseudonyms.of("family", family.id)


def told_of(family):
    """Every value of every row that tells of a family."""
    return {
        value
        for fact in (Fact.NEEDS, Fact.VISITS, Fact.REVIEWS, Fact.FAMILIES)
        for row in story.rows(fact)
        if row["family"] == named(family)
        for value in row.values()
    }


class TestNobody:
    def test_no_file_holds_anything_of_a_person(self, lived):
        """No name, phone, address, word or number of anybody, in no value and in no byte."""
        texts = {
            str(value)
            for fact in Fact
            for row in story.rows(fact)
            for cell in row.values()
            for value in (cell if isinstance(cell, list) else [cell])
        }
        raw = b"".join([*files().values(), (lake.folder() / "facts/list.json").read_bytes()])

        assert not [text for text in texts if PERSONAL.search(text)]
        known = {
            word
            for table in Base.metadata.sorted_tables
            for row in lived.execute(select(table)).mappings()
            for name, word in row.items()
            if isinstance(word, str) and name in PERSONS_WORDS and word
        }
        known |= {*NAMES.values(), "周奶奶", "濠河花园 3 幢 502 室", story.CALLER}
        known |= {phone_of(actor) for actor in NAMES} | {id_number(actor.id) for actor in NAMES}
        known |= {phone.removeprefix("+86") for phone in known if phone.startswith("+86")}
        assert len(known) > 30
        assert not [word for word in known if word in texts or word.encode() in raw]

    def test_nobodys_number_leaves_but_as_a_pseudonym(self, lived):
        whole_numbers = {
            (fact, name)
            for fact in Fact
            for row in story.rows(fact)
            for name, value in row.items()
            if type(value) is int
        }

        assert {name for _, name in whole_numbers} == {
            "hours", "lowest_fen", "highest_fen", "agreed_fen", "applications", "total_fen",
            "commission_fen", "price_fen", "weight", "skill", "attitude", "communication",
            "overall", "opened",
        }  # fmt: skip
        for fact in Fact:
            for row in story.rows(fact):
                for name in pseudonyms.WHO & row.keys():
                    assert row[name] is None or re.fullmatch("[0-9a-f]{16}", row[name])

    def test_opening_numbers_leaves_one_row_and_each_is_opened_once(self, session, clock):
        for number in range(3):
            make_family(session, number)
        exports.refresh(session)
        upkeep.note_openings(lambda deed: deed(session))
        make_family(session, 9)
        for _ in range(2):
            exports.refresh(session, everything=True)
            upkeep.note_openings(lambda deed: deed(session))
        session.flush()

        rows = session.scalars(
            select(AuditEvent).where(AuditEvent.action == "open_id_numbers")
        ).all()
        assert [row.detail for row in rows] == [{"count": 5}, {"count": 1}]
        assert {row["holder_age"] for row in story.rows(Fact.FAMILIES)} == {"40_49"}

    def test_what_could_not_be_noted_is_noted_the_next_time(self, session, clock):
        def fail(_deed):
            raise OSError("the database is away")

        make_family(session, 0)
        exports.refresh(session)
        opened = lake.contents().opened
        with pytest.raises(OSError, match="away"):
            upkeep.note_openings(fail)

        assert lake.contents().opened == opened > 0


class TestAccidents:
    @pytest.mark.parametrize("left", [0, 4])
    def test_who_dies_between_two_files_is_gone_on_for(self, session, left):
        story.live(session)
        with pytest.MonkeyPatch.context() as patch:
            dies_after(patch, left)
            with pytest.raises(Killed):
                exports.refresh(session)
        before = lake.contents()
        assert (len(before.parts), before.as_of) == (left, None)
        assert len(before.todo) > 5

        done = exports.refresh(session)
        after = lake.contents()
        assert done.parts == len(after.parts) - left
        assert (after.todo, done.mended) == (set(), 0)
        assert files() == whole(session)

    def test_who_dies_as_a_file_is_replaced_leaves_nothing_half(self, lived, caplog):
        def keep(known, keep=lake.keep):
            if not any(name.startswith("needs") for name in known.todo):
                raise Killed
            keep(known)

        make_order(lived, starts_at=MONDAY + timedelta(days=2))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(lake, "keep", keep)
            with pytest.raises(Killed):
                exports.refresh(lived)
        (lake.folder() / "facts" / "needs" / "2030-01.77.draft").write_bytes(b"half")
        [broken] = lake.broken(lake.contents())
        assert broken.fact is Fact.NEEDS

        done = exports.refresh(lived)
        assert (done.mended, caplog.text) == (0, "")
        assert files() == whole(lived)

    def test_a_broken_file_is_mended_and_said(self, lived, caplog):
        place, before = lake.path(Fact.VISITS, "2030-01"), files()
        data = place.read_bytes()
        other = data[:100] + bytes([data[100] ^ 1]) + data[101:]
        for spoiled, everything in product((other, data[:-7], b"", None), (False, True)):
            caplog.clear()
            place.unlink() if spoiled is None else place.write_bytes(spoiled)
            done = exports.refresh(lived, everything=everything)
            assert (done.parts, done.mended) == (1, 1)
            assert "the facts of visits 2030-01 are broken" in caplog.text
            assert upkeep.report(lived)["mended"] == 1
            assert files() == before
        assert exports.refresh(lived).mended == 0

    def test_what_a_failing_disk_changes_is_found_at_night(self, lived):
        place = lake.path(Fact.VISITS, "2030-01")
        before, was = files(), place.stat()
        place.write_bytes(place.read_bytes()[:-1] + b"?")
        os.utime(place, ns=(was.st_atime_ns, was.st_mtime_ns))

        assert exports.refresh(lived).mended == 0
        assert exports.refresh(lived, everything=True).mended == 1
        assert files() == before

    def test_a_half_list_means_everything_anew(self, lived, caplog):
        before, place = files(), lake.folder() / "facts" / "list.json"
        for spoil in (
            lambda text: text[: len(text) // 2],
            lambda text: "",
            lambda text: "[]",
            lambda text: text.replace('"sha256"', '"sha"'),
            lambda text: text.replace('"needs"', '"wants"'),
        ):
            caplog.clear()
            place.write_text(spoil(place.read_text()))
            (lake.folder() / "facts" / "needs" / "2019-01.parquet").write_bytes(b"of a former list")
            done = exports.refresh(lived)
            assert "the list of facts cannot be read" in caplog.text
            assert done.parts == len(before)
            assert files() == before

    def test_two_at_once_take_their_turn(self, database):
        """Each in a process of its own would; the lock is of the file, so threads do too."""
        with engines.writing() as session:
            story.live(session)
        counted = []

        def export():
            with engines.still() as session:
                counted.append(exports.refresh(session).parts)

        both = [threading.Thread(target=export) for _ in range(2)]
        for one in both:
            one.start()
        for one in both:
            one.join()
        assert sorted(counted) == [0, len(lake.contents().parts)]


class Killed(Exception):
    """What stands for the end of the process."""


def dies_after(patch, parts):
    """Let the process end once so many parts are written."""
    write, written = lake.write, []

    def counting(*given):
        if len(written) == parts:
            raise Killed
        part = write(*given)
        written.append(part)
        return part

    patch.setattr(lake, "write", counting)


class TestMemory:
    def test_a_month_is_read_in_pieces_and_written_in_groups(self, session, monkeypatch):
        for number in range(7):
            make_demand(session, starts_at=MONDAY + timedelta(days=1, hours=number))
        exports.refresh(session)
        at_once = files()
        monkeypatch.setattr(facts, "PIECE", 2)
        exports.refresh(session, everything=True)
        assert files() == at_once

        monkeypatch.setattr(lake, "_ROW_GROUP", 3)
        lake.write(lake.contents(), Fact.NEEDS, "2030-01", _pieces(session))
        told = pq.ParquetFile(lake.path(Fact.NEEDS, "2030-01"))
        assert [told.metadata.row_group(n).num_rows for n in range(told.num_row_groups)] == [
            3,
            3,
            1,
        ]

    def test_a_month_is_found_by_its_indexes(self, sqlite_database):
        """A look at everything ever wanted, or that ever happened, would cost more by the day.

        PostgreSQL plans by how much there is, and here is next to nothing.
        """
        with engines.reading() as session:
            for query in (
                query
                for fact in (Fact.NEEDS, Fact.VISITS, Fact.OFFERS)
                for query in facts._SOURCES[fact](Month("2030-01"))
            ):
                asked = query.compile(session.connection(), compile_kwargs={"literal_binds": True})
                steps = session.execute(text(f"EXPLAIN QUERY PLAN {asked}")).all()
                plan = "\n".join(step[-1] for step in steps)
                assert not re.search(r"SCAN (demands|visits|status_changes)\b", plan)
                assert "noun_subject_id (noun=?)" not in plan


def _pieces(session):
    return facts.tables(session, Fact.NEEDS, Month("2030-01"))

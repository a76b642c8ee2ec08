"""Who makes a visit instead, and who closes one: wanted by many threads at once."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from data import database as engines
from data.complaints import Complaint, ComplaintCategory, Incident, IncidentKind
from data.history import Noun, StatusChange
from data.ledger import LedgerEntry, LedgerEvent, LedgerPosting
from data.orders import Visit, VisitStatus
from services import (
    changes,
    complaints,
    confirmation,
    incidents,
    redemption,
    stand_ins,
    substitutes,
)
from services import clock as service_clock
from services.access import SYSTEM
from services.errors import ServiceError
from tests.factories import (
    LI,
    OPERATOR,
    ZHAO,
    ZHOU,
    add_colleague,
    code_of,
    make_booking,
    make_family,
    make_finished_visit,
    make_visit,
)
from tests.races.rush import THREADS, overlaps, rush

pytestmark = pytest.mark.race


def act(deed):
    return engines.transact(deed)


def keys(outcomes):
    return {one.key for one in outcomes if isinstance(one, ServiceError)}


def won(outcomes):
    return [number for number, one in enumerate(outcomes) if not isinstance(one, ServiceError)]


def statuses(*visit_ids):
    with engines.reading() as session:
        return [session.get_one(Visit, one).status for one in visit_ids]


def coming(visit_id):
    """Who is to come, by the visit itself and by those that replace it; nobody comes twice."""
    with engines.reading() as session:
        assert overlaps(session) == 0
        assert not session.scalar(select(func.sum(LedgerPosting.amount_fen)))
        its = (Visit.id == visit_id) | (Visit.replaces_id == visit_id)
        planned = select(Visit.caregiver_id).where(its, Visit.status == VisitStatus.PLANNED)
        return session.scalars(planned).all()


@pytest.fixture
def visit_id(database):
    with engines.writing() as session:
        return make_visit(session)


@pytest.fixture
def offer_id(visit_id):
    return act(lambda session: substitutes.ask(session, OPERATOR, visit_id, ZHAO.id))


def test_of_two_who_could_come_one_is_asked(visit_id):
    with engines.writing() as session:
        colleague = add_colleague(session)
    candidates = ZHAO.id, colleague.id
    outcomes = rush(
        lambda number: act(
            lambda session: substitutes.ask(session, OPERATOR, visit_id, candidates[number % 2])
        )
    )

    assert len(won(outcomes)) == 1
    assert keys(outcomes) == {"error.substitute_asked_already"}
    assert coming(visit_id) == [LI.id]


def test_operators_who_ask_all_at_once_ask_each_visit_once(database, clock):
    with engines.writing() as session:
        starts = [clock.moment + timedelta(days=number) for number in range(1, 5)]
        ids = [make_visit(session, starts_at=at) for at in starts]
    outcomes = rush(
        # Each takes them in another order.
        lambda number: act(
            lambda session: stand_ins.ask_all(
                session,
                OPERATOR,
                [(one, ZHAO.id) for one in ids[number % 4 :] + ids[: number % 4]],
            )
        ),
        16,
    )

    assert sum(one.asked for one in outcomes) == 4
    refused = {each.refusal.key for one in outcomes for each in one.refused}
    assert refused == {"error.substitute_asked_already"}
    with engines.reading() as session:
        assert overlaps(session) == 0
        offered = select(Visit.replaces_id).where(Visit.status == VisitStatus.OFFERED)
        assert sorted(session.scalars(offered)) == ids


def test_nobody_is_asked_for_a_visit_that_is_called_off(visit_id):
    reason = changes.EndReason.PLANS_CHANGED
    deeds = (
        lambda session: substitutes.ask(session, OPERATOR, visit_id, ZHAO.id),
        lambda session: changes.cancel_visit(session, ZHOU, visit_id, reason, "", 0),
    )
    outcomes = rush(lambda number: act(deeds[number % 2]), 16)

    assert len([number for number in won(outcomes) if number % 2]) == 1
    assert statuses(visit_id) == [VisitStatus.CANCELLED]
    with engines.reading() as session:
        waiting = select(func.count()).where(Visit.status == VisitStatus.OFFERED)
        assert session.scalar(waiting) == 0
    assert coming(visit_id) == []


def test_her_yes_her_no_and_the_clock_leave_one_outcome(visit_id, offer_id, clock):
    def expire(session):
        with service_clock.at(clock.moment + timedelta(hours=3)):
            return substitutes.expire_due(session, SYSTEM) or None

    deeds = (
        lambda session: substitutes.accept(session, ZHAO, offer_id) or "yes",
        lambda session: substitutes.refuse(session, ZHAO, offer_id) or "no",
        expire,
    )
    outcomes = rush(lambda number: act(deeds[number % 3]))

    decided = [one for one in outcomes if one is not None and not isinstance(one, ServiceError)]
    assert len(decided) == 1
    assert keys(outcomes) == {"error.visit_moved_on"}
    assert coming(visit_id) == [ZHAO.id if decided == ["yes"] else LI.id]


def test_she_is_asked_or_booked_for_her_time_but_not_both(visit_id, clock):
    starts_at = clock.moment + timedelta(days=1)
    with engines.writing() as session:
        families = [make_family(session, number) for number in range(THREADS // 2)]

    def want(number):
        if number % 2:
            return act(lambda session: substitutes.ask(session, OPERATOR, visit_id, ZHAO.id))
        customer, recipient_id = families[number // 2]
        return act(
            lambda session: make_booking(
                session,
                customer=customer,
                recipient_id=recipient_id,
                caregiver=ZHAO,
                starts_at=starts_at,
            )
        )

    outcomes = rush(want)

    assert len(won(outcomes)) == 1
    assert keys(outcomes) <= {
        "error.obstacle_busy", "error.caregiver_busy", "error.substitute_asked_already",
    }  # fmt: skip
    assert coming(visit_id) == [LI.id]


def test_her_yes_and_a_booking_of_the_same_time_leave_her_one_visit(visit_id, offer_id, clock):
    with engines.writing() as session:
        families = [make_family(session, number) for number in range(15)]
    starts_at = clock.moment + timedelta(days=1)

    def want(number):
        if number == len(families):
            return act(lambda session: substitutes.accept(session, ZHAO, offer_id))
        customer, recipient_id = families[number]
        return act(
            lambda session: make_booking(
                session,
                customer=customer,
                recipient_id=recipient_id,
                caregiver=ZHAO,
                starts_at=starts_at,
            )
        )

    outcomes = rush(want, 16)

    assert won(outcomes) == [len(families)]
    assert keys(outcomes) <= {"error.obstacle_busy", "error.caregiver_busy"}
    assert coming(visit_id) == [ZHAO.id]


class TestConfirmation:
    """A visit is closed once: by its code or by the clock; never by the clock if contested."""

    @pytest.fixture
    def finished_id(self, database, clock):
        with engines.writing() as session:
            visit_id = make_finished_visit(session)
        clock.move(days=4)
        return visit_id

    def close_and_contest(self, visit_id, *others):
        """The job and the others at once; who won, and the moves of the visit and its troubles."""
        deeds = (lambda session: confirmation.confirm_due(session, SYSTEM) or None, *others)
        outcomes = rush(lambda number: act(deeds[number % len(deeds)]))
        with engines.reading() as session:
            assert not session.scalar(select(func.sum(LedgerPosting.amount_fen)))
            booked = select(func.count()).where(LedgerEntry.event == LedgerEvent.REDEEMED)
            closed = session.get_one(Visit, visit_id).status is VisitStatus.REDEEMED
            assert session.scalar(booked) == closed
            rows = session.execute(
                select(StatusChange.noun, StatusChange.move).order_by(StatusChange.id)
            ).all()
        return outcomes, closed, rows

    def test_the_clock_and_the_code_close_a_visit_once(self, finished_id):
        with engines.reading() as session:
            code = code_of(session, finished_id)
        outcomes, closed, rows = self.close_and_contest(
            finished_id, lambda session: redemption.redeem(session, ZHOU, finished_id, code) or "ok"
        )

        assert closed
        assert len([one for one in outcomes if one in (1, "ok")]) == 1
        assert keys(outcomes) <= {"error.already_redeemed", "error.visit_moved_on"}
        moves = [move for noun, move in rows if noun is Noun.VISIT]
        assert moves.count("auto_confirm") + moves.count("redeem") == 1

    def test_the_clock_never_closes_what_is_contested_already(self, finished_id):
        category, kind = ComplaintCategory.QUALITY, IncidentKind.FALL
        outcomes, closed, rows = self.close_and_contest(
            finished_id,
            lambda session: (
                complaints.lodge(session, ZHOU, finished_id, category, "迟到了") and None
            ),
            lambda session: incidents.report(session, LI, finished_id, kind, "跌倒了") and None,
        )

        with engines.reading() as session:
            complained = session.scalar(select(func.count(Complaint.id)))
            reported = session.scalar(select(func.count(Incident.id)))
        assert complained == 1
        assert keys(outcomes) <= {
            "error.complaint_open_already", "error.incident_open_already",
            "error.incident_not_now",
        }  # fmt: skip
        assert closed or reported == 1
        # What closed it came before whatever was lodged against it.
        if closed:
            nouns = [noun for noun, _ in rows[: rows.index((Noun.VISIT, "auto_confirm"))]]
            assert not {Noun.COMPLAINT, Noun.INCIDENT} & set(nouns)

from datetime import timedelta

import h3
import pytest
from sqlalchemy import func, select, text

from data import models
from data.accounts import Account, AccountStatus
from data.caregivers import Caregiver, Certificate, Photo, Rate, WeeklyHours
from data.complaints import Complaint, ComplaintCategory, Incident, IncidentKind
from data.consents import ErasureRequest
from data.demands import Demand
from data.history import AuditEvent, StatusChange
from data.ledger import LedgerAccount, LedgerEvent, LedgerPosting
from data.notices import NoticeKind, OutboxMessage
from data.orders import Order, Visit
from data.recipients import Recipient
from data.reviews import Review
from data.sessions import SignInSession
from data.verifications import Document, VerificationCase
from services import (
    accounts,
    audit,
    callers,
    caregivers,
    complaints,
    consents,
    customers,
    erasure,
    forgetting,
    incidents,
    ledger,
    orders,
    phones,
    places,
    redemption,
    reviews,
    rosters,
    sessions,
)
from services.access import SYSTEM, Role
from services.errors import Conflict, NotAllowed, NotFound
from services.ledger import Line
from services.reviews import ReviewForm
from tests.factories import (
    BROWSER,
    CHONGCHUAN,
    DESK,
    DRAFT,
    LI,
    MOTHER_ID,
    NAMES,
    OPERATOR,
    STRANGER,
    ZHAO,
    ZHOU,
    code_of,
    make_application,
    make_booking,
    make_demand,
    make_finished_visit,
    make_redeemed_visit,
    one_person,
    phone_of,
)

WEEK = timedelta(days=7)


@pytest.fixture
def lived(session):
    """Zhou has a finished order with a review, a withdrawn demand, and talked with the desk."""
    visit_id = make_redeemed_visit(session)
    reviews.write(session, ZHOU, visit_id, ReviewForm(5, 4, 5, 5, "李阿姨照顾周奶奶很用心"))
    session.get_one(Visit, visit_id).report_words = "周奶奶今天血压偏高"
    sessions.open_session(session, ZHOU.id, BROWSER)
    accounts.request_code(session, phone_of(ZHOU), accounts.CodePurpose.SIGN_IN)
    customers.phone(session, OPERATOR, ZHOU.id)
    session.flush()
    return visit_id


def erased(session, clock, actor):
    erasure.ask(session, actor)
    clock.move(days=7)
    done = erasure.erase_due(session, SYSTEM)
    session.flush()
    session.expire_all()
    return done


def everything(session, *, but=()):
    """Every row of every table in one text, as it stands in the database."""
    return {
        name: repr(session.execute(select(table)).all())
        for name, table in models.Base.metadata.tables.items()
        if name not in but
    }


class TestAsking:
    def test_it_is_due_in_a_week_and_told(self, session, clock):
        erasure.ask(session, ZHOU)
        session.flush()

        assert erasure.standing(session, ZHOU).due_at == clock.moment + WEEK
        told = session.scalars(
            select(OutboxMessage).where(OutboxMessage.kind == NoticeKind.ERASURE_ASKED)
        ).one()
        assert told.account_id == ZHOU.id
        assert told.facts == {"due_at": (clock.moment + WEEK).isoformat()}
        with pytest.raises(Conflict, match="asked_already"):
            erasure.ask(session, ZHOU)

    def test_nothing_happens_before_its_time_nor_after_it_was_withdrawn(self, session, clock):
        erasure.ask(session, ZHOU)
        clock.move(days=6, hours=23)
        assert erasure.erase_due(session, SYSTEM) == 0
        erasure.withdraw(session, ZHOU)
        clock.move(days=3)

        assert erasure.erase_due(session, SYSTEM) == 0
        assert session.get_one(Account, ZHOU.id).name == NAMES[ZHOU]
        with pytest.raises(NotFound, match="erasure_not_asked"):
            erasure.withdraw(session, ZHOU)
        erasure.ask(session, ZHOU)  # Another time.

    def test_staff_and_who_has_something_open_are_refused_in_words(self, session):
        for actor in (DESK, OPERATOR):
            with pytest.raises(Conflict, match="erasure_works_here"):
                erasure.ask(session, actor)
        make_demand(session)
        with pytest.raises(Conflict, match="erasure_demands"):
            erasure.ask(session, ZHOU)
        make_booking(session)
        with pytest.raises(Conflict, match="erasure_orders"):
            erasure.ask(session, ZHOU)
        with pytest.raises(Conflict, match="erasure_orders"):
            erasure.ask(session, LI)
        make_application(session, caregiver=ZHAO)
        with pytest.raises(Conflict, match="erasure_applications"):
            erasure.ask(session, ZHAO)
        assert session.scalar(select(func.count(ErasureRequest.id))) == 0

    def test_unpaid_pay_keeps_a_caregiver(self, session):
        make_redeemed_visit(session)

        with pytest.raises(Conflict, match="erasure_pay") as refusal:
            erasure.ask(session, LI)
        assert refusal.value.values["pay_fen"] > 0

    def test_a_case_under_review_keeps_a_person(self, session):
        case = session.scalars(select(VerificationCase).limit(1)).one()
        session.execute(
            VerificationCase.__table__.update()
            .where(VerificationCase.id == case.id)
            .values(status="submitted", account_id=STRANGER.id)
        )

        with pytest.raises(Conflict, match="erasure_cases"):
            erasure.ask(session, STRANGER)

    def test_what_opened_meanwhile_is_waited_for(self, session, clock):
        erasure.ask(session, ZHOU)
        demand_id = make_demand(session, starts_at=clock.moment + timedelta(days=9))
        clock.move(days=8)
        assert erasure.erase_due(session, SYSTEM) == 0
        session.get_one(Demand, demand_id).status = "withdrawn"
        session.flush()

        assert erasure.erase_due(session, SYSTEM) == 1


def pay_out(session, caregiver):
    """Book what a caregiver has earned as if it had been paid out."""
    for account in (LedgerAccount.CAREGIVER_FROZEN, LedgerAccount.CAREGIVER_PAYABLE):
        if owed_fen := -ledger.balance(session, account, caregiver.id):
            ledger.book(
                session,
                LedgerEvent.PAID_OUT,
                f"{account}",
                None,
                None,
                Line(account, owed_fen, caregiver.id),
                Line(LedgerAccount.PAID_OUT, -owed_fen, caregiver.id),
            )


class TestFamily:
    def test_nothing_in_the_database_tells_who_it_was(self, session, clock, lived):
        [phone_hash] = session.scalars(
            select(Account.phone_hash).where(Account.id == ZHOU.id)
        ).all()
        assert erased(session, clock, ZHOU) == 1

        found = everything(session)
        mother = session.get_one(Recipient, MOTHER_ID)
        assert (mother.name, mother.conditions, mother.ward) == (forgetting.NOBODY, "", "")
        assert (mother.emergency_contact, mother.birth_date.month) == ("", 1)
        for secret in (NAMES[ZHOU], "血压偏高", "很用心", phone_hash):
            assert not [name for name, rows in found.items() if secret in rows], secret
        demand = session.scalars(select(Demand).where(Demand.customer_id == ZHOU.id)).first()
        assert demand.address == forgetting.NOBODY
        assert session.get_one(Account, ZHOU.id).phone == phones.NOBODYS

    def test_no_neighbourhood_is_left_of_where_it_was(self, session, clock, lived):
        hers = select(Visit).join(Order, Order.id == Visit.order_id)
        visits = session.scalars(hers.where(Order.customer_id == ZHOU.id)).all()
        for visit in visits:
            visit.cell = h3.grid_ring(visit.cell, 1)[0]
        session.flush()
        erased(session, clock, ZHOU)

        assert visits
        middle = places.cell_of_district(CHONGCHUAN)
        assert {visit.cell for visit in visits} == {middle}

    def test_papers_and_ways_to_sign_in_are_gone(self, session, clock, lived):
        erased(session, clock, ZHOU)

        account = session.get_one(Account, ZHOU.id)
        assert account.status is AccountStatus.ERASED
        assert account.password_hash is None
        own = SignInSession.account_id == ZHOU.id
        assert session.scalar(select(func.count(SignInSession.id)).where(own)) == 0
        with pytest.raises(NotAllowed, match="account_erased"):
            sessions.open_session(session, ZHOU.id, BROWSER)
        cases = session.scalars(
            select(VerificationCase).where(VerificationCase.account_id == ZHOU.id)
        ).all()
        assert {(case.legal_name, case.id_number, case.id_number_hash) for case in cases} <= {
            ("", "", None)
        }
        pictures = select(Document.id).where(
            Document.account_id == ZHOU.id, Document.content_sealed.is_not(None)
        )
        assert session.scalars(pictures).all() == []
        assert not any(view.holds for view in consents.mine(session, ZHOU))

    def test_orders_ledger_history_and_scores_stay(self, session, clock, lived):
        tables = (Order, Visit, LedgerPosting, StatusChange, AuditEvent, Review)
        before = [session.scalar(select(func.count()).select_from(table)) for table in tables]
        total = session.scalar(select(func.sum(LedgerPosting.amount_fen)))
        erased(session, clock, ZHOU)

        after = [session.scalar(select(func.count()).select_from(table)) for table in tables]
        assert all(now >= then for now, then in zip(after, before, strict=True))
        assert session.scalar(select(func.sum(LedgerPosting.amount_fen))) == total == 0
        [review] = reviews.of_caregiver(session, STRANGER, LI.id)
        assert (review.skill, review.words, review.family_name) == (5, "", forgetting.NOBODY)
        [order] = orders.listing(session, OPERATOR)
        assert (order.customer_name, order.recipient_name) == (forgetting.NOBODY,) * 2

    def test_the_audit_chain_still_verifies(self, session, clock, lived):
        audit.seal(session)
        erased(session, clock, ZHOU)
        audit.seal(session)

        verdict = audit.verify(session)
        assert (verdict.first_broken_id, verdict.unsealed) == (None, 0)
        actions = session.scalars(select(AuditEvent.action)).all()
        assert {"ask_erasure", "erase"} <= {*actions}

    def test_the_phone_is_free_for_a_new_account(self, session, clock):
        erased(session, clock, ZHOU)
        fresh = accounts.new(session, "新来的", phone_of(ZHOU), Role.CUSTOMER)

        assert fresh.id != ZHOU.id
        assert callers.find(session, DESK, NAMES[ZHOU]) == []

    def test_nobody_lists_or_merges_them_any_more(self, session, clock, lived):
        erased(session, clock, ZHOU)

        assert ZHOU.id not in [line.id for line in customers.listing(session, OPERATOR)]
        assert customers.one(session, OPERATOR, ZHOU.id).open_moves == ()
        with pytest.raises(NotFound):
            callers.reach(session, DESK, ZHOU.id)

    def test_an_account_merged_into_it_is_forgotten_too(self, session, clock):
        other = callers.register(session, DESK, "周晓燕", "+8613700009999", "320600")
        session.get_one(Account, ZHOU.id).city_code = "320600"
        session.flush()
        customers.merge(session, OPERATOR, ZHOU.id, other)
        erased(session, clock, ZHOU)

        gone = session.get_one(Account, other)
        assert (gone.name, gone.phone) == (forgetting.NOBODY, phones.NOBODYS)
        assert not [rows for rows in everything(session).values() if NAMES[ZHOU] in rows]

    def test_a_wish_ends_with_the_account_merged_away_and_who_stays_is_told(self, session, clock):
        one_person(session)
        for actor in (ZHOU, STRANGER):
            session.get_one(Account, actor.id).city_code = "320600"
        erasure.ask(session, STRANGER)
        customers.merge(session, OPERATOR, ZHOU.id, STRANGER.id)
        session.flush()

        asked = session.scalars(select(ErasureRequest)).one()
        assert (asked.withdrawn_at, asked.done_at) == (clock.moment, None)
        told = select(OutboxMessage.account_id).where(
            OutboxMessage.kind == NoticeKind.ERASURE_CLOSED
        )
        assert session.scalars(told).all() == [ZHOU.id]
        last = session.scalars(select(AuditEvent).where(AuditEvent.action == "close_erasure")).one()
        assert (last.subject_id, last.detail) == (STRANGER.id, {"kept_id": ZHOU.id})
        assert erasure.standing(session, ZHOU).due_at is None
        clock.move(days=9)
        assert erasure.erase_due(session, SYSTEM) == 0

    def test_a_wish_of_the_account_that_stays_stands(self, session, clock):
        one_person(session)
        for actor in (ZHOU, STRANGER):
            session.get_one(Account, actor.id).city_code = "320600"
        erasure.ask(session, ZHOU)
        customers.merge(session, OPERATOR, ZHOU.id, STRANGER.id)
        session.flush()

        assert erasure.standing(session, ZHOU).due_at == clock.moment + WEEK
        told = select(OutboxMessage.id).where(OutboxMessage.kind == NoticeKind.ERASURE_CLOSED)
        assert session.scalars(told).all() == []


class TestCaregiver:
    def test_her_profile_is_empty_and_she_is_found_no_more(self, session, clock):
        caregiver = session.get_one(Caregiver, ZHAO.id)
        caregiver.about, caregiver.training = "赵师傅很会照顾人", "在人民医院培训"
        session.add(Photo(caregiver_id=ZHAO.id, image=b"face"))
        session.flush()
        assert erased(session, clock, ZHAO) == 1

        for table in (Photo, Certificate, Rate, WeeklyHours):
            left = select(func.count()).select_from(table)
            assert session.scalar(left.where(table.caregiver_id == ZHAO.id)) == 0
        caregiver = session.get_one(Caregiver, ZHAO.id)
        assert (caregiver.about, caregiver.training) == ("", "")
        assert ZHAO.id not in [line.id for line in rosters.listing(session, OPERATOR)]
        with pytest.raises(Conflict, match="case_not_approved"):
            caregivers.move(session, OPERATOR, ZHAO.id, "restore")

    def test_a_draft_leaves_as_well(self, session, clock):
        assert erased(session, clock, DRAFT) == 1


def test_the_triggers_let_erasure_be_and_the_audit_keeps_its_numbers(session, clock, lived):
    before = session.execute(text("SELECT * FROM audit_events ORDER BY id")).all()
    erased(session, clock, ZHOU)
    after = session.execute(text("SELECT * FROM audit_events ORDER BY id")).all()

    assert after[: len(before)] == before


@pytest.mark.parametrize("actor", [ZHOU, LI])
def test_what_was_written_of_ones_visits_goes_with_either_side(session, clock, actor):
    visit_id = make_finished_visit(session)
    session.get_one(Visit, visit_id).checked_in_cell = session.get_one(Visit, visit_id).cell
    incident_id = incidents.report(session, LI, visit_id, IncidentKind.FALL, "周奶奶滑倒")
    complaint_id = complaints.lodge(session, ZHOU, visit_id, ComplaintCategory.SAFETY, "李阿姨分心")
    redemption.redeem(session, ZHOU, visit_id, code_of(session, visit_id))
    session.flush()
    with pytest.raises(Conflict, match="erasure_complaints"):
        erasure.ask(session, ZHOU)
    incidents.close(session, OPERATOR, incident_id, "周奶奶已就诊")
    complaints.close(session, OPERATOR, complaint_id, "李阿姨致歉")
    pay_out(session, LI)
    assert erased(session, clock, actor) == 1

    for row in (session.get_one(Incident, incident_id), session.get_one(Complaint, complaint_id)):
        assert (row.words, row.outcome_words) == ("—", "—")
    assert session.get_one(Visit, visit_id).checked_in_cell is None

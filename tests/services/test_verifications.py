import re
from datetime import date, timedelta

import pytest
from sqlalchemy import delete, select, update

from data.accounts import Account, AccountRole
from data.caregivers import Caregiver, CaregiverStatus
from data.catalogue import CertificateKind
from data.cities import City
from data.history import AuditEvent, Noun, StatusChange
from data.notices import NoticeKind, OutboxMessage
from data.recipients import Sex
from data.verifications import Document, VerificationCase
from services import (
    bookings,
    caregivers,
    consents,
    demands,
    documents,
    erasure,
    pictures,
    verifications,
)
from services.access import Actor, Role
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.pictures import PictureKind
from services.verifications import CaseKind, CaseStatus, DocumentKind, IdentityForm, RejectReason
from tests.conftest import ROOT
from tests.factories import (
    BORN,
    CHONGCHUAN,
    COMPANIONSHIP,
    DESK,
    DRAFT,
    FAR_OPERATOR,
    LI,
    LUZHOU,
    NANTONG,
    NASTY,
    NOBODY_ID,
    OPERATOR,
    PRICE_FEN,
    ZHOU,
    decide_case,
    demand_form,
    empty_page,
    id_number,
    make_case,
    make_newcomer,
    make_recipient,
)

CUSTOMER, CAREGIVER = CaseKind.CUSTOMER, CaseKind.CAREGIVER
NUMBER = id_number(400)
WHO = IdentityForm("王小明", NUMBER)


@pytest.fixture
def newcomer(session):
    """A family's account that nobody has verified."""
    return make_newcomer(session)


def fill(session, actor, kind=CUSTOMER, form=WHO):
    """A draft of this person's with everything in it; its id."""
    case_id = verifications.save(session, actor, kind, form)
    for wanted, certificate in verifications.mine(session, actor, kind).missing:
        documents.attach(session, actor, case_id, wanted, [empty_page()], certificate)
    return case_id


def hand_in(session, actor, kind=CUSTOMER, form=WHO):
    case_id = fill(session, actor, kind, form)
    verifications.submit(session, actor, case_id)
    session.flush()
    return case_id


def second_operator(session):
    """Another operator of the same city."""
    made = make_newcomer(session, 77, Role.OPERATOR)
    return Actor(made.id, Role.OPERATOR, frozenset({NANTONG}))


def status(session, case_id):
    return session.get_one(VerificationCase, case_id).status


def told(session, account_id):
    waiting = select(OutboxMessage.kind).where(OutboxMessage.account_id == account_id)
    return session.scalars(waiting.order_by(OutboxMessage.id)).all()


def audited(session):
    return session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()


class TestDraft:
    def test_it_is_saved_bit_by_bit_and_shown_masked(self, session, newcomer):
        assert verifications.mine(session, newcomer, CUSTOMER) is None
        case_id = verifications.save(session, newcomer, CUSTOMER, IdentityForm("", ""))
        assert (
            verifications.save(session, newcomer, CUSTOMER, IdentityForm("王小明", "")) == case_id
        )
        verifications.save(session, newcomer, CUSTOMER, IdentityForm("", NUMBER.lower()))
        session.expire_all()

        case = verifications.mine(session, newcomer, CUSTOMER)
        assert (case.id, case.status, case.city_code) == (case_id, CaseStatus.DRAFT, NANTONG)
        assert (case.masked_name, case.masked_number) == (
            "王**",
            f"990***********{NUMBER[-4:]}",
        )
        assert not case.area_known
        assert case.missing == ((DocumentKind.ID_FRONT, None), (DocumentKind.ID_BACK, None))

    def test_name_and_number_are_sealed(self, session, newcomer):
        case_id = verifications.save(session, newcomer, CUSTOMER, WHO)
        row = session.get_one(VerificationCase, case_id)
        stored = b"".join(bytes(one) for one in (row.legal_name_sealed, row.id_number_sealed))

        assert "王小明".encode() not in stored
        assert NUMBER.encode() not in stored
        assert NUMBER not in row.id_number_hash

    @pytest.mark.parametrize(
        ("form", "key"),
        [
            (IdentityForm("长" * 41, ""), "too_long"),
            (IdentityForm("王小明", "12345"), "id_number_format"),
            (IdentityForm("王小明", NASTY), "id_number_format"),
            (
                IdentityForm("王小明", NUMBER[:17] + ("1" if NUMBER[17] != "1" else "2")),
                "id_number_check_digit",
            ),
            (IdentityForm("王小明", id_number(born=date(2030, 1, 8))), "id_number_date"),
        ],
    )
    def test_bad_input_is_refused(self, session, newcomer, form, key):
        with pytest.raises(Invalid, match=key) as refused:
            verifications.save(session, newcomer, CUSTOMER, form)
        assert form.id_number not in str(refused.value.values) or not form.id_number

    def test_words_are_kept_as_typed(self, session, newcomer):
        case_id = verifications.save(session, newcomer, CUSTOMER, IdentityForm(NASTY[:40], ""))

        assert session.get_one(VerificationCase, case_id).legal_name == NASTY[:40].strip()

    def test_somebody_who_has_chosen_no_city_is_asked_to(self, session, newcomer):
        session.get_one(Account, newcomer.id).city_code = None
        with pytest.raises(Conflict, match="choose_city_first"):
            verifications.save(session, newcomer, CUSTOMER, WHO)

    def test_a_family_hands_in_as_a_family(self, session, newcomer):
        with pytest.raises(NotAllowed, match="not_allowed"):
            verifications.save(session, newcomer, CAREGIVER, WHO)
        with pytest.raises(NotAllowed, match="not_allowed"):
            verifications.save(session, DRAFT, CUSTOMER, WHO)

    def test_the_list_of_papers_follows_the_certificates(self):
        wanted = verifications.needed(
            CAREGIVER, {CertificateKind.HEALTH, CertificateKind.NURSING, CertificateKind.MASSAGE}
        )

        assert wanted == (
            (DocumentKind.ID_FRONT, None),
            (DocumentKind.ID_BACK, None),
            (DocumentKind.PORTRAIT, None),
            (DocumentKind.CERTIFICATE, CertificateKind.NURSING),
            (DocumentKind.CERTIFICATE, CertificateKind.MASSAGE),
            (DocumentKind.HEALTH_REPORT, None),
            (DocumentKind.BACKGROUND_STATEMENT, None),
        )


class TestSubmitting:
    def test_it_waits_for_the_citys_operators(self, session, newcomer, clock):
        case_id = hand_in(session, newcomer)

        case = verifications.mine(session, newcomer, CUSTOMER)
        assert (case.status, case.submitted_at, case.missing) == (
            CaseStatus.SUBMITTED,
            clock.moment,
            (),
        )
        assert told(session, OPERATOR.id) == [NoticeKind.VERIFICATION_SUBMITTED]
        assert told(session, FAR_OPERATOR.id) == []
        [step] = session.scalars(select(StatusChange))
        assert (step.noun, step.subject_id, step.move) == (Noun.VERIFICATION, case_id, "submit")
        with pytest.raises(Conflict, match="case_under_review"):
            verifications.save(session, newcomer, CUSTOMER, WHO)
        with pytest.raises(Conflict, match="verification_moved_on"):
            verifications.submit(session, newcomer, case_id)

    def test_what_is_missing_is_named(self, session, newcomer):
        case_id = verifications.save(session, newcomer, CUSTOMER, IdentityForm("", ""))

        def refusal():
            with pytest.raises(Invalid) as refused:
                verifications.submit(session, newcomer, case_id)
            return refused.value.values["field"]

        assert refusal() == "legal_name"
        verifications.save(session, newcomer, CUSTOMER, IdentityForm("王小明", ""))
        assert refusal() == "id_number"
        verifications.save(session, newcomer, CUSTOMER, WHO)
        assert refusal() == DocumentKind.ID_FRONT
        documents.attach(session, newcomer, case_id, DocumentKind.ID_FRONT, [empty_page()])
        assert refusal() == DocumentKind.ID_BACK
        assert status(session, case_id) is CaseStatus.DRAFT

    def test_without_consent_nothing_is_handed_in(self, session, newcomer):
        case_id = fill(session, newcomer)
        consents.withdraw(session, newcomer, consents.Policy.SENSITIVE_DATA)
        session.flush()
        with pytest.raises(Conflict, match="sensitive_consent_first"):
            verifications.submit(session, newcomer, case_id)

    @pytest.mark.parametrize("standing", [CaseStatus.SUBMITTED, CaseStatus.APPROVED])
    def test_a_number_of_somebody_else_is_refused_without_telling_whose(
        self, session, newcomer, standing
    ):
        other = make_newcomer(session, 2)
        hand_in(session, other)
        if standing is CaseStatus.APPROVED:
            decide_case(session, other)
        case_id = fill(session, newcomer)
        with pytest.raises(Conflict) as refused:
            verifications.submit(session, newcomer, case_id)

        assert (refused.value.key, refused.value.values) == ("error.id_number_in_use", {})

    def test_a_rejected_case_holds_no_number(self, session, newcomer):
        other = make_newcomer(session, 2)
        hand_in(session, other)
        decide_case(session, other, "reject")

        assert status(session, hand_in(session, newcomer)) is CaseStatus.SUBMITTED

    def test_two_who_hand_in_one_number_at_once_are_told_apart_when_approved(
        self, session, newcomer
    ):
        hand_in(session, newcomer)
        other = make_newcomer(session, 2)
        case_id = fill(session, other, form=IdentityForm("王小明", id_number(401)))
        row = session.get_one(VerificationCase, case_id)
        mine = session.scalars(
            select(VerificationCase).where(VerificationCase.account_id == newcomer.id)
        ).one()
        verifications.submit(session, other, case_id)
        row.id_number, row.id_number_hash = NUMBER, mine.id_number_hash
        decide_case(session, newcomer)
        with pytest.raises(Conflict, match="id_number_in_use"):
            decide_case(session, other)

    def test_nobody_submits_anothers(self, session, newcomer):
        case_id = fill(session, newcomer)
        for case in (case_id, NOBODY_ID):
            with pytest.raises(NotFound, match="case_not_found"):
                verifications.submit(session, ZHOU, case)

    def test_a_caregivers_number_must_fit_her_profile(self, session):
        for born, sex in ((date(1981, 5, 1), Sex.FEMALE), (BORN, Sex.MALE)):
            form = IdentityForm("", id_number(9, born, sex))
            case_id = verifications.save(session, DRAFT, CAREGIVER, form)
            with pytest.raises(Invalid, match="id_number_differs_from_profile"):
                verifications.submit(session, DRAFT, case_id)

    def test_a_caregiver_without_a_profile_is_sent_to_it(self, session):
        newcomer = make_newcomer(session, 3, Role.CAREGIVER)
        case_id = fill(session, newcomer, CAREGIVER)
        with pytest.raises(NotFound, match="profile_first"):
            verifications.submit(session, newcomer, case_id)

    def test_her_profile_is_handed_in_with_it_and_one_notice_tells_so(self, session):
        case = verifications.mine(session, DRAFT, CAREGIVER)
        verifications.submit(session, DRAFT, case.id)
        session.flush()

        assert session.get_one(Caregiver, DRAFT.id).status is CaregiverStatus.SUBMITTED
        assert told(session, OPERATOR.id) == [NoticeKind.CAREGIVER_SUBMITTED]


class TestQueue:
    def test_the_oldest_comes_first_and_only_in_its_city(self, session, newcomer, clock):
        first = hand_in(session, newcomer)
        clock.move(hours=3)
        second = hand_in(
            session, make_newcomer(session, 2), form=IdentityForm("李四", id_number(402))
        )

        queue = verifications.queue(session, OPERATOR, 10)
        assert (queue.count, queue.oldest_at) == (2, clock.moment - timedelta(hours=3))
        assert [line.id for line in queue.lines] == [first, second]
        assert queue.lines[0].masked_name == "王**"
        assert not queue.lines[0].resubmitted
        page = verifications.queue(session, OPERATOR, 1, 1)
        assert (page.count, [line.id for line in page.lines]) == (2, [second])
        assert verifications.queue(session, FAR_OPERATOR, 10).lines == ()
        with pytest.raises(NotFound, match="case_not_found"):
            verifications.take(session, FAR_OPERATOR, first)

    def test_what_somebody_has_is_not_had_by_another_for_ten_minutes(
        self, session, newcomer, clock
    ):
        case_id, other = hand_in(session, newcomer), second_operator(session)
        assert verifications.take(session, OPERATOR) == case_id
        assert verifications.take(session, OPERATOR, case_id) == case_id
        assert verifications.queue(session, other, 10).lines[0].taken_by_other
        assert not verifications.queue(session, OPERATOR, 10).lines[0].taken_by_other
        with pytest.raises(Conflict, match="case_taken"):
            verifications.take(session, other, case_id)
        with pytest.raises(NotFound, match="no_case_waits"):
            verifications.take(session, other)
        with pytest.raises(Conflict, match="case_taken"):
            verifications.review(session, other, case_id)
        clock.move(minutes=10)
        assert verifications.take(session, other) == case_id
        with pytest.raises(Conflict, match="case_taken"):
            verifications.decide(session, OPERATOR, case_id, "approve")
        assert audited(session) == ["take_case", "take_case"]

    @pytest.mark.parametrize("work", ["a paper", "the number", "the page"])
    def test_whatever_is_done_with_it_keeps_it_for_ten_minutes_more(
        self, session, newcomer, clock, work
    ):
        case_id, other = hand_in(session, newcomer), second_operator(session)
        page = documents.of_case(session, case_id)[0].id
        verifications.take(session, OPERATOR)
        clock.move(minutes=9)
        {
            "a paper": lambda: pictures.ticket(
                session, OPERATOR, PictureKind.DOCUMENT, page, "review"
            ),
            "the number": lambda: verifications.id_number(session, OPERATOR, case_id),
            "the page": lambda: verifications.hold(session, OPERATOR, case_id),
        }[work]()
        session.flush()
        clock.move(minutes=9, seconds=59)
        with pytest.raises(Conflict, match="case_taken"):
            verifications.take(session, other, case_id)
        clock.move(seconds=1)
        assert verifications.take(session, other, case_id) == case_id
        with pytest.raises(Conflict, match="case_taken"):
            verifications.hold(session, OPERATOR, case_id)

    def test_looking_for_something_else_keeps_nothing(self, session, newcomer, clock):
        case_id, other = hand_in(session, newcomer), second_operator(session)
        page = documents.of_case(session, case_id)[0].id
        verifications.take(session, OPERATOR)
        clock.move(minutes=9)
        pictures.ticket(session, OPERATOR, PictureKind.DOCUMENT, page, "complaint")
        pictures.ticket(session, newcomer, PictureKind.DOCUMENT, page, "own")
        clock.move(minutes=1)

        assert verifications.take(session, other, case_id) == case_id

    def test_what_is_let_go_is_anybodys(self, session, newcomer):
        case_id, other = hand_in(session, newcomer), second_operator(session)
        verifications.take(session, OPERATOR)
        verifications.let_go(session, OPERATOR, case_id)
        session.flush()
        with pytest.raises(Conflict, match="case_not_taken"):
            verifications.review(session, OPERATOR, case_id)

        assert verifications.take(session, other, case_id) == case_id

    def test_nobody_reviews_their_own(self, session, newcomer):
        case_id = hand_in(session, newcomer)
        session.add(
            AccountRole(
                created_at=session.get_one(Account, newcomer.id).created_at,
                account_id=newcomer.id,
                role=Role.OPERATOR,
                city_code=NANTONG,
            )
        )
        both = Actor(newcomer.id, Role.OPERATOR, frozenset({NANTONG}))

        assert verifications.queue(session, both, 10).count == 0
        with pytest.raises(NotFound, match="no_case_waits"):
            verifications.take(session, both)
        for deed in (verifications.take, verifications.review, verifications.id_number):
            with pytest.raises(NotAllowed, match="own_case"):
                deed(session, both, case_id)
        with pytest.raises(NotAllowed, match="own_case"):
            verifications.decide(session, both, case_id, "approve")

    def test_a_draft_is_its_owners_alone(self, session, newcomer):
        case_id = fill(session, newcomer)
        with pytest.raises(NotFound, match="case_not_found"):
            verifications.take(session, OPERATOR, case_id)


class TestReview:
    def test_it_shows_everything_but_the_number(self, session):
        case = verifications.mine(session, DRAFT, CAREGIVER)
        verifications.submit(session, DRAFT, case.id)
        session.flush()
        verifications.take(session, OPERATOR)

        seen = verifications.review(session, OPERATOR, case.id)
        assert (seen.legal_name, seen.account_name) == ("钱新来", "钱新来")
        assert (seen.birth_date, seen.sex, seen.age) == (BORN, Sex.FEMALE, 49)
        assert "1980" not in seen.masked_number
        assert {one.kind for one in seen.certificates} == {
            "health",
            "elder_care",
            "escort_training",
        }
        assert not any(one.approved for one in seen.certificates)
        assert {(one.kind, one.certificate_kind) for one in seen.documents} == set(seen.needed)
        assert seen.earlier == ()

    def test_opening_the_number_is_kept(self, session, newcomer):
        case_id = hand_in(session, newcomer)
        with pytest.raises(Conflict, match="case_not_taken"):
            verifications.id_number(session, OPERATOR, case_id)
        verifications.take(session, OPERATOR)

        assert verifications.id_number(session, OPERATOR, case_id) == NUMBER
        session.flush()
        event = session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
        assert (event.action, event.subject_id, event.actor_id) == (
            "open_id_number",
            case_id,
            OPERATOR.id,
        )
        assert NUMBER not in str(event.detail)

    def test_approving_tells_and_is_kept(self, session, newcomer, clock):
        case_id = hand_in(session, newcomer)
        decide_case(session, newcomer)

        assert verifications.is_verified(session, newcomer.id, CUSTOMER)
        assert told(session, newcomer.id) == [NoticeKind.VERIFICATION_APPROVED]
        assert audited(session) == ["take_case", "approve_case"]
        row = session.get_one(VerificationCase, case_id)
        assert (row.decided_at, row.decided_by_id, row.reviewer_id) == (
            clock.moment,
            OPERATOR.id,
            None,
        )
        with pytest.raises(Conflict, match="already_verified"):
            verifications.save(session, newcomer, CUSTOMER, WHO)

    @pytest.mark.parametrize(
        ("reasons", "words", "key"),
        [
            ((), "不清楚", "missing"),
            ((RejectReason.OTHER,), "", "missing"),
            ((RejectReason.OTHER,), "  ", "missing"),
            ((RejectReason.BLURRED,), "长" * 301, "too_long"),
        ],
    )
    def test_a_no_says_why(self, session, newcomer, reasons, words, key):
        case_id = hand_in(session, newcomer)
        verifications.take(session, OPERATOR)
        with pytest.raises(Invalid, match=key):
            verifications.decide(session, OPERATOR, case_id, "reject", reasons, words)

    def test_another_move_is_refused(self, session, newcomer):
        case_id = hand_in(session, newcomer)
        verifications.take(session, OPERATOR)
        for move in ("expire", "submit", "explode"):
            with pytest.raises(Conflict, match="verification_moved_on"):
                verifications.decide(session, OPERATOR, case_id, move)

    def test_a_decision_is_made_once(self, session, newcomer):
        case_id = hand_in(session, newcomer)
        decide_case(session, newcomer)
        for move in ("approve", "reject"):
            with pytest.raises(Conflict, match="verification_moved_on"):
                verifications.decide(session, OPERATOR, case_id, move, (RejectReason.BLURRED,))

    def test_what_was_rejected_is_kept_and_the_next_try_is_another_case(self, session, newcomer):
        first = hand_in(session, newcomer)
        decide_case(
            session,
            newcomer,
            "reject",
            reasons=(RejectReason.BLURRED, RejectReason.OTHER),
            words=NASTY,
        )
        case = verifications.mine(session, newcomer, CUSTOMER)
        assert case.reasons == (RejectReason.BLURRED, RejectReason.OTHER)
        assert case.words == NASTY
        assert told(session, newcomer.id) == [NoticeKind.VERIFICATION_REJECTED]

        second = verifications.save(session, newcomer, CUSTOMER, IdentityForm("", ""))
        case = verifications.mine(session, newcomer, CUSTOMER)
        assert (case.id, case.masked_name, case.missing) == (second, "王**", ())
        documents.remove(session, newcomer, case.documents[0].id)
        assert len(documents.of_case(session, first)) == 2
        documents.attach(session, newcomer, second, DocumentKind.ID_FRONT, [empty_page()])
        verifications.submit(session, newcomer, second)
        session.flush()
        assert status(session, first) is CaseStatus.REJECTED
        assert verifications.queue(session, OPERATOR, 10).lines[0].resubmitted
        verifications.take(session, OPERATOR)
        [before] = verifications.review(session, OPERATOR, second).earlier
        assert (before.id, before.status, before.words) == (first, CaseStatus.REJECTED, NASTY)

    def test_a_caregiver_rejected_hands_in_again(self, session):
        caregivers.move(session, DRAFT, DRAFT.id, "submit")
        decide_case(session, DRAFT, "reject", words="证书看不清")
        assert session.get_one(Caregiver, DRAFT.id).status is CaregiverStatus.REJECTED
        caregivers.move(session, DRAFT, DRAFT.id, "submit")
        decide_case(session, DRAFT)

        assert session.get_one(Caregiver, DRAFT.id).status is CaregiverStatus.APPROVED
        assert told(session, DRAFT.id) == [
            NoticeKind.CAREGIVER_REJECTED,
            NoticeKind.CAREGIVER_APPROVED,
        ]

    def test_expiring_asks_anew_and_suspends_a_caregiver(self, session):
        [case_id] = session.scalars(
            select(VerificationCase.id).where(VerificationCase.account_id == LI.id)
        )
        with pytest.raises(Invalid, match="missing"):
            verifications.expire(session, OPERATOR, case_id, "")
        with pytest.raises(NotFound, match="case_not_found"):
            verifications.expire(session, FAR_OPERATOR, case_id, "换证")
        verifications.expire(session, OPERATOR, case_id, "换证")
        session.flush()

        assert not verifications.is_verified(session, LI.id, CAREGIVER)
        assert session.get_one(Caregiver, LI.id).status is CaregiverStatus.SUSPENDED
        with pytest.raises(Conflict, match="case_not_approved"):
            caregivers.move(session, OPERATOR, LI.id, "restore")
        fill(session, LI, CAREGIVER, IdentityForm("", ""))
        verifications.submit_own(session, LI)
        decide_case(session, LI)
        caregivers.move(session, OPERATOR, LI.id, "restore")
        assert session.get_one(Caregiver, LI.id).status is CaregiverStatus.APPROVED


class TestHistory:
    """Whatever moves a case leaves who moved it, when and by which move, for good."""

    def moves(self, session, *case_ids):
        session.flush()
        rows = session.execute(
            select(StatusChange.subject_id, StatusChange.move, StatusChange.actor_id)
            .where(StatusChange.noun == Noun.VERIFICATION, StatusChange.subject_id.in_(case_ids))
            .order_by(StatusChange.id)
        )
        return [tuple(row) for row in rows]

    def test_a_caregivers_own_hand_in_and_what_becomes_of_it(self, session):
        caregivers.move(session, DRAFT, DRAFT.id, "submit")
        decide_case(session, DRAFT, "reject")
        caregivers.move(session, DRAFT, DRAFT.id, "submit")
        decide_case(session, DRAFT)
        first, second = session.scalars(
            select(VerificationCase.id)
            .where(VerificationCase.account_id == DRAFT.id)
            .order_by(VerificationCase.id)
        )
        verifications.expire(session, OPERATOR, second, "换证")

        assert self.moves(session, first, second) == [
            (first, "submit", DRAFT.id),
            (first, "reject", OPERATOR.id),
            (second, "submit", DRAFT.id),
            (second, "approve", OPERATOR.id),
            (second, "expire", OPERATOR.id),
        ]
        decided = ["take_case", "reject_case", "take_case", "approve_case", "expire_case"]
        assert [one for one in audited(session) if one.endswith("_case")] == decided
        assert [step.status for step in verifications.history(session, DRAFT, CAREGIVER)] == [
            "submitted", "rejected", "submitted", "approved", "expired",
        ]  # fmt: skip

    def test_what_a_newer_approval_replaces_and_what_a_withdrawn_consent_ends(self, session):
        [old] = session.scalars(
            select(VerificationCase.id).where(VerificationCase.account_id == LI.id)
        )
        verifications.renew(session, LI, ())
        new = fill(session, LI, CAREGIVER, IdentityForm("", ""))
        verifications.submit_own(session, LI)
        decide_case(session, LI)
        erasure.forget_sensitive(session, LI)

        assert self.moves(session, old, new) == [
            (new, "submit", LI.id),
            (old, "expire", OPERATOR.id),
            (new, "approve", OPERATOR.id),
            (new, "expire", None),
        ]

    def test_nothing_but_a_move_changes_a_cases_status(self):
        """Every place that names a status of a case to set it is a draft's beginning."""
        setters = [
            f"{file.name}: {line.strip()}"
            for file in sorted((ROOT / "services").glob("*.py"))
            for line in file.read_text("utf-8").splitlines()
            if re.search(r"status\s*=\s*CaseStatus|status=CaseStatus", line)
        ]

        assert setters == ["verifications.py: status=CaseStatus.DRAFT,"]


class TestFirstBooking:
    def request(self, session, customer, recipient_id):
        form = bookings.BookingForm(
            caregiver_id=LI.id,
            recipient_id=recipient_id,
            item_id=COMPANIONSHIP,
            district_code=CHONGCHUAN,
            address="濠河花园 3 幢 502 室",
            starts_at=demand_form().starts_at,
            units=2,
            price_fen=PRICE_FEN,
        )
        return bookings.request(session, customer, form, "one")

    def test_it_waits_for_the_verification(self, session, newcomer):
        recipient_id = make_recipient(session, newcomer)
        form = demand_form(recipient_id=recipient_id)
        for _ in range(2):
            with pytest.raises(Conflict, match="verify_first"):
                demands.post(session, newcomer, form, "two")
            with pytest.raises(Conflict, match="verify_first"):
                self.request(session, newcomer, recipient_id)
            if verifications.mine(session, newcomer, CUSTOMER) is None:
                hand_in(session, newcomer)
        decide_case(session, newcomer)

        assert demands.post(session, newcomer, form, "two")
        assert self.request(session, newcomer, recipient_id)

    def test_a_city_may_do_without(self, session, newcomer):
        session.execute(update(City).values(verify_customers=False))
        form = demand_form(recipient_id=make_recipient(session, newcomer))

        assert demands.post(session, newcomer, form, "one")

    def test_who_only_calls_is_exempt(self, session, newcomer):
        form = demand_form(recipient_id=make_recipient(session, newcomer))

        assert demands.post(session, DESK, form, "one", customer_id=newcomer.id)


class TestErasure:
    def test_nothing_of_the_person_is_left(self, session, newcomer):
        case_id = hand_in(session, newcomer)
        verifications.take(session, OPERATOR)
        verifications.erase_of(session, newcomer.id)
        session.flush()
        session.expire_all()

        row = session.get_one(VerificationCase, case_id)
        assert (row.legal_name, row.id_number, row.id_number_hash) == ("", "", None)
        assert row.erased_at is not None
        pages = session.scalars(select(Document).where(Document.case_id == case_id)).all()
        assert len(pages) == 2
        assert all(page.content_sealed is None for page in pages)
        assert verifications.queue(session, OPERATOR, 10).count == 0
        with pytest.raises(NotFound, match="case_not_found"):
            verifications.review(session, OPERATOR, case_id)
        assert audited(session).count("shred_document") == 2

    def test_others_keep_theirs(self, session, newcomer):
        hand_in(session, newcomer)
        verifications.erase_of(session, ZHOU.id)

        assert verifications.mine(session, newcomer, CUSTOMER).masked_name == "王**"


def test_a_case_in_another_city_is_that_citys(session):
    session.execute(delete(VerificationCase).where(VerificationCase.account_id == ZHOU.id))
    case_id = make_case(session, ZHOU, CaseStatus.SUBMITTED, city_code=LUZHOU)

    assert verifications.queue(session, OPERATOR, 10).count == 0
    assert verifications.take(session, FAR_OPERATOR) == case_id

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import delete, select

from data.accounts import AccountRole
from data.caregivers import Caregiver
from data.history import AuditEvent, Noun, StatusChange
from data.notices import NoticeKind, OutboxMessage
from data.recipients import Sex
from data.verifications import CaseKind, CaseStatus, Document, DocumentKind, VerificationCase
from services import caregivers, certificates, documents, reviews, verifications
from services import clock as service_clock
from services.access import Actor, Role
from services.caregivers import CaregiverStatus, CertificateForm, CertificateKind, Hours, Skill
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from tests.factories import (
    DESK,
    DRAFT,
    FAR_OPERATOR,
    HELD,
    JIANGYANG,
    LI,
    LUZHOU,
    NANTONG,
    NASTY,
    NOBODY_ID,
    OPERATOR,
    STRANGER,
    ZHAO,
    ZHOU,
    decide_case,
    empty_page,
    make_case,
    make_order,
    make_redeemed_visit,
)

HEALTH = CertificateForm(CertificateKind.HEALTH, "区疾控中心", date(2029, 5, 1), date(2031, 5, 1))


def own(session, actor=DRAFT):
    return caregivers.own_form(session, actor)


def save(session, actor=DRAFT, **changes):
    caregivers.save_profile(session, actor, replace(own(session, actor), **changes))
    session.flush()


def status(session, actor=DRAFT):
    return session.get_one(Caregiver, actor.id).status


class TestProfile:
    def test_what_was_saved_can_be_edited_again(self, session):
        given = replace(
            own(session),
            radius_km=7,
            about="会做清淡饭菜",
            skills=(Skill.COOKING, Skill.DEMENTIA),
            certificates=(replace(HEALTH, number="2029-0042"),),
            hours=(Hours(0, 480, 720), Hours(0, 780, 1080)),
        )
        caregivers.save_profile(session, DRAFT, given)
        session.flush()
        session.expire_all()

        assert own(session) == given

    def test_the_first_one_starts_as_a_draft(self, session):
        given = own(session)
        session.add(
            AccountRole(created_at=service_clock.now(), account_id=STRANGER.id, role=Role.CAREGIVER)
        )
        newcomer = Actor(STRANGER.id, Role.CAREGIVER)
        assert own(session, newcomer) is None
        assert caregivers.own_profile(session, newcomer) is None
        assert caregivers.standing(session, newcomer) is None
        caregivers.save_profile(session, newcomer, given)

        assert caregivers.standing(session, newcomer).status is CaregiverStatus.DRAFT

    def test_words_are_kept_as_typed(self, session):
        save(session, about=NASTY, training=NASTY, certificates=(replace(HEALTH, issuer=NASTY),))

        kept = own(session)
        assert (kept.about, kept.training, kept.certificates[0].issuer) == (NASTY,) * 3

    @pytest.mark.parametrize(
        ("changes", "key"),
        [
            ({"about": "长" * 501}, "too_long"),
            ({"training": "长" * 501}, "too_long"),
            ({"district_code": JIANGYANG}, "district_of_another_city"),
            ({"birth_date": date(2012, 1, 8)}, "caregiver_age"),
            ({"birth_date": date(1954, 1, 7)}, "caregiver_age"),
            ({"worked_since": 1995}, "worked_since_impossible"),
            ({"worked_since": 2031}, "worked_since_impossible"),
            ({"radius_km": 0}, "radius_out_of_range"),
            ({"radius_km": 101}, "radius_out_of_range"),
            ({"certificates": (HEALTH,) * 21}, "too_many_certificates"),
            ({"hours": (Hours(0, 600, 600),)}, "end_before_start"),
            ({"hours": (Hours(0, 600, 1441),)}, "end_before_start"),
            ({"hours": (Hours(0, 480, 720), Hours(0, 700, 900))}, "hours_overlap"),
            ({"certificates": (replace(HEALTH, issuer=""),)}, "missing"),
            ({"certificates": (replace(HEALTH, issuer="长" * 81),)}, "too_long"),
            ({"certificates": (replace(HEALTH, number="1" * 41),)}, "too_long"),
            ({"certificates": (replace(HEALTH, issued_on=date(2030, 1, 8)),)}, "issued_in_future"),
            (
                {"certificates": (replace(HEALTH, expires_on=HEALTH.issued_on),)},
                "end_before_start",
            ),
        ],
    )
    def test_bad_input_is_refused(self, session, changes, key):
        with pytest.raises(Invalid, match=key):
            save(session, **changes)

    def test_somebody_who_turns_eighteen_today_may(self, session):
        save(session, birth_date=date(2012, 1, 7), worked_since=2030)

        assert caregivers.own_profile(session, DRAFT).age == 18

    def test_a_city_that_is_not_open_is_refused(self, session):
        with pytest.raises(Conflict, match="city_not_open"):
            save(session, city_code="110100", district_code="110101")

    def test_hours_that_touch_do_not_overlap(self, session):
        save(session, hours=(Hours(0, 480, 720), Hours(0, 720, 900), Hours(1, 500, 800)))

        assert len(own(session).hours) == 3

    def test_a_new_certificate_counts_once_it_is_approved_and_the_old_go_on(self, session):
        first_aid = replace(HEALTH, kind=CertificateKind.FIRST_AID, level="初级")
        save(session, LI, certificates=(*own(session, LI).certificates, first_aid))

        def held():
            return certificates.held(session, [LI.id])[LI.id]

        assert (status(session, LI), held()) == (CaregiverStatus.APPROVED, set(HELD))
        assert "first_aid" not in {
            one.kind for one in caregivers.profile(session, ZHOU, LI.id).certificates
        }
        case = verifications.mine(session, LI, CaseKind.CAREGIVER)
        assert (case.status, case.masked_name) == (CaseStatus.DRAFT, "李**")
        assert (DocumentKind.CERTIFICATE, CertificateKind.FIRST_AID) in case.missing
        for kind, certificate_kind in case.missing:
            documents.attach(session, LI, case.id, kind, [empty_page()], certificate_kind)
        verifications.submit(session, LI, case.id)
        with pytest.raises(Conflict, match="certificates_under_review"):
            save(session, LI, certificates=(HEALTH,))
        decide_case(session, LI)
        assert (status(session, LI), held()) == (CaregiverStatus.APPROVED, {*HELD, "first_aid"})
        assert verifications.is_verified(session, LI.id, CaseKind.CAREGIVER)

    def test_a_renewed_certificate_must_be_shown_anew(self, session):
        session.execute(delete(VerificationCase).where(VerificationCase.account_id == LI.id))
        make_case(session, LI, with_documents=True)
        renewed = replace(HEALTH, issued_on=date(2030, 1, 2), expires_on=date(2032, 5, 1))
        save(session, LI, certificates=(*own(session, LI).certificates, renewed))

        case = verifications.mine(session, LI, CaseKind.CAREGIVER)
        assert case.missing == ((DocumentKind.HEALTH_REPORT, None),)

    @pytest.mark.parametrize("changes", [{"birth_date": date(1981, 5, 1)}, {"sex": Sex.MALE}])
    def test_a_profile_cannot_leave_the_id_number_behind(self, session, changes):
        with pytest.raises(Invalid, match="differs_from_profile"):
            save(session, LI, **changes)

    def test_an_approved_caregiver_may_drop_one_and_change_the_rest(self, session):
        save(session, LI, certificates=own(session, LI).certificates[:1], about="新的介绍")

        assert status(session, LI) is CaregiverStatus.APPROVED
        assert len(own(session, LI).certificates) == 1

    def test_shows_scores_visits_and_expired_certificates(self, session, clock):
        visit_id = make_redeemed_visit(session)
        reviews.write(session, ZHOU, visit_id, reviews.ReviewForm(5, 4, 3, 4, "很好"))
        session.flush()
        clock.move(days=800)

        seen = caregivers.profile(session, ZHOU, LI.id)
        assert (seen.visits_done, seen.hours_done) == (1, 2)
        assert (seen.score.reviews, seen.score.skill, seen.score.communication) == (1, 5, 3)
        assert all(certificate.expired for certificate in seen.certificates)


class TestWhoSees:
    @pytest.mark.parametrize(
        ("actor", "caregiver_id"),
        [
            (FAR_OPERATOR, LI.id),
            (ZHAO, LI.id),
            (STRANGER, DRAFT.id),
            (STRANGER, NOBODY_ID),
            (OPERATOR, NOBODY_ID),
        ],
    )
    def test_who_has_nothing_to_do_with_them_sees_no_caregiver(self, session, actor, caregiver_id):
        make_order(session)

        with pytest.raises(NotFound, match="caregiver_not_found"):
            caregivers.profile(session, actor, caregiver_id)

    @pytest.mark.parametrize("actor", [ZHOU, STRANGER, DESK, OPERATOR, LI])
    def test_whoever_deals_with_them_does(self, session, actor):
        make_order(session)

        assert caregivers.profile(session, actor, LI.id).name == "李桂兰"


class TestMoves:
    def test_submitting_tells_the_citys_operators(self, session):
        caregivers.move(session, DRAFT, DRAFT.id, "submit")
        session.flush()

        assert status(session) is CaregiverStatus.SUBMITTED
        [message] = session.scalars(select(OutboxMessage))
        assert (message.kind, message.account_id) == (NoticeKind.CAREGIVER_SUBMITTED, OPERATOR.id)

    def test_saving_and_submitting_are_one_deed(self, session):
        form = replace(own(session), about="请审核")
        caregivers.save_and_submit(session, DRAFT, form)

        assert (status(session), own(session).about) == (CaregiverStatus.SUBMITTED, "请审核")

    @pytest.mark.parametrize(
        ("changes", "key"),
        [({"certificates": ()}, "no_certificate"), ({"hours": ()}, "no_weekly_hours")],
    )
    def test_an_empty_profile_is_not_submitted(self, session, changes, key):
        save(session, **changes)

        with pytest.raises(Invalid, match=key):
            caregivers.move(session, DRAFT, DRAFT.id, "submit")

    def test_approving_tells_the_caregiver_and_is_audited(self, session):
        caregivers.move(session, DRAFT, DRAFT.id, "submit")
        decide_case(session, DRAFT)

        assert caregivers.standing(session, DRAFT).may_work
        told = session.scalars(select(OutboxMessage.kind).where(OutboxMessage.account_id == 5))
        assert told.all() == [NoticeKind.CAREGIVER_APPROVED]
        events = session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
        assert [event.action for event in events] == [
            "take_case", "approve_case", "caregiver_approve"
        ]  # fmt: skip
        assert {event.actor_id for event in events} == {OPERATOR.id}

    def test_the_whole_way_leaves_a_history_row_for_each_step(self, session):
        steps = ("submit", "reject", "submit", "approve", "suspend", "restore")
        for step in steps:
            if step in ("reject", "approve"):
                decide_case(session, DRAFT, step)
            else:
                actor = DRAFT if step == "submit" else OPERATOR
                caregivers.move(session, actor, DRAFT.id, step, "说明原因")
            session.flush()

        of_her = select(StatusChange).where(StatusChange.noun == Noun.CAREGIVER)
        rows = session.scalars(of_her.order_by(StatusChange.id)).all()
        assert tuple(row.move for row in rows) == steps
        assert {(row.noun, row.subject_id) for row in rows} == {(Noun.CAREGIVER, DRAFT.id)}
        assert status(session) is CaregiverStatus.APPROVED

    def test_rejecting_needs_words_and_shows_them(self, session):
        caregivers.move(session, DRAFT, DRAFT.id, "submit")
        decide_case(session, DRAFT, "reject", words=NASTY)

        assert caregivers.standing(session, DRAFT).decision_words == NASTY

    @pytest.mark.parametrize(
        ("because", "key"), [("", "missing"), ("  ", "missing"), ("长" * 301, "too_long")]
    )
    def test_bad_words_are_refused(self, session, because, key):
        with pytest.raises(Invalid, match=key):
            caregivers.move(session, OPERATOR, LI.id, "suspend", because)

    def test_nobody_is_approved_past_their_case(self, session):
        caregivers.move(session, DRAFT, DRAFT.id, "submit")
        session.flush()
        for move in ("approve", "reject"):
            with pytest.raises(Conflict, match="decide_on_case"):
                caregivers.move(session, OPERATOR, DRAFT.id, move, "原因")
        session.execute(delete(Document))
        session.execute(delete(VerificationCase).where(VerificationCase.account_id == DRAFT.id))
        with pytest.raises(Conflict, match="case_not_approved"):
            caregivers.move(session, OPERATOR, DRAFT.id, "approve")

    def test_a_step_the_status_does_not_allow_is_refused(self, session):
        with pytest.raises(Conflict, match="caregiver_moved_on"):
            caregivers.move(session, OPERATOR, LI.id, "approve")

    def test_another_citys_operator_finds_nobody_to_decide_on(self, session):
        with pytest.raises(NotFound, match="caregiver_not_found"):
            caregivers.move(session, FAR_OPERATOR, LI.id, "suspend", "原因")

    def test_nobody_decides_on_themselves(self, session):
        both = Actor(LI.id, Role.OPERATOR, frozenset({NANTONG}))

        with pytest.raises(NotAllowed, match="own_case"):
            caregivers.move(session, both, LI.id, "suspend", "原因")

    def test_nobody_submits_for_another(self, session):
        with pytest.raises(NotFound):
            caregivers.move(session, LI, DRAFT.id, "submit")


def test_an_approved_caregiver_cannot_move_to_another_city(session):
    form = caregivers.own_form(session, LI)
    assert form is not None

    with pytest.raises(Conflict, match="city_is_settled"):
        caregivers.save_profile(
            session, LI, replace(form, city_code=LUZHOU, district_code=JIANGYANG)
        )

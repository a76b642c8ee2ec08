from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from data.consents import Consent
from data.database import reading, writing
from data.history import AuditEvent, Noun, StatusChange
from data.notices import NoticeKind, OutboxMessage
from data.policies import Policy, PolicyStatus, PolicyVersion
from data.tasks import Task, TaskStatus
from services import consents, policies, policy_drafts, tasks
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.policy_drafts import FURTHEST, LONGEST
from tests.factories import (
    DESK,
    FAR_OPERATOR,
    LI,
    NAMES,
    OPERATOR,
    STRANGER,
    ZHAO,
    ZHOU,
    make_newcomer,
)
from tests.policies import WORDS_EN, WORDS_ZH, publish, written

PRIVACY, ONBOARDING = Policy.PRIVACY, Policy.ONBOARDING
WEEK = timedelta(days=7)


@pytest.fixture
def day(clock):
    return clock().date() + WEEK


def shelf(session, policy=PRIVACY):
    session.flush()
    return policy_drafts.shelf(session, OPERATOR, policy)


def told(session, kind):
    """Who is told, once the worker has done its work."""
    session.flush()
    waiting = select(Task.id).where(Task.status == TaskStatus.QUEUED)
    for task_id in session.scalars(waiting).all():
        tasks.do(session, task_id)
    found = select(OutboxMessage.account_id).where(OutboxMessage.kind == kind)
    return sorted(session.scalars(found))


class TestDrafts:
    def test_begin_with_the_words_of_the_newest_version(self, session):
        policy_drafts.begin(session, OPERATOR, PRIVACY)
        draft = shelf(session).draft
        newest = policies.in_force(session, PRIVACY)[PRIVACY]
        assert (draft.form.words_zh, draft.form.words_en) == (newest.words_zh, newest.words_en)
        assert (draft.form.changes_zh, draft.written_by) == ("", NAMES[OPERATOR])
        assert shelf(session).history.versions == policies.history(session, PRIVACY).versions

    def test_a_document_has_one_at_a_time(self, session):
        policy_drafts.begin(session, OPERATOR, PRIVACY)
        with pytest.raises(Conflict, match="policy_has_draft"):
            policy_drafts.begin(session, FAR_OPERATOR, PRIVACY)
        policy_drafts.begin(session, FAR_OPERATOR, ONBOARDING)

    def test_what_is_saved_is_there_for_colleagues(self, session):
        draft_id, form, edition = written(session, PRIVACY)
        policy_drafts.save(session, FAR_OPERATOR, draft_id, form, edition)
        draft = shelf(session).draft
        assert (draft.form, draft.written_by) == (form, NAMES[FAR_OPERATOR])

    def test_two_who_write_at_once_do_not_overwrite_each_other(self, session):
        draft_id, form, edition = written(session, PRIVACY)
        policy_drafts.save(session, OPERATOR, draft_id, form, edition)
        session.flush()
        for deed in (
            lambda late: policy_drafts.save(session, FAR_OPERATOR, draft_id, late, edition),
            lambda late: policy_drafts.publish(
                session, FAR_OPERATOR, draft_id, late, edition, policies.clock.today()
            ),
        ):
            with pytest.raises(Conflict, match="written_meanwhile"):
                deed(replace(form, words_zh="另一种写法"))
        assert shelf(session).draft.form == form

    def test_one_given_up_is_kept_in_the_history_and_makes_room(self, session):
        draft_id, form, edition = written(session, PRIVACY)
        policy_drafts.discard(session, OPERATOR, draft_id)
        assert shelf(session).draft is None
        for deed in (
            lambda: policy_drafts.save(session, OPERATOR, draft_id, form, edition),
            lambda: policy_drafts.discard(session, OPERATOR, draft_id),
        ):
            with pytest.raises(Conflict, match="moved_on"):
                deed()
        policy_drafts.begin(session, OPERATOR, PRIVACY)
        assert session.get_one(PolicyVersion, draft_id).status is PolicyStatus.WITHDRAWN
        moves = select(StatusChange.move).where(
            StatusChange.noun == Noun.POLICY_VERSION, StatusChange.subject_id == draft_id
        )
        assert session.scalars(moves.order_by(StatusChange.id)).all() == ["draft", "discard"]

    @pytest.mark.parametrize("field", ["words_zh", "words_en", "changes_zh", "changes_en"])
    def test_both_languages_are_wanted_and_not_without_end(self, session, field):
        draft_id, form, edition = written(session, PRIVACY)
        for said, refusal in ((" \n", "missing"), ("字" * (LONGEST + 1), "too_long")):
            with pytest.raises(Invalid, match=refusal) as refused:
                policy_drafts.save(
                    session, OPERATOR, draft_id, replace(form, **{field: said}), edition
                )
            assert refused.value.values["field"] == f"policy_{field}"

    @pytest.mark.parametrize(
        ("said", "refusal"),
        [
            ("好<script>alert(1)</script>", "policy_html"),
            ("<IMG src=x onerror=alert(1)>", "policy_html"),
            ("</div>", "policy_html"),
            ("<!-- 藏起来 -->", "policy_html"),
            ("![猫](https://example.org/cat.png)", "policy_picture"),
            ("[点我](javascript:alert(1))", "policy_link"),
            ("[点我]( data:text/html,x)", "policy_link"),
            ("[点我](http://example.org)", "policy_link"),
            ("[点我](//example.org)", "policy_link"),
            ("[点我][一]\n\n[一]: javascript:alert(1)", "policy_link"),
        ],
    )
    def test_nothing_but_words_and_safe_links_is_taken(self, session, said, refusal):
        draft_id, form, edition = written(session, PRIVACY)
        for field in ("words_zh", "words_en"):
            with pytest.raises(Invalid, match=refusal) as refused:
                policy_drafts.save(
                    session, OPERATOR, draft_id, replace(form, **{field: said}), edition
                )
            assert refused.value.values["field"] == f"policy_{field}"

    @pytest.mark.parametrize(
        "said",
        [
            "3 < 5 和 a > b",
            "见[隐私说明](/policy)、[条文](https://www.gov.cn/a?b=1)",
            "[打电话](tel:051300000000)、[写信](mailto:a@example.org)",
            "第（一）项、[1] 注",
        ],
    )
    def test_words_and_safe_links_are_kept_as_typed(self, session, said):
        draft_id, form, edition = written(session, PRIVACY)
        policy_drafts.save(session, OPERATOR, draft_id, replace(form, words_zh=said), edition)
        assert shelf(session).draft.form.words_zh == said

    def test_an_unknown_one_is_refused(self, session):
        _, form, edition = written(session, PRIVACY)
        with pytest.raises(NotFound, match="policy_not_found"):
            policy_drafts.save(session, OPERATOR, 999_999, form, edition)
        with pytest.raises(NotFound, match="policy_not_found"):
            policy_drafts.withdraw(session, OPERATOR, 999_999)

    def test_nobody_but_operators_keeps_them(self, session):
        for actor in (ZHOU, LI, DESK):
            with pytest.raises(NotAllowed):
                policy_drafts.begin(session, actor, PRIVACY)


class TestPublishing:
    def test_gives_number_day_and_hands(self, session, day, clock):
        draft_id, form, edition = written(session, PRIVACY)
        number = policy_drafts.publish(session, FAR_OPERATOR, draft_id, form, edition, day)
        [newest, *_] = shelf(session).history.versions
        assert (newest.number, newest.effective_on) == (number, day) == (3, day)
        assert (newest.words_zh, newest.words_en) == (WORDS_ZH, WORDS_EN)
        assert newest.published_at == clock.moment
        hands = shelf(session).hands[3]
        assert hands.published_by == hands.written_by == NAMES[FAR_OPERATOR]
        assert shelf(session).hands[1].published_by is None
        [done] = session.scalars(select(AuditEvent).where(AuditEvent.action == "publish_policy"))
        assert (done.actor_id, done.subject_id) == (FAR_OPERATOR.id, draft_id)
        assert done.detail == {
            "policy": "privacy", "number": 3, "effective_on": day.isoformat(),
        }  # fmt: skip

    def test_refuses_a_day_that_is_past_too_far_or_taken(self, session, day, clock):
        publish(session, PRIVACY, day)
        draft_id, form, edition = written(session, PRIVACY, words_zh="又一版")
        today = clock().date()
        for wanted, refusal in (
            (today - timedelta(days=1), "policy_day_past"),
            (today + FURTHEST + timedelta(days=1), "policy_day_far"),
            (day, "policy_day_taken"),
            (day - timedelta(days=1), "policy_day_taken"),
        ):
            with pytest.raises(Invalid, match=refusal):
                policy_drafts.publish(session, OPERATOR, draft_id, form, edition, wanted)
        later = day + timedelta(days=1)
        assert policy_drafts.publish(session, OPERATOR, draft_id, form, edition, later) == 4

    def test_refuses_the_same_words_once_more(self, session, day):
        newest = policies.in_force(session, PRIVACY)[PRIVACY]
        with pytest.raises(Invalid, match="policy_unchanged"):
            publish(session, PRIVACY, day, words_zh=newest.words_zh, words_en=newest.words_en)

    def test_happens_once(self, session, day):
        draft_id, form, edition = written(session, PRIVACY)
        policy_drafts.publish(session, OPERATOR, draft_id, form, edition, day)
        session.flush()
        with pytest.raises(Conflict, match="moved_on"):
            policy_drafts.publish(session, OPERATOR, draft_id, form, edition, day + WEEK)

    def test_is_told_before_the_day_to_those_asked_and_to_the_other_operators(self, session, day):
        publish(session, ONBOARDING, day)
        caregivers = {LI.id, ZHAO.id, 5}
        assert told(session, NoticeKind.POLICY_ANNOUNCED) == sorted({*caregivers, FAR_OPERATOR.id})
        facts = session.scalars(
            select(OutboxMessage.facts).where(OutboxMessage.kind == NoticeKind.POLICY_ANNOUNCED)
        ).first()
        assert (facts["policy"], facts["number"]) == ("onboarding", 2)
        assert facts["due_at"].startswith(day.isoformat())

    def test_is_told_to_nobody_if_taken_back_before_the_worker_came(self, session, day):
        publish(session, PRIVACY, day)
        policy_drafts.withdraw(session, OPERATOR, shelf(session).history.versions[0].id)
        assert told(session, NoticeKind.POLICY_ANNOUNCED) == []
        assert told(session, NoticeKind.POLICY_WITHDRAWN) == []


class TestWithdrawing:
    def test_one_to_come_goes_and_who_heard_of_it_hears_that(self, session, day, clock):
        publish(session, PRIVACY, day)
        heard = told(session, NoticeKind.POLICY_ANNOUNCED)
        coming = shelf(session).history.versions[0]
        policy_drafts.withdraw(session, FAR_OPERATOR, coming.id)
        assert told(session, NoticeKind.POLICY_WITHDRAWN) == [
            one for one in heard if one != FAR_OPERATOR.id
        ]
        clock.move(days=8)
        assert policies.numbers(session)[PRIVACY] == 2
        assert consents.due(session, ZHOU) == []

    def test_its_day_is_free_again_and_its_number_is_not(self, session, day):
        publish(session, PRIVACY, day)
        policy_drafts.withdraw(session, OPERATOR, shelf(session).history.versions[0].id)
        assert publish(session, PRIVACY, day, words_zh="又一版") == 4

    def test_the_one_in_force_and_those_before_stay(self, session, clock):
        publish(session, PRIVACY, clock().date())
        for version in shelf(session).history.versions:
            with pytest.raises(Conflict, match="policy_in_force"):
                policy_drafts.withdraw(session, OPERATOR, version.id)

    def test_a_draft_is_given_up_instead(self, session):
        draft_id, _, _ = written(session, PRIVACY)
        with pytest.raises(Conflict, match="moved_on"):
            policy_drafts.withdraw(session, OPERATOR, draft_id)


class TestWhoSaidYes:
    def test_is_counted_of_those_asked(self, session, clock):
        assert (shelf(session).asked, shelf(session).accepted) == (5, 5)
        publish(session, PRIVACY, clock().date())
        assert (shelf(session).asked, shelf(session).accepted) == (5, 0)
        consents.give(session, ZHOU, PRIVACY, 3)
        consents.give(session, LI, PRIVACY, 3)
        assert (shelf(session).asked, shelf(session).accepted) == (5, 2)

    def test_whoever_took_it_back_is_not_asked(self, session):
        consents.withdraw(session, STRANGER, Policy.SENSITIVE_DATA)
        assert shelf(session, Policy.SENSITIVE_DATA).asked == 4

    def test_a_newcomer_by_telephone_is_not_asked_until_they_come_in(self, session):
        newcomer = make_newcomer(session)
        assert shelf(session).asked == 6
        for consent in session.scalars(select(Consent).where(Consent.account_id == newcomer.id)):
            session.delete(consent)
        assert shelf(session).asked == 5

    def test_every_document_is_on_its_shelf(self, session):
        assert [one.policy for one in policy_drafts.shelves(session, OPERATOR)] == list(Policy)


def test_of_two_who_publish_at_once_the_later_is_told(database, clock):
    with writing() as session:
        draft_id, form, edition = written(session, PRIVACY)
    with writing() as session:
        policy_drafts.publish(session, OPERATOR, draft_id, form, edition, clock().date() + WEEK)
    with pytest.raises(Conflict, match="moved_on"), writing() as session:
        policy_drafts.publish(
            session, FAR_OPERATOR, draft_id, form, edition, clock().date() + 2 * WEEK
        )
    with reading() as session:
        assert len(policies.history(session, PRIVACY).versions) == 3

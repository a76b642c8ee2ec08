from datetime import timedelta

import pytest
from sqlalchemy import select, update

from data.accounts import Account
from data.cities import City
from data.history import AuditEvent, Noun, StatusChange
from data.notices import NoticeKind, OutboxMessage
from data.rules import RuleStatus, RuleVersion
from services import clock as service_clock
from services import rule_changes, rules
from services.access import SYSTEM
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from tests.factories import (
    COMPANIONSHIP,
    FAR_OPERATOR,
    LUZHOU,
    NANTONG,
    OPERATOR,
    make_operator,
    make_order,
    make_rules,
)

WHY = "周末请不到人"
DECISIONS = rule_changes.propose, rule_changes.approve, rule_changes.withdraw


def day(days=0):
    return service_clock.today() + timedelta(days=days)


@pytest.fixture
def second(session):
    """Another operator of the city."""
    return make_operator(session)


def draft(session, days=5, actor=OPERATOR, said=WHY, **changes):
    version_id = rule_changes.draft(session, actor, NANTONG)
    changes = changes or {"weekend_bp": 1000}
    rule_changes.revise(session, actor, version_id, changes, valid_from=day(days), said=said)
    return version_id


def status(session, version_id):
    return session.get_one(RuleVersion, version_id).status


def kinds(session):
    return session.scalars(
        select(OutboxMessage.kind)
        .where(OutboxMessage.kind.in_([one for one in NoticeKind if one.startswith("rules")]))
        .order_by(OutboxMessage.id)
    ).all()


def publish(session, second, **changes):
    version_id = draft(session, **changes)
    rule_changes.propose(session, OPERATOR, version_id)
    rule_changes.approve(session, second, version_id)
    return version_id


class TestTwoOperators:
    def test_what_one_writes_the_other_publishes_and_it_holds_from_its_day_on(
        self, session, clock, second
    ):
        version_id = publish(session, second, commission_bp=2000)

        assert rules.now(session, NANTONG)["commission_bp"] == 1500
        clock.move(days=5)
        assert rule_changes.any_due(session)
        assert rules.now(session, NANTONG)["commission_bp"] == 2000
        assert rule_changes.publish_due(session, SYSTEM) == 1
        columns = session.scalars(select(City.commission_bp).order_by(City.code)).all()
        assert sorted(columns) == [1500, 2000]
        assert rule_changes.publish_due(session, SYSTEM) == 0
        [kept] = rules.mine(session, OPERATOR)
        assert kept.in_force is not None
        assert (kept.in_force.id, kept.in_force.published_by) == (version_id, "吴二明")
        assert rules.now(session, LUZHOU)["commission_bp"] == 1500

    def test_each_step_is_kept_audited_and_told(self, session, second):
        version_id = publish(session, second)

        moves = select(StatusChange.move).where(
            StatusChange.noun == Noun.RULE_VERSION, StatusChange.subject_id == version_id
        )
        assert session.scalars(moves).all() == ["draft", "propose", "approve"]
        deeds = select(AuditEvent.action).where(AuditEvent.subject == "rule_version")
        assert session.scalars(deeds).all() == ["propose_rules", "publish_rules"]
        assert kinds(session) == [NoticeKind.RULES_PROPOSED] * 2 + [NoticeKind.RULES_PUBLISHED] * 2

    def test_nobody_approves_what_they_wrote(self, session, second):
        version_id = draft(session)
        rule_changes.propose(session, OPERATOR, version_id)

        for deed, said in ((rule_changes.approve, ()), (rule_changes.turn_down, (WHY,))):
            with pytest.raises(NotAllowed, match="rules_own"):
                deed(session, OPERATOR, version_id, *said)
        assert "approve" not in rules.version(session, OPERATOR, version_id).moves
        assert "approve" in rules.version(session, second, version_id).moves

    def test_nor_publishes_alone_where_there_is_another(self, session, second):
        version_id = draft(session)

        with pytest.raises(Conflict, match="rules_somebody_else"):
            rule_changes.announce(session, OPERATOR, version_id, "1")

    def test_what_is_turned_down_can_be_changed_and_proposed_again(self, session, second):
        version_id = draft(session)
        rule_changes.propose(session, OPERATOR, version_id)
        with pytest.raises(Conflict, match="rules_not_draft"):
            rule_changes.revise(session, OPERATOR, version_id, {"weekend_bp": 0})
        rule_changes.turn_down(session, second, version_id, "太多")

        seen = rules.version(session, OPERATOR, version_id)
        assert (seen.status, seen.decision_words) == (RuleStatus.DRAFT, "太多")
        rule_changes.revise(session, OPERATOR, version_id, {"weekend_bp": 500})
        rule_changes.propose(session, OPERATOR, version_id)
        assert status(session, version_id) is RuleStatus.PROPOSED

    def test_a_suspended_colleague_is_nobody(self, session, second):
        session.execute(update(Account).where(Account.id == second.id).values(status="suspended"))

        with pytest.raises(Conflict, match="rules_nobody_else"):
            rule_changes.propose(session, OPERATOR, draft(session))

    def test_two_who_approve_at_once_publish_once(self, session, second):
        version_id = publish(session, second)

        with pytest.raises(Conflict, match="rules"):
            rule_changes.approve(session, second, version_id)


class TestAlone:
    def test_it_is_published_a_day_after_its_number_was_typed(self, session, clock):
        version_id = draft(session)
        rule_changes.announce(session, OPERATOR, version_id, " 1 ")

        clock.move(hours=23, minutes=59)
        assert rule_changes.publish_due(session, SYSTEM) == 0
        clock.move(minutes=1)
        assert rule_changes.publish_due(session, SYSTEM) == 1
        assert status(session, version_id) is RuleStatus.PUBLISHED

    def test_until_then_it_can_be_withdrawn(self, session, clock):
        version_id = draft(session)
        rule_changes.announce(session, OPERATOR, version_id, "1")
        rule_changes.withdraw(session, OPERATOR, version_id)

        clock.move(days=2)
        assert rule_changes.publish_due(session, SYSTEM) == 0
        assert status(session, version_id) is RuleStatus.WITHDRAWN
        assert rules.now(session, NANTONG)["weekend_bp"] == 0

    @pytest.mark.parametrize("typed", ["", "2", "第一版"])
    def test_without_its_number_nothing_happens(self, session, typed):
        version_id = draft(session)

        with pytest.raises(Invalid, match="rules_number_typed"):
            rule_changes.announce(session, OPERATOR, version_id, typed)
        assert status(session, version_id) is RuleStatus.DRAFT

    def test_it_cannot_begin_before_the_day_of_waiting_is_over(self, session):
        version_id = draft(session, days=1)

        with pytest.raises(Invalid, match="rules_too_soon_alone"):
            rule_changes.announce(session, OPERATOR, version_id, "1")

    def test_nobody_can_be_asked(self, session):
        version_id = draft(session)

        with pytest.raises(Conflict, match="rules_nobody_else"):
            rule_changes.propose(session, OPERATOR, version_id)
        assert "propose" not in rules.version(session, OPERATOR, version_id).moves

    def test_one_that_waited_past_its_day_lapses_and_that_is_told(self, session, clock):
        version_id = draft(session)
        rule_changes.announce(session, OPERATOR, version_id, "1")
        clock.move(days=6)

        rule_changes.publish_due(session, SYSTEM)
        assert status(session, version_id) is RuleStatus.WITHDRAWN
        assert kinds(session)[-1] is NoticeKind.RULES_WITHDRAWN


class TestNoHoleAndNoOverlap:
    @pytest.mark.parametrize("days", [0, -1, 3, 4])
    def test_a_version_begins_tomorrow_at_the_earliest_and_after_the_one_before(
        self, session, second, days
    ):
        publish(session, second, days=4)
        version_id = rule_changes.draft(session, OPERATOR, NANTONG)

        with pytest.raises(Invalid, match="rules_too_soon"):
            rule_changes.revise(session, OPERATOR, version_id, {}, valid_from=day(days))

    def test_and_within_a_year(self, session):
        version_id = rule_changes.draft(session, OPERATOR, NANTONG)

        with pytest.raises(Invalid, match="rules_too_far"):
            rule_changes.revise(session, OPERATOR, version_id, {}, valid_from=day(400))

    def test_every_day_has_one_version_in_force(self, session, second):
        first = publish(session, second, days=2, night_bp=0)
        third = publish(session, second, days=5, night_bp=100)

        found = [rules.on(session, NANTONG, day(days)) for days in range(8)]
        assert [one.id if one else None for one in found] == [None] * 2 + [first] * 3 + [third] * 3
        assert [values["night_bp"] for _, values in rules.until(session, NANTONG, day(9))] == [
            0,
            100,
        ]

    def test_what_was_overtaken_cannot_be_published(self, session, second):
        late = draft(session, days=8)
        rule_changes.propose(session, OPERATOR, late)
        publish(session, second, days=4, night_bp=0)

        with pytest.raises(Conflict, match="rules_overtaken"):
            rule_changes.approve(session, second, late)
        assert status(session, late) is RuleStatus.PROPOSED

    def test_a_waiting_one_that_was_overtaken_is_withdrawn(self, session, clock, second):
        late = draft(session, days=8)
        session.execute(update(Account).where(Account.id == second.id).values(status="suspended"))
        rule_changes.announce(session, OPERATOR, late, "1")
        session.execute(update(Account).where(Account.id == second.id).values(status="active"))
        publish(session, second, days=4, night_bp=0)
        clock.move(days=1)

        rule_changes.publish_due(session, SYSTEM)
        assert status(session, late) is RuleStatus.WITHDRAWN

    def test_the_day_may_have_passed_while_it_waited_for_approval(self, session, clock, second):
        version_id = draft(session)
        rule_changes.propose(session, OPERATOR, version_id)
        clock.move(days=5)

        with pytest.raises(Invalid, match="rules_too_soon"):
            rule_changes.approve(session, second, version_id)


class TestInUse:
    def test_what_the_first_version_changed_is_told_after_it_has_begun_too(
        self, session, clock, second
    ):
        version_id = publish(session, second, commission_bp=2000)
        told = rules.version(session, OPERATOR, version_id).changes
        assert told == {"commission_bp": (1500, 2000)}
        clock.move(days=6)
        rule_changes.publish_due(session, SYSTEM)

        assert rules.version(session, OPERATOR, version_id).changes == told

    def test_one_in_force_is_replaced_never_withdrawn(self, session):
        version_id = make_rules(session, weekend_bp=1000)
        make_order(session)

        with pytest.raises(Conflict, match="rules_in_use"):
            rule_changes.withdraw(session, OPERATOR, version_id)
        seen = rules.version(session, OPERATOR, version_id)
        assert (seen.orders, seen.moves) == (1, ())

    def test_one_to_come_can_be_withdrawn_and_the_one_before_stays(self, session, second):
        version_id = publish(session, second, prices={str(COMPANIONSHIP): {"junior": [3000, 4000]}})
        rule_changes.withdraw(session, OPERATOR, version_id)

        assert rules.on(session, NANTONG, day(9)) is None
        assert publish(session, second, night_bp=0) != version_id


class TestDraft:
    def test_it_begins_with_the_numbers_of_the_newest_version_even_one_to_come(
        self, session, second
    ):
        publish(session, second, days=3, night_bp=100)

        seen = rules.version(session, OPERATOR, rule_changes.draft(session, OPERATOR, NANTONG))
        assert (seen.values["night_bp"], seen.based_on, seen.changes) == (100, 1, {})
        assert (seen.number, seen.valid_from) == (2, day(4))

    def test_before_the_first_version_it_says_what_the_citys_columns_say(self, session):
        session.execute(update(City).values(hold_hours=9))

        seen = rules.version(session, OPERATOR, rule_changes.draft(session, OPERATOR, NANTONG))
        assert seen.values["hold_hours"] == 9

    def test_one_that_changes_nothing_is_not_published(self, session, second):
        version_id = draft(session, weekend_bp=0)

        with pytest.raises(Invalid, match="rules_change_nothing"):
            rule_changes.propose(session, OPERATOR, version_id)

    def test_nor_one_without_a_reason(self, session, second):
        version_id = rule_changes.draft(session, OPERATOR, NANTONG)
        rule_changes.revise(session, OPERATOR, version_id, {"weekend_bp": 1000})

        with pytest.raises(Invalid, match="missing"):
            rule_changes.propose(session, OPERATOR, version_id)

    def test_bad_numbers_are_refused_and_the_others_stay(self, session):
        version_id = draft(session, weekend_bp=1200)

        with pytest.raises(Invalid, match="number_out_of_range"):
            rule_changes.revise(session, OPERATOR, version_id, {"commission_bp": 10_001})
        session.expire_all()
        assert rules.version(session, OPERATOR, version_id).changes == {"weekend_bp": (0, 1200)}

    def test_another_citys_operator_sees_and_does_nothing(self, session):
        version_id = draft(session)

        assert [one.city_code for one in rules.mine(session, FAR_OPERATOR)] == [LUZHOU]
        for deed in (rules.version, *DECISIONS):
            with pytest.raises(NotFound, match="rules_not_found"):
                deed(session, FAR_OPERATOR, version_id)
        with pytest.raises(NotFound, match="city_not_found"):
            rule_changes.draft(session, FAR_OPERATOR, NANTONG)

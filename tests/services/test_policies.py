from datetime import date, timedelta

import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.exc import DBAPIError

from data.database import ROOT, reading, writing
from data.policies import Policy, PolicyVersion
from services import policies, policy_drafts
from services.errors import NotFound
from services.policies import Standing
from tests.factories import OPERATOR
from tests.policies import WORDS_ZH, publish, written

PRIVACY = Policy.PRIVACY
SHIPPED = {**dict.fromkeys(Policy, 1), PRIVACY: 2}


def test_every_document_is_in_force_from_the_first_day_on(session):
    found = policies.in_force(session, *Policy)
    assert {policy: version.number for policy, version in found.items()} == SHIPPED
    assert policies.numbers(session) == SHIPPED
    for policy, version in found.items():
        files = ROOT / "data" / "reference" / "policies"
        name = f"{policy}-{version.number}"
        assert version.words_zh == (files / f"{name}.zh_CN.md").read_text("utf-8").strip()
        assert version.words_en == (files / f"{name}.en.md").read_text("utf-8").strip()


def test_only_what_was_asked_for_is_read(session):
    assert set(policies.in_force(session, PRIVACY)) == {PRIVACY}


def test_a_version_replaces_the_other_on_its_day_without_a_gap(session, clock):
    day = clock().date() + timedelta(days=7)
    assert publish(session, PRIVACY, day) == 3
    seen = []
    for _ in range(9):
        seen.append(policies.in_force(session, PRIVACY)[PRIVACY].number)
        clock.move(days=1)
    assert seen == [2] * 7 + [3] * 2


def test_one_published_today_is_in_force_at_once_and_not_before(session, clock):
    at_dawn = clock() - timedelta(hours=2)
    publish(session, PRIVACY, clock().date())
    assert policies.in_force(session, PRIVACY)[PRIVACY].words_zh == WORDS_ZH
    clock.move(at_dawn)
    assert policies.numbers(session)[PRIVACY] == 2


def test_the_history_says_how_each_version_stands(session, clock):
    publish(session, PRIVACY, clock().date() + timedelta(days=7))
    history = policies.history(session, PRIVACY)
    assert [(one.number, history.standing(one)) for one in history.versions] == [
        (3, Standing.COMING),
        (2, Standing.IN_FORCE),
        (1, Standing.REPLACED),
    ]
    coming, now, first = history.versions
    assert history.before(coming) == now
    assert history.before(first) is None


def test_neither_drafts_nor_what_was_withdrawn_can_be_read(session, clock):
    draft_id, form, edition = written(session, PRIVACY)
    assert len(policies.history(session, PRIVACY).versions) == 2
    day = clock().date() + timedelta(days=7)
    number = policy_drafts.publish(session, OPERATOR, draft_id, form, edition, day)
    assert policies.of_number(session, PRIVACY, number).effective_on == day
    policy_drafts.withdraw(session, OPERATOR, draft_id)
    session.flush()
    assert len(policies.history(session, PRIVACY).versions) == 2
    with pytest.raises(NotFound, match="policy_not_found"):
        policies.of_number(session, PRIVACY, number)


class TestTheDatabaseItself:
    """Not even a mistake in the code changes what people said yes to."""

    @pytest.mark.parametrize(
        "change",
        [
            {"words_zh": "别的"},
            {"number": 7},
            {"effective_on": date(2031, 1, 1)},
            {"published_by_id": OPERATOR.id},
        ],
    )
    def test_refuses_to_change_a_published_version(self, database, change):
        with pytest.raises(DBAPIError, match="never changes"), writing() as session:
            session.execute(
                update(PolicyVersion).where(PolicyVersion.policy == PRIVACY).values(**change)
            )

    def test_refuses_to_delete_any(self, database):
        with pytest.raises(DBAPIError, match="never changes"), writing() as session:
            session.execute(delete(PolicyVersion))

    def test_refuses_a_second_draft_and_a_second_version_of_a_day(self, database, clock):
        with writing() as session:
            publish(session, PRIVACY, clock().date() + timedelta(days=7))
            written(session, PRIVACY)
        copied = (
            "INSERT INTO policy_versions (policy, status, number, words_zh, words_en, changes_zh,"
            " changes_en, effective_on, published_at, version, created_at) SELECT policy, status,"
            " {}, words_zh, words_en, changes_zh, changes_en, effective_on, published_at, 1,"
            " created_at FROM policy_versions WHERE status = '{}' AND policy = 'privacy'"
        )
        for number, status in (("NULL", "draft"), ("number + 100", "published")):
            with pytest.raises(DBAPIError, match=r"(?i)unique"), writing() as session:
                session.execute(text(copied.format(number, status)))
        with reading() as session:
            assert len(policies.history(session, PRIVACY).versions) == 3

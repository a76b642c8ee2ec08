"""Every change of role, city or status is audited and holds at the person's next click."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select, update

from data.history import AuditEvent
from data.verifications import CaseStatus, VerificationCase
from services import accounts, callers, caregivers, cities, customers, phones, sessions, staff
from services.access import Actor, Role
from services.caregivers import CaregiverStatus
from services.errors import Conflict
from tests.factories import (
    BROWSER,
    CHONGCHUAN,
    DESK,
    LI,
    LUZHOU,
    NANTONG,
    OPERATOR,
    STRANGER,
    ZHOU,
    phone_of,
)

CHANGZHOU = "320400"


def can_be_chosen(session, code):
    try:
        return bool(cities.open_city(session, code))
    except Conflict:
        return False


@dataclass(frozen=True)
class Change:
    """A deed, the audit row it leaves, whom it concerns, and what their next click finds."""

    deed: Callable[[Any], object]
    action: str
    whose: Actor
    found: Callable[[Any, sessions.Visitor | None], object]
    before: Callable[[Any], object] = lambda session: None
    by: Actor = OPERATOR


CHANGES = {
    "a phone that is known is invited": Change(
        lambda db: staff.invite(db, OPERATOR, "周", phone_of(ZHOU), Role.DESK, NANTONG),
        "staff_give_role",
        ZHOU,
        lambda _, visitor: visitor.roles == (Role.CUSTOMER, Role.DESK),
    ),
    "a role is given": Change(
        lambda db: staff.give(db, OPERATOR, DESK.id, Role.ANALYST, NANTONG),
        "staff_give_role",
        DESK,
        lambda _, visitor: visitor.roles == (Role.DESK, Role.ANALYST),
    ),
    "a role is taken": Change(
        lambda db: staff.take_away(db, OPERATOR, DESK.id, Role.DESK, NANTONG),
        "staff_take_role",
        DESK,
        lambda _, visitor: visitor is None,
    ),
    "a role is taken up": Change(
        lambda db: accounts.take_up_role(db, ZHOU, Role.CAREGIVER),
        "take_up_role",
        ZHOU,
        lambda _, visitor: visitor.roles == (Role.CUSTOMER, Role.CAREGIVER),
        by=ZHOU,
    ),
    "a customer is suspended": Change(
        lambda db: customers.move(db, OPERATOR, ZHOU.id, "suspend", "冒用他人手机号"),
        "customer_suspend",
        ZHOU,
        lambda _, visitor: visitor is None,
    ),
    "a customer is restored": Change(
        lambda db: customers.move(db, OPERATOR, ZHOU.id, "restore"),
        "customer_restore",
        ZHOU,
        lambda db, _: sessions.open_session(db, ZHOU.id, BROWSER),
        before=lambda db: customers.move(db, OPERATOR, ZHOU.id, "suspend", "误操作"),
    ),
    "a customer is merged into another": Change(
        lambda db: customers.merge(db, OPERATOR, STRANGER.id, ZHOU.id),
        "customer_merge",
        ZHOU,
        lambda _, visitor: visitor is None,
        before=lambda db: db.execute(
            update(VerificationCase)
            .where(VerificationCase.account_id == ZHOU.id)
            .values(status=CaseStatus.EXPIRED)
        ),
    ),
    "a caregiver is suspended": Change(
        lambda db: caregivers.move(db, OPERATOR, LI.id, "suspend", "多次爽约"),
        "caregiver_suspend",
        LI,
        lambda db, visitor: standing_of(db, visitor) is CaregiverStatus.SUSPENDED,
    ),
    "a caregiver is restored": Change(
        lambda db: caregivers.move(db, OPERATOR, LI.id, "restore"),
        "caregiver_restore",
        LI,
        lambda db, visitor: standing_of(db, visitor) is CaregiverStatus.APPROVED,
        before=lambda db: caregivers.move(db, OPERATOR, LI.id, "suspend", "误操作"),
    ),
    "somebody chooses another city": Change(
        lambda db: accounts.choose_region(db, ZHOU, LUZHOU, None),
        "choose_region",
        ZHOU,
        lambda _, visitor: visitor.city_code == LUZHOU,
        by=ZHOU,
    ),
    "a city is paused": Change(
        lambda db: cities.move(db, OPERATOR, NANTONG, "pause"),
        "pause_city",
        ZHOU,
        lambda db, _: not can_be_chosen(db, NANTONG),
    ),
    "a city is opened by its first operator": Change(
        lambda db: cities.add(db, OPERATOR, CHANGZHOU, "0519-1234-5678"),
        "open_city",
        OPERATOR,
        lambda _, visitor: visitor.actor.cities == {NANTONG, CHANGZHOU},
    ),
    "a caller is registered": Change(
        lambda db: callers.register(db, DESK, "顾阿姨", "13912345678", NANTONG),
        "register_caller",
        DESK,
        lambda db, _: customers.count(db, OPERATOR, "13912345678") == 1,
        by=DESK,
    ),
    "somebody goes on in another role": Change(
        lambda db: sessions.switch_role(db, DESK, TOKENS[-1], Role.ANALYST),
        "switch_role",
        DESK,
        lambda _, visitor: visitor.actor.role is Role.ANALYST,
        before=lambda db: staff.give(db, OPERATOR, DESK.id, Role.ANALYST, NANTONG),
        by=DESK,
    ),
}
TOKENS: list[str] = []


def standing_of(session, visitor):
    return caregivers.standing(session, visitor.actor).status


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_is_audited_and_holds_at_the_next_click(session, name):
    change = CHANGES[name]
    for actor in (ZHOU, STRANGER):
        accounts.choose_region(session, actor, NANTONG, CHONGCHUAN)
    change.before(session)
    session.flush()
    suspended = name == "a customer is restored"
    token = "" if suspended else sessions.open_session(session, change.whose.id, BROWSER).token
    TOKENS.append(token)
    session.flush()
    seen = set(session.scalars(select(AuditEvent.id)))
    change.deed(session)
    session.flush()

    events = [e for e in session.scalars(select(AuditEvent)) if e.id not in seen]
    assert [(event.action, event.actor_id, event.role) for event in events] == [
        (change.action, change.by.id, change.by.role)
    ]
    known = {phones.masked(phone_of(change.whose)), phone_of(change.whose), "周晓燕"}
    assert not known & {str(value) for value in events[0].detail.values()}
    assert change.found(session, sessions.resume(session, token))

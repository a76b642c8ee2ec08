"""Telling people of a version of a document that comes, or comes not after all."""

from datetime import datetime, time
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.accounts import Account, AccountRole, AccountStatus
from data.notices import NoticeKind, OutboxMessage
from data.policies import PolicyStatus, PolicyVersion
from services import clock, consents, notices
from services.access import Role

KIND = "announce_policy"


def announce_policy(session: Session, facts: dict[str, Any]) -> dict[str, Any]:
    """Tell whom the document is asked of, and the operators but the one who did it; count them."""
    version = session.get_one(PolicyVersion, facts["version_id"])
    withdrawn = version.status is PolicyStatus.WITHDRAWN
    if withdrawn:
        people = _heard(session, version)
    else:
        people = {*_asked(session, version), *_operators(session)}
    assert version.effective_on is not None
    begins = datetime.combine(version.effective_on, time(), clock.CITY_TIME)
    told = notices.tell_all(
        session,
        NoticeKind.POLICY_WITHDRAWN if withdrawn else NoticeKind.POLICY_ANNOUNCED,
        sorted(people - {facts["by"]}),
        _about(version),
        policy=version.policy,
        number=version.number,
        due_at=begins.isoformat(),
    )
    return {"told": told}


def _about(version: PolicyVersion) -> str:
    return f"policy-{version.id}"


def _asked(session: Session, version: PolicyVersion) -> set[int]:
    return set(session.scalars(select(Account.id).where(consents.asked(version.policy))))


def _operators(session: Session) -> set[int]:
    return set(
        session.scalars(
            select(AccountRole.account_id)
            .join(Account, Account.id == AccountRole.account_id)
            .where(AccountRole.role == Role.OPERATOR, Account.status == AccountStatus.ACTIVE)
        )
    )


def _heard(session: Session, version: PolicyVersion) -> set[int]:
    """Who was told that it comes."""
    told = OutboxMessage.dedupe_key.startswith(f"{NoticeKind.POLICY_ANNOUNCED}:{_about(version)}:")
    return {one for one in session.scalars(select(OutboxMessage.account_id).where(told)) if one}

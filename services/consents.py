"""Consents: who said yes to which version of which document, and when they took it back."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from data.consents import Consent, Policy
from data.demands import Demand, DemandStatus
from data.orders import Order
from data.verifications import CaseStatus, VerificationCase
from services import agreements, audit, clock
from services.access import Actor, Permission, Role
from services.errors import Conflict, NotFound

__all__ = ["ConsentView", "Policy"]

# The newest version of each document; its words are in components/documents/.
VERSIONS = {Policy.AGREEMENT: 1, Policy.PRIVACY: 2, Policy.SENSITIVE_DATA: 1}
# Whoever uses the platform as a family or a caregiver has said yes to these.
NEEDED = (Policy.AGREEMENT, Policy.PRIVACY)
ASKED = (Role.CUSTOMER, Role.CAREGIVER)


@dataclass(frozen=True, slots=True)
class ConsentView:
    """How a person stands to one document: the version they accepted last, and whether it holds."""

    policy: Policy
    newest: int
    version: int | None
    given_at: datetime | None
    withdrawn_at: datetime | None

    @property
    def holds(self) -> bool:
        return self.version is not None and self.withdrawn_at is None

    @property
    def outdated(self) -> bool:
        return self.holds and self.version != self.newest


def current(policy: Policy) -> int:
    """The version people are asked for now."""
    return VERSIONS[policy]


def given(session: Session, account_id: int, policy: Policy) -> bool:
    """Whether the person has accepted the newest version and not taken it back."""
    return session.scalar(_standing(account_id, policy)) is not None


def record(session: Session, account_id: int, policy: Policy) -> None:
    """Keep a yes to the newest version; who calls has asked the person."""
    if not given(session, account_id, policy):
        session.add(
            Consent(
                created_at=clock.now(),
                account_id=account_id,
                policy=policy,
                policy_version=VERSIONS[policy],
            )
        )
        session.flush()


def give(session: Session, actor: Actor, policy: Policy) -> None:
    """Say yes to the newest version of a document."""
    actor.require(Permission.KEEP_ACCOUNT)
    take_down(session, actor, actor.id or 0, policy)


def take_down(session: Session, actor: Actor, account_id: int, policy: Policy) -> None:
    """Keep the yes of the actor, or of a caller who said it to them; the audit tells the way."""
    record(session, account_id, policy)
    audit.record(
        session, actor, "give_consent", "account", account_id,
        policy=policy, version=VERSIONS[policy], channel=actor.channel,
    )  # fmt: skip


def withdraw(session: Session, actor: Actor, policy: Policy) -> None:
    """Take a yes back.

    Without agreement and privacy notice nobody can stay: whoever takes those back has to leave.
    """
    actor.require(Permission.KEEP_ACCOUNT)
    if policy in NEEDED:
        raise Conflict("error.consent_means_leaving")
    account_id = actor.id or 0
    standing = session.scalars(
        select(Consent)
        .where(_of(account_id, policy), Consent.withdrawn_at.is_(None))
        .with_for_update()
    ).all()
    if not standing:
        raise NotFound("error.consent_not_given")
    _refuse_while_needed(session, account_id)
    for consent in standing:
        consent.withdrawn_at = clock.now()
    audit.record(session, actor, "withdraw_consent", "account", account_id, policy=policy)


def mine(session: Session, actor: Actor) -> list[ConsentView]:
    """How the actor stands to every document."""
    actor.require(Permission.KEEP_ACCOUNT)
    newest = _newest(session, actor.id or 0)
    return [_view(policy, newest.get(policy)) for policy in Policy]


def due(session: Session, actor: Actor) -> list[Policy]:
    """What to ask the actor at this visit: what they never accepted or what has changed since."""
    actor.require(Permission.KEEP_ACCOUNT)
    asked = NEEDED if actor.role in ASKED else ()
    return [
        view.policy
        for view in mine(session, actor)
        if view.outdated or (view.policy in asked and not view.holds)
    ]


def _view(policy: Policy, last: Consent | None) -> ConsentView:
    return ConsentView(
        policy=policy,
        newest=VERSIONS[policy],
        version=last.policy_version if last else None,
        given_at=last.created_at if last else None,
        withdrawn_at=last.withdrawn_at if last else None,
    )


def _newest(session: Session, account_id: int) -> dict[Policy, Consent]:
    rows = session.scalars(
        select(Consent).where(Consent.account_id == account_id).order_by(Consent.id)
    )
    return {row.policy: row for row in rows}


def _standing(account_id: int, policy: Policy) -> Select[int]:
    return (
        select(Consent.id)
        .where(
            _of(account_id, policy),
            Consent.policy_version == VERSIONS[policy],
            Consent.withdrawn_at.is_(None),
        )
        .limit(1)
    )


def _of(account_id: int, policy: Policy) -> ColumnElement[bool]:
    return (Consent.account_id == account_id) & (Consent.policy == policy)


def _refuse_while_needed(session: Session, account_id: int) -> None:
    """Nobody takes it back while somebody reviews their papers or comes to their home."""
    if session.scalar(
        select(VerificationCase.id)
        .where(
            VerificationCase.account_id == account_id,
            VerificationCase.status == CaseStatus.SUBMITTED,
        )
        .limit(1)
    ):
        raise Conflict("error.consent_case_submitted")
    open_order = select(Order.id).where(agreements.binds(account_id)).limit(1)
    open_demand = (
        select(Demand.id)
        .where(Demand.customer_id == account_id, Demand.status == DemandStatus.OPEN)
        .limit(1)
    )
    if session.scalar(open_order) or session.scalar(open_demand):
        raise Conflict("error.consent_order_open")

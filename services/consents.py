"""Consents: who said yes to which version of which document, and when they took it back."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from data.accounts import Account, AccountRole, AccountStatus
from data.consents import Consent
from data.demands import Demand, DemandStatus
from data.orders import Order
from data.policies import Policy
from data.verifications import CaseStatus, VerificationCase
from services import agreements, audit, clock, policies
from services.access import Actor, Permission, Role
from services.errors import Conflict, NotFound

__all__ = ["ConsentView", "Policy"]

ASKED = (Role.CUSTOMER, Role.CAREGIVER)
_OF_EVERYBODY = (Policy.AGREEMENT, Policy.PRIVACY, Policy.COMPLAINT_HANDLING)
# What whoever uses the platform in a role has said yes to; staff are asked for nothing.
NEEDED: dict[Role, tuple[Policy, ...]] = dict.fromkeys(Role, ()) | {
    Role.CUSTOMER: _OF_EVERYBODY,
    Role.CAREGIVER: (*_OF_EVERYBODY, Policy.ONBOARDING),
}


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


def given(session: Session, account_id: int, policy: Policy) -> bool:
    """Whether the person has accepted the version in force and not taken it back."""
    standing = select(Consent.id).where(
        _of(account_id, policy),
        Consent.policy_version == policies.number_in_force(policy),
        Consent.withdrawn_at.is_(None),
    )
    return session.scalar(standing.limit(1)) is not None


def record(session: Session, account_id: int, policy: Policy) -> int:
    """Keep a yes to the version in force and return its number; who calls has asked the person."""
    number = policies.numbers(session)[policy]
    if not given(session, account_id, policy):
        session.add(
            Consent(
                created_at=clock.now(),
                account_id=account_id,
                policy=policy,
                policy_version=number,
            )
        )
        session.flush()
    return number


def record_needed(session: Session, account_id: int, role: Role) -> None:
    """Keep a newcomer's yes to all that their role asks for."""
    for policy in NEEDED[role]:
        record(session, account_id, policy)


def give(session: Session, actor: Actor, policy: Policy, seen: int) -> None:
    """Say yes to the version of a document that was seen; another may be in force by now."""
    actor.require(Permission.KEEP_ACCOUNT)
    if policies.numbers(session)[policy] != seen:
        raise Conflict("error.policy_changed")
    take_down(session, actor, actor.id or 0, policy)


def take_down(session: Session, actor: Actor, account_id: int, policy: Policy) -> None:
    """Keep the yes of the actor, or of a caller who said it to them; the audit tells the way."""
    number = record(session, account_id, policy)
    audit.record(
        session, actor, "give_consent", "account", account_id,
        policy=policy, version=number, channel=actor.channel,
    )  # fmt: skip


def withdraw(session: Session, actor: Actor, policy: Policy) -> None:
    """Take a yes back.

    Without agreement and privacy notice nobody can stay: whoever takes those back has to leave.
    """
    actor.require(Permission.KEEP_ACCOUNT)
    if policy != Policy.SENSITIVE_DATA:
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
    """How the actor stands to every document that concerns them."""
    actor.require(Permission.KEEP_ACCOUNT)
    return [
        view
        for view in standing(session, actor.id or 0)
        if view.policy is not Policy.ONBOARDING or view.holds or view.policy in _needed(actor)
    ]


def due(session: Session, actor: Actor) -> list[ConsentView]:
    """What to ask the actor at this visit: what they never accepted or what has changed since."""
    actor.require(Permission.KEEP_ACCOUNT)
    return [
        view
        for view in standing(session, actor.id or 0)
        if view.outdated or (view.policy in _needed(actor) and not view.holds)
    ]


def standing(session: Session, account_id: int) -> list[ConsentView]:
    """How somebody stands to every document."""
    newest = _newest(session, account_id)
    in_force = policies.numbers(session)
    return [_view(policy, in_force[policy], newest.get(policy)) for policy in Policy]


def asked(policy: Policy) -> ColumnElement[bool]:
    """Accounts a new version is asked of: in use, by a role that needs it or with a yes to it."""
    needing = exists().where(
        AccountRole.account_id == Account.id,
        AccountRole.role.in_([role for role, needed in NEEDED.items() if policy in needed]),
    )
    return (Account.status == AccountStatus.ACTIVE) & or_(
        needing & Account.agreed_at.is_not(None), _said_yes(policy)
    )


def accepted(policy: Policy, number: int) -> ColumnElement[bool]:
    """Accounts with a yes to this version that holds."""
    return _said_yes(policy, Consent.policy_version == number)


def _said_yes(policy: Policy, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    holds = Consent.withdrawn_at.is_(None)
    return exists().where(_of(Account.id, policy), holds, *conditions)


def _needed(actor: Actor) -> tuple[Policy, ...]:
    return NEEDED[actor.role] if actor.role is not None else ()


def _view(policy: Policy, in_force: int, last: Consent | None) -> ConsentView:
    return ConsentView(
        policy=policy,
        newest=in_force,
        version=last.policy_version if last else None,
        given_at=last.created_at if last else None,
        withdrawn_at=last.withdrawn_at if last else None,
    )


def _newest(session: Session, account_id: int) -> dict[Policy, Consent]:
    rows = session.scalars(
        select(Consent).where(Consent.account_id == account_id).order_by(Consent.id)
    )
    return {row.policy: row for row in rows}


def _of(account_id: int | InstrumentedAttribute[int], policy: Policy) -> ColumnElement[bool]:
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

"""Renewals: callers whom the desk asks anew for a document that has changed since their yes."""

from sqlalchemy.orm import Session

from data.policies import Policy
from services import callers, consents
from services.access import Actor, Permission
from services.consents import ConsentView
from services.errors import Conflict


def of_caller(session: Session, actor: Actor, customer_id: int) -> list[ConsentView]:
    """What to ask a caller at this call: the documents they accepted in an older version."""
    actor.require(Permission.ACT_FOR_CUSTOMER)
    account = callers.reach(session, actor, customer_id)
    return [view for view in consents.standing(session, account.id) if view.outdated]


def take_down(session: Session, actor: Actor, customer_id: int, policy: Policy, seen: int) -> None:
    """Keep the yes a caller said to the version that was read to them."""
    actor.require(Permission.ACT_FOR_CUSTOMER)
    due = {view.policy: view.newest for view in of_caller(session, actor, customer_id)}
    if policy not in due:
        raise Conflict("error.consent_not_due")
    if due[policy] != seen:
        raise Conflict("error.policy_changed")
    consents.take_down(session, actor, customer_id, policy)

"""Versions of the rule book's documents, as tests need them."""

from dataclasses import replace
from datetime import date

from sqlalchemy.orm import Session

from data.policies import Policy
from services import policy_drafts
from services.access import Actor
from services.policy_drafts import PolicyForm
from tests.factories import OPERATOR

WORDS_ZH, WORDS_EN = "**新规则**\n\n1. 头一条。", "**New rules**\n\n1. First of all."


def written(session: Session, policy: Policy, **words: str) -> tuple[int, PolicyForm, int]:
    """A new draft of a document: its number, what its form holds, and its edition."""
    draft_id = policy_drafts.begin(session, OPERATOR, policy)
    form = PolicyForm(WORDS_ZH, WORDS_EN, "改了头一条", "The first item")
    return draft_id, replace(form, **words), 1


def publish(
    session: Session, policy: Policy, day: date, *, actor: Actor = OPERATOR, **words: str
) -> int:
    """A newer version of a document, in force from a day on; its number."""
    draft_id, form, edition = written(session, policy, **words)
    number = policy_drafts.publish(session, actor, draft_id, form, edition, day)
    session.flush()
    return number

"""Marks: how far the last export saw, and which months what came since belongs to.

Rows are found by their numbers, not by time: a clock that jumps back hides none. A number below
the mark may come late, with a transaction that took long: numbers that were missing among the last
are remembered as gaps, and looked for again.

Not found so, and left to the nightly export of everything: a recipient's birth date or sex that was
corrected, a caregiver's move to another district, a care item's change of group, a district that
got another code. What the services change without a row in the history, they audit.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from data.accounts import Account
from data.demands import Application, Demand
from data.history import AuditEvent, Noun, StatusChange
from data.orders import Order, Segment, Visit
from data.reviews import Review
from data.unmet_needs import UnmetNeed
from data.verifications import VerificationCase
from services.analytics import facts, months
from services.analytics.lake import Contents
from services.analytics.schemas import Fact

SLACK = 1_000
_AT_ONCE = 5_000
_STREAMS: dict[str, InstrumentedAttribute[int]] = {
    "status_changes": StatusChange.id,
    "audit_events": AuditEvent.id,
    "accounts": Account.id,
    "demands": Demand.id,
    "applications": Application.id,
    "orders": Order.id,
    "segments": Segment.id,
    "visits": Visit.id,
    "reviews": Review.id,
    "unmet_needs": UnmetNeed.id,
}
# What is audited and has no row in the history, by the noun it concerns.
_AUDITED = {
    "hide_review": "review",
    "show_review": "review",
    "take_back_no_show": "visit",
    "choose_region": "account",
    "take_up_role": "account",
}
New = dict[str, list[int]]
Part = tuple[Fact, str]


def are_lost(session: Session, known: Contents) -> bool:
    """Whether the database is another, or an older one than the last export saw."""
    newest = session.scalar(select(func.max(StatusChange.id))) or 0
    return newest < known.marks.get("status_changes", 0)


def advance(session: Session, known: Contents) -> New:
    """Set the marks to what there is now; return the numbers that are new since the last time."""
    return {name: _advance(session, known, name, number) for name, number in _STREAMS.items()}


def _advance(
    session: Session, known: Contents, name: str, number: InstrumentedAttribute[int]
) -> list[int]:
    newest = session.scalar(select(func.max(number))) or 0
    before = known.marks.get(name, newest)  # At first everything is exported, and nothing is new.
    mark = max(before, newest)
    late = set(known.gaps.get(name, ()))
    low = min(before, mark) - SLACK
    there = session.scalars(select(number).where(number > low).order_by(number)).all()
    window = range(max(1, mark - SLACK + 1), mark)
    known.marks[name], known.gaps[name] = mark, sorted(set(window).difference(there))
    return [one for one in there if one > before or one in late]


def parts(session: Session, known: Contents, new: New) -> set[Part]:
    """The facts and months in which rows came or changed."""
    steps = list(_steps(session, new["status_changes"]))
    moved = {noun: [step.subject_id for step in steps if step.noun is noun] for noun in Noun}
    audited = _audited(session, new["audit_events"])
    applications = [*new["applications"], *moved[Noun.APPLICATION]]
    orders = [*new["orders"], *moved[Noun.ORDER]]
    visits = [*new["visits"], *moved[Noun.VISIT], *audited["visit"]]
    people = _with_kept(session, [*new["accounts"], *moved[Noun.ACCOUNT], *audited["account"]])
    taken_over = [step.subject_id for step in steps if step.move == "take_over"]
    # Of who was merged or erased every row may tell something else.
    everywhere = _with_kept(session, moved[Noun.ACCOUNT])
    need, visit = select(Demand.starts_at), select(Visit.starts_at)
    ordered = need.join(Order, Order.demand_id == Demand.id)
    planned = ordered.join(Segment, Segment.order_id == Order.id)
    applied = need.join(Application, Application.demand_id == Demand.id)
    joined = select(Account.created_at)
    case_of = joined.join(VerificationCase, VerificationCase.account_id == Account.id)
    looked_for: list[tuple[Fact, facts.Rows, InstrumentedAttribute[int], Iterable[int]]] = [
        (Fact.NEEDS, need, Demand.id, [*new["demands"], *moved[Noun.DEMAND]]),
        (Fact.NEEDS, applied, Application.id, applications),
        (Fact.NEEDS, ordered, Order.id, orders),
        (Fact.NEEDS, planned, Segment.id, new["segments"]),
        (Fact.NEEDS, ordered.join(Visit, Visit.order_id == Order.id), Visit.id, taken_over),
        (Fact.NEEDS, need, Demand.customer_id, everywhere),
        (Fact.VISITS, visit, Visit.id, visits),
        (Fact.VISITS, visit.join(Order, Order.id == Visit.order_id), Order.customer_id, everywhere),
        (Fact.OFFERS, select(Application.created_at), Application.id, applications),
        (Fact.OFFERS, select(Order.created_at), Order.id, orders),
        (Fact.REVIEWS, select(Review.created_at), Review.id, [*new["reviews"], *audited["review"]]),
        (Fact.REVIEWS, select(Review.created_at), Review.customer_id, everywhere),
        (Fact.UNMET, select(UnmetNeed.created_at), UnmetNeed.id, new["unmet_needs"]),
        (Fact.FAMILIES, joined, Account.id, people),
        (Fact.FAMILIES, case_of, VerificationCase.id, moved[Noun.VERIFICATION]),
    ]  # fmt: skip
    found = {
        (fact, months.of(moment).name)
        for fact, asked, number, numbers in looked_for
        for some in facts.batched(sorted(set(numbers)), _AT_ONCE)
        for moment in session.scalars(asked.where(number.in_(some)))
    }
    # An open need that was improved may have left any month that was still to come then.
    for left in (months.of(one.created_at).name for one in steps if one.move == "improve"):
        found |= {(Fact.NEEDS, month) for month in known.months(Fact.NEEDS) if month >= left}
    return found


def _steps(session: Session, numbers: Sequence[int]) -> Iterator[Row[*tuple[Any, ...]]]:
    step = select(
        StatusChange.noun, StatusChange.subject_id, StatusChange.move, StatusChange.created_at
    )
    for some in facts.batched(numbers, _AT_ONCE):
        yield from session.execute(step.where(StatusChange.id.in_(some)))


def _audited(session: Session, numbers: Sequence[int]) -> dict[str, list[int]]:
    """The subjects of what was audited and has no step, by what they are."""
    found: dict[str, list[int]] = {subject: [] for subject in _AUDITED.values()}
    event = select(AuditEvent.action, AuditEvent.subject_id)
    for some in facts.batched(numbers, _AT_ONCE):
        concerned = event.where(AuditEvent.id.in_(some), AuditEvent.action.in_(_AUDITED))
        for action, subject_id in session.execute(concerned):
            found[_AUDITED[action]].append(subject_id)
    return found


def _with_kept(session: Session, numbers: Sequence[int]) -> list[int]:
    """Accounts, and those that live on in the place of such as were merged."""
    kept = [
        account_id
        for some in facts.batched(numbers, _AT_ONCE)
        for account_id in session.scalars(
            select(Account.merged_into_id).where(Account.id.in_(some))
        )
        if account_id is not None
    ]
    return [*numbers, *kept]

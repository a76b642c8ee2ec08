"""Policies: the documents people read and say yes to, and which version is in force."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, ScalarSelect, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from data.policies import Policy, PolicyStatus, PolicyVersion
from services import clock
from services.errors import NotFound

__all__ = ["Policy", "PolicyStatus"]

_other = aliased(PolicyVersion)


class Standing(StrEnum):
    """How a version stands today."""

    DRAFT = "draft"
    COMING = "coming"
    IN_FORCE = "in_force"
    REPLACED = "replaced"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Version:
    """One published version of a document, its words Markdown."""

    id: int
    policy: Policy
    number: int
    words_zh: str
    words_en: str
    changes_zh: str
    changes_en: str
    effective_on: date
    published_at: datetime


@dataclass(frozen=True, slots=True)
class History:
    """All published versions of a document, the newest first; one of them is in force."""

    versions: tuple[Version, ...]
    in_force: int

    def standing(self, version: Version) -> Standing:
        if version.number == self.in_force:
            return Standing.IN_FORCE
        return Standing.COMING if version.number > self.in_force else Standing.REPLACED

    def before(self, version: Version) -> Version | None:
        """The version this one replaces."""
        older = [one for one in self.versions if one.number < version.number]
        return older[0] if older else None


def in_force(session: Session, *policies: Policy) -> dict[Policy, Version]:
    """The versions in force now, in one question; public."""
    return {
        row.policy: version(row)
        for row in session.scalars(
            select(PolicyVersion)
            .where(
                PolicyVersion.policy.in_(policies),
                PolicyVersion.number == number_in_force(PolicyVersion.policy),
            )
            .order_by(PolicyVersion.id)
        )
    }


def history(session: Session, policy: Policy) -> History:
    """Every version that was, is or will be in force: anybody may read what they said yes to."""
    rows = session.scalars(
        select(PolicyVersion)
        .where(PolicyVersion.policy == policy, PolicyVersion.status == PolicyStatus.PUBLISHED)
        .order_by(PolicyVersion.number.desc())
    )
    return History(tuple(version(row) for row in rows), numbers(session)[policy])


def numbers(session: Session) -> dict[Policy, int]:
    """The number of the version in force of every document."""
    begun = select(PolicyVersion.policy, func.max(PolicyVersion.number)).where(
        _begun(PolicyVersion)
    )
    rows = session.execute(begun.group_by(PolicyVersion.policy))
    return {policy: number for policy, number in rows if number is not None}


def number_in_force(policy: Policy | InstrumentedAttribute[Policy]) -> ScalarSelect[int]:
    """The number of the version in force, as part of a question."""
    return (
        select(func.max(_other.number))
        .where(_other.policy == policy, _begun(_other))
        .scalar_subquery()
    )


def of_number(session: Session, policy: Policy, number: int) -> Version:
    """A published version of a document by its number; public."""
    row = session.scalar(
        select(PolicyVersion).where(
            PolicyVersion.policy == policy,
            PolicyVersion.number == number,
            PolicyVersion.status == PolicyStatus.PUBLISHED,
        )
    )
    if row is None:
        raise NotFound("error.policy_not_found")
    return version(row)


def version(row: PolicyVersion) -> Version:
    """A published version as everybody may read it."""
    assert row.number is not None
    assert row.effective_on is not None
    assert row.published_at is not None
    return Version(
        id=row.id,
        policy=row.policy,
        number=row.number,
        words_zh=row.words_zh,
        words_en=row.words_en,
        changes_zh=row.changes_zh,
        changes_en=row.changes_en,
        effective_on=row.effective_on,
        published_at=row.published_at,
    )


def _begun(of: type[PolicyVersion]) -> ColumnElement[bool]:
    """Published, and its day has come."""
    return (
        (of.status == PolicyStatus.PUBLISHED)
        & (of.effective_on <= clock.today())
        & (of.published_at <= clock.now())
    )

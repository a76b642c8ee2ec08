"""Facts of people: families and caregivers, each a pseudonym with bands, dates and places."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa
from sqlalchemy import ColumnElement, String, case, exists, func, select, type_coerce
from sqlalchemy.orm import Session

from data import sealing
from data.accounts import Account, AccountRole, AccountStatus, Channel, Role
from data.caregivers import Caregiver, CaregiverStatus, Rate, WeeklyHours
from data.catalogue import CareItem
from data.history import AuditEvent, Noun, StatusChange
from data.verifications import CaseKind, CaseStatus, VerificationCase
from services import clock, resident_ids
from services.analytics import facts, pseudonyms, terms
from services.analytics.months import Month
from services.analytics.schemas import Fact
from services.analytics.terms import HOURS_A_DAYPART, AgeBand, Daypart

Stretch = tuple[datetime, datetime | None]
Minutes = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Verified:
    """A family's approved case: since when, and the sealed number that tells the holder's age."""

    at: datetime
    sealed_id: str
    id_number_sealed: bytes | None

    def band(self) -> AgeBand | None:
        """How old the holder was when the case was approved; only the band leaves the number."""
        if self.id_number_sealed is None:
            return None
        bound_to = sealing.place(
            VerificationCase.__tablename__,
            VerificationCase.id_number_sealed.key,
            self.sealed_id,
        )
        number = sealing.open_sealed(self.id_number_sealed, bound_to).decode()
        return terms.age_band(resident_ids.read(number).birth_date, clock.in_city(self.at).date())


def verified(session: Session, month: Month) -> dict[int, Verified]:
    """The approved cases of the families that joined in a month, by account."""
    rows = session.execute(
        select(
            VerificationCase.account_id,
            VerificationCase.decided_at,
            VerificationCase.created_at,
            VerificationCase.sealed_id,
            VerificationCase.id_number_sealed,
        )
        .join(Account, Account.id == VerificationCase.account_id)
        .where(
            month.holds(Account.created_at),
            VerificationCase.kind == CaseKind.CUSTOMER,
            VerificationCase.status == CaseStatus.APPROVED,
        )
        .order_by(VerificationCase.id)
    )
    return {row[0]: Verified(row[1] or row[2], *row[3:]) for row in rows}


def families(
    session: Session,
    month: Month,
    cases: Mapping[int, Verified],
    bands: Mapping[int, AgeBand | None],
) -> Iterator[pa.Table]:
    """The families that joined in a month, in pieces; merged accounts live on in those kept.

    The desk made those it registered; everybody else came through the app. Who is erased stays,
    with nothing but the day they joined.
    """
    registered = exists().where(
        AuditEvent.subject == "account",
        AuditEvent.subject_id == Account.id,
        AuditEvent.action == "register_caller",
    )
    holds_role = exists().where(
        AccountRole.account_id == Account.id, AccountRole.role == Role.CUSTOMER
    )
    rows = (
        select(
            Account.id.label("family"),
            Account.city_code.label("city"),
            Account.district_code.label("district"),
            Account.created_at.label("joined_at"),
            case((registered, Channel.PHONE.value), else_=Channel.APP.value).label("channel"),
        )
        .where(holds_role, Account.status != AccountStatus.MERGED)
        .where(month.holds(Account.created_at))
        .order_by(Account.id)
    )
    names = (*rows.selected_columns.keys(), "holder_age", "verified_at")
    asked = session.execute(rows, execution_options={"yield_per": facts.PIECE})
    for piece in asked.partitions():
        told = []
        for row in piece:
            its = cases.get(row.family)
            told.append((*row, bands.get(row.family), its.at if its else None))
        yield pseudonyms.table(Fact.FAMILIES, names, told)


def caregivers(session: Session, today: date) -> Iterator[pa.Table]:
    """Everybody who works here or wants to, as of today."""
    people = session.execute(
        select(
            Caregiver.id.label("caregiver"),
            Caregiver.city_code.label("city"),
            Caregiver.district_code.label("district"),
            Caregiver.cell,
            Caregiver.sex,
            Caregiver.birth_date.label("age"),
            Caregiver.level,
            Caregiver.status,
        ).order_by(Caregiver.id)
    )
    approved, offered, week = approvals(session), _offered(session), _week(session)
    names = (
        *people.keys(), "approved_at", "items",
        *(f"week_{part}" for part in Daypart),
    )  # fmt: skip
    told = []
    for row in people:
        born, since = row.age, approved.get(row.caregiver, [(None, None)])[0][0]
        hours = by_daypart(week.get(row.caregiver, ()))
        age = {"age": terms.age_band(born, today)}
        told.append(
            (
                *(dict(row._mapping) | age).values(),
                since,
                offered.get(row.caregiver, []),
                *(hours.get(part, 0.0) for part in Daypart),
            )
        )
    if told:
        yield pseudonyms.table(Fact.CAREGIVERS, names, told)


def approvals(session: Session) -> dict[int, list[Stretch]]:
    """When each caregiver was approved, from until (None: still), oldest first.

    Who was approved already before the first step that is told was so from the beginning.
    """
    steps: dict[int, list[tuple[datetime, bool]]] = {}
    for caregiver_id, since, status in session.execute(
        select(Caregiver.id, Caregiver.created_at, _first_status())
    ):
        steps[caregiver_id] = [(since, status == CaregiverStatus.APPROVED)]
    history = session.execute(
        select(StatusChange.subject_id, StatusChange.created_at, StatusChange.new_status)
        .where(StatusChange.noun == Noun.CAREGIVER)
        .order_by(StatusChange.id)
    )
    for caregiver_id, at, status in history:
        steps[caregiver_id].append((at, status == CaregiverStatus.APPROVED))
    found = {one: list(_stretches(its)) for one, its in steps.items()}
    return {one: stretches for one, stretches in found.items() if stretches}


def _first_status() -> ColumnElement[str]:
    """A caregiver's status before the first step, which is today's if there is none."""
    before = (
        select(StatusChange.old_status)
        .where(StatusChange.noun == Noun.CAREGIVER, StatusChange.subject_id == Caregiver.id)
        .order_by(StatusChange.id)
        .limit(1)
        .correlate(Caregiver)
        .scalar_subquery()
    )
    return func.coalesce(before, type_coerce(Caregiver.status, String))


def _stretches(steps: Iterable[tuple[datetime, bool]]) -> Iterator[Stretch]:
    since = None
    for at, approved in steps:
        if approved and since is None:
            since = at
        elif not approved and since is not None:
            yield since, at
            since = None
    if since is not None:
        yield since, None


def by_daypart(stretches: Iterable[Minutes]) -> dict[Daypart, float]:
    """The hours of stretches of a day, from and until which minute, by part of the day."""
    hours: dict[Daypart, float] = {}
    for part, starts_minute in zip(Daypart, range(0, 24 * 60, HOURS_A_DAYPART * 60), strict=True):
        ends_minute = starts_minute + HOURS_A_DAYPART * 60
        within = sum(
            max(0, min(last, ends_minute) - max(first, starts_minute)) for first, last in stretches
        )
        if within:
            hours[part] = within / 60
    return hours


def _offered(session: Session) -> dict[int, list[str]]:
    """The items caregivers have a price for."""
    found: dict[int, list[str]] = {}
    for caregiver_id, code in session.execute(
        select(Rate.caregiver_id, CareItem.code)
        .join(CareItem, CareItem.id == Rate.item_id)
        .order_by(Rate.caregiver_id, CareItem.code)
    ):
        found.setdefault(caregiver_id, []).append(code)
    return found


def _week(session: Session) -> dict[int, list[Minutes]]:
    """The stretches of everybody's weekly plan, whatever the weekday."""
    found: dict[int, list[Minutes]] = {}
    for caregiver_id, *stretch in session.execute(
        select(WeeklyHours.caregiver_id, WeeklyHours.starts_minute, WeeklyHours.ends_minute)
    ):
        found.setdefault(caregiver_id, []).append((stretch[0], stretch[1]))
    return found

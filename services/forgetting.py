"""Forgetting: what goes of a person who is erased, part by part; whoever calls has decided it."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from data.accounts import Account, ContactPhone
from data.calls import Call, Note
from data.caregivers import Caregiver, CaregiverStatus, Certificate, Photo, Rate, WeeklyHours
from data.complaints import Complaint, ComplaintMessage, Incident
from data.compliance import ComplianceFinding
from data.consents import Consent
from data.demands import Application, Demand
from data.follow_ups import FollowUp
from data.history import Noun
from data.identities import Identity, ProviderFlow
from data.invoices import Invoice
from data.notices import ConsoleText, Notice, NoticePreference, OutboxMessage
from data.orders import Order, Visit
from data.payouts import PayoutAccount
from data.points import PenaltyPoints
from data.prepared_files import PreparedFile
from data.publications import Extract
from data.receipts import Receipt
from data.recipients import Recipient
from data.refunds import Refund
from data.repayments import Repayment
from data.reviews import Review
from data.sessions import OneTimeCode, SecondFactor, SignInSession
from data.verifications import CaseStatus, DocumentTicket, VerificationCase
from services import (
    attachments,
    attempts,
    clock,
    complaint_evidence,
    exclusions,
    lifecycles,
    messages,
    name_keys,
    phones,
    places,
    points,
    proofs,
    report_photos,
    to_do,
    verifications,
)
from services.access import SYSTEM, Actor
from services.to_do import ToDoKind

# In place of a name or an address: it reads as "nobody" in every language.
NOBODY = "—"
_OF_VISITS = (
    *to_do.CONTESTED,
    ToDoKind.MISSING,
    ToDoKind.LATE,
    ToDoKind.OVERLONG,
    ToDoKind.LOCKED,
    ToDoKind.EARLY,
    ToDoKind.UNREDEEMED,
    ToDoKind.UNQUALIFIED,
)
_OF_ORDERS = (ToDoKind.REQUESTS, ToDoKind.APPROVALS)
_OF_DEMANDS = (ToDoKind.APPLICATIONS, ToDoKind.UNANSWERED)
_OF_CASES = (ToDoKind.CASES,)
_OF_POINTS = (ToDoKind.POINTS,)
_OF_FINDINGS = (ToDoKind.FINDINGS,)
_OF_PEOPLE = ("caregivers",)  # Noted before cases were reviewed.


def papers(session: Session, account_id: int) -> None:
    """Papers and numbers; what was approved on their ground holds no more."""
    verifications.erase_of(session, account_id)
    approved = select(VerificationCase).where(
        VerificationCase.account_id == account_id, VerificationCase.status == CaseStatus.APPROVED
    )
    for case in session.scalars(approved):
        lifecycles.take(session, SYSTEM, Noun.VERIFICATION, case, "expire")


def ways_in(session: Session, everybody: Sequence[Account]) -> None:
    """Nothing opens these accounts any more, and no message waits for them."""
    ids = [one.id for one in everybody]
    for table in (
        SignInSession, SecondFactor, Identity, ProviderFlow, DocumentTicket, Extract, PreparedFile,
        Notice, OutboxMessage, NoticePreference,
    ):  # fmt: skip
        session.execute(delete(table).where(table.account_id.in_(ids)))
    hashes = [one.phone_hash for one in everybody]
    for table in (OneTimeCode, ConsoleText):
        session.execute(delete(table).where(table.phone_hash.in_(hashes)))
    for phone_hash in hashes:
        attempts.forget(session, phone_hash, *attempts.Kind)
    session.execute(
        update(Consent)
        .where(Consent.account_id.in_(ids), Consent.withdrawn_at.is_(None))
        .values(withdrawn_at=clock.now())
    )


def person(account: Account) -> None:
    """The number is free for a new account; in its place stands one that nobody has."""
    account.name, account.phone = NOBODY, phones.NOBODYS
    account.phone_hash, account.phone_tail_hash = phones.nobodys_hashes()
    account.password_hash = account.city_code = account.district_code = None
    account.decision_words = ""


def recipients_of(session: Session, ids: Sequence[int]) -> Sequence[Recipient]:
    return session.scalars(select(Recipient).where(Recipient.customer_id.in_(ids))).all()


def family(session: Session, ids: Sequence[int]) -> None:
    """Whom they cared for and where, and every word that was written about it; scores stay."""
    for recipient in recipients_of(session, ids):
        recipient.name, recipient.language = NOBODY, ""
        recipient.birth_date = _year_of(recipient.birth_date)
        recipient.conditions = recipient.ward = recipient.emergency_contact = ""
    for demand in session.scalars(select(Demand).where(Demand.customer_id.in_(ids))):
        demand.address, demand.words, demand.place_id = NOBODY, "", None
        demand.cell = places.cell_of_district(demand.district_code)
    districts = dict[int, str]()
    for order in session.scalars(select(Order).where(Order.customer_id.in_(ids))):
        order.decision_words = ""
        districts[order.id] = order.district_code
    for visit in session.scalars(select(Visit).where(Visit.order_id.in_(districts))):
        visit.report_words = ""
        visit.cell = places.cell_of_district(districts[visit.order_id])
    report_photos.shred_of(session, SYSTEM, ids)
    attachments.shred_of(session, SYSTEM, ids)
    messages.forget_of(session, ids)
    session.execute(update(Review).where(Review.customer_id.in_(ids)).values(words=""))
    answered = update(Review).where(Review.caregiver_id.in_(ids))
    session.execute(answered.values(reply_words="", report_words=""))


def follow_ups(session: Session, ids: Sequence[int]) -> None:
    """What operators noted while they saw to something of theirs."""
    orders = select(Order.id).where(Order.customer_id.in_(ids))
    demands = select(Demand.id).where(Demand.customer_id.in_(ids))
    cases = select(VerificationCase.id).where(VerificationCase.account_id.in_(ids))
    findings = select(ComplianceFinding.id).where(
        or_(
            ComplianceFinding.caregiver_id.in_(ids),
            ComplianceFinding.order_id.in_(orders),
            ComplianceFinding.demand_id.in_(demands),
        )
    )
    for kinds, subjects in (
        (_OF_VISITS, select(Visit.id).where(Visit.order_id.in_(orders))),
        (_OF_ORDERS, orders),
        (_OF_DEMANDS, demands),
        (_OF_CASES, cases),
        (_OF_POINTS, select(PenaltyPoints.id).where(PenaltyPoints.caregiver_id.in_(ids))),
        (_OF_FINDINGS, findings),
        (_OF_PEOPLE, ids),
    ):
        session.execute(
            update(FollowUp)
            .where(FollowUp.kind.in_(kinds), FollowUp.subject_id.in_(subjects))
            .values(words="")
        )


def calls(session: Session, ids: Sequence[int]) -> None:
    """What the desk knew and wrote of them; that it spoke with somebody, and when, stays."""
    name_keys.forget(session, ids)
    session.execute(delete(ContactPhone).where(ContactPhone.account_id.in_(ids)))
    session.execute(delete(Note).where(Note.customer_id.in_(ids)))
    session.execute(
        update(Call)
        .where(Call.customer_id.in_(ids))
        .values(words="", spoke_with="", next_call_at=None, message_id=None)
    )


def troubles(session: Session, ids: Sequence[int]) -> None:
    """What was written of their visits, for it is about them; that it was written stays."""
    visits = (
        select(Visit.id)
        .join(Order, Order.id == Visit.order_id)
        .where(or_(Order.customer_id.in_(ids), Visit.caregiver_id.in_(ids)))
    )
    for table in (Complaint, Incident):
        for one in session.scalars(select(table).where(table.visit_id.in_(visits))):
            one.words = NOBODY
            one.outcome_words = NOBODY if one.outcome_words else ""
    for refund in session.scalars(select(Refund).where(Refund.visit_id.in_(visits))):
        refund.words = NOBODY
        refund.reversal_words = NOBODY if refund.reversal_words else ""
    complaints = select(Complaint.id).where(Complaint.visit_id.in_(visits))
    for complaint in session.scalars(select(Complaint).where(Complaint.id.in_(complaints))):
        complaint.appeal_words = NOBODY if complaint.appeal_words else ""
        complaint.appeal_outcome_words = NOBODY if complaint.appeal_outcome_words else ""
    session.execute(
        update(ComplaintMessage)
        .where(ComplaintMessage.complaint_id.in_(complaints))
        .values(words=NOBODY)
    )
    complaint_evidence.shred_of(session, SYSTEM, ids)
    points.forget_of(session, ids)
    exclusions.forget_of(session, ids)
    session.execute(
        update(Visit)
        .where(Visit.id.in_(visits), Visit.checked_in_cell.is_not(None))
        .values(checked_in_cell=None, version=Visit.version + 1)
    )


def receipts(session: Session, ids: Sequence[int]) -> None:
    """What tells who paid or was repaid, and all words of it; amounts and days stay."""
    proofs.shred_of(session, SYSTEM, ids)
    for table in (Receipt, Repayment):
        session.execute(
            update(table)
            .where(table.customer_id.in_(ids))
            .values(words="", reversal_words="", reference="", version=table.version + 1)
        )


def invoices(session: Session, ids: Sequence[int]) -> None:
    """Whose they were to be; numbers, days and amounts stay."""
    for one in session.scalars(select(Invoice).where(Invoice.customer_id.in_(ids))):
        one.title = NOBODY
        one.tax_number = one.words = ""


def caregiver(session: Session, actor: Actor, caregiver: Caregiver) -> None:
    """What she offered and said of herself; without prices and hours nobody finds her."""
    for table in (Photo, Certificate, Rate, WeeklyHours):
        session.execute(delete(table).where(table.caregiver_id == caregiver.id))
    session.execute(
        update(Application)
        .where(Application.caregiver_id == caregiver.id)
        .values(words="", version=Application.version + 1)
    )
    caregiver.about = caregiver.training = caregiver.decision_words = ""
    caregiver.skills, caregiver.birth_date = [], _year_of(caregiver.birth_date)
    caregiver.cell = places.cell_of_district(caregiver.district_code)
    for account in session.scalars(
        select(PayoutAccount).where(PayoutAccount.caregiver_id == caregiver.id)
    ):
        account.holder = account.number = account.bank = NOBODY
        account.tail = ""
    if caregiver.status is not CaregiverStatus.SUSPENDED:
        lifecycles.take(session, actor, Noun.CAREGIVER, caregiver, "leave")


def _year_of(birth_date: date) -> date:
    return birth_date.replace(month=1, day=1)

"""Proofs: pictures of what a payment left behind and of invoices; for staff and the family."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, Select, false, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from data.cities import City
from data.invoices import Invoice, Proof
from data.receipts import Receipt
from services import audit, clock
from services.access import Actor, Permission, Role
from services.errors import Invalid, NotFound
from services.scans import Page, Picture

MOST = 4


@dataclass(frozen=True, slots=True)
class ProofView:
    """What stands in a list, and of what it is; the picture itself is seen with a ticket."""

    id: int
    subject_id: int


def store(session: Session, subject: Receipt | Invoice, pages: Sequence[Page]) -> None:
    """Seal the pictures that prove a receipt, or show an invoice."""
    if len(pages) > MOST:
        raise Invalid("error.proofs_too_many", most=MOST)
    column = Proof.receipt_id if isinstance(subject, Receipt) else Proof.invoice_id
    for number, page in enumerate(pages, 1):
        session.add(
            Proof(
                created_at=clock.now(),
                customer_id=subject.customer_id,
                city_code=subject.city_code,
                page=number,
                width=page.width,
                height=page.height,
                content=page.image,
                **{column.key: subject.id},
            )
        )


def of_receipts(
    session: Session, actor: Actor, receipt_ids: Sequence[int]
) -> dict[int, list[ProofView]]:
    """The proofs of these receipts that the actor may open, by receipt; they stay sealed."""
    actor.require(Permission.SEE_PROOF)
    return _of(session, actor, Proof.receipt_id, receipt_ids)


def of_invoices(
    session: Session, actor: Actor, invoice_ids: Sequence[int]
) -> dict[int, list[ProofView]]:
    """The pictures of these invoices that the actor may open, by invoice; they stay sealed."""
    actor.require(Permission.SEE_PROOF)
    return _of(session, actor, Proof.invoice_id, invoice_ids)


def reach(session: Session, actor: Actor, proof_id: int, purpose: str) -> Picture:
    """A proof this actor may see: the family for `own`, staff for `receipt`, marked and noted."""
    at_home = actor.role is Role.CUSTOMER
    proof = session.scalar(_visible_to(actor).where(Proof.id == proof_id))
    if proof is None or purpose != ("own" if at_home else "receipt"):
        raise NotFound("error.document_not_found")
    return Picture(proof.content, proof.customer_id, at_home=at_home)


def shred_due(session: Session, actor: Actor) -> int:
    """Destroy the proofs kept for as long as their city keeps papers; return how many."""
    actor.require(Permission.RUN_JOBS)
    shredded = 0
    for city in session.scalars(select(City)):
        old = Proof.created_at < clock.now() - timedelta(days=city.document_days)
        shredded += _shred(session, actor, old & (Proof.city_code == city.code))
    return shredded


def shred_of(session: Session, actor: Actor, customer_ids: Sequence[int]) -> int:
    """Destroy the proofs of what a family paid; that there were some stays known."""
    return _shred(session, actor, Proof.customer_id.in_(customer_ids))


def _of(
    session: Session, actor: Actor, column: InstrumentedAttribute[int | None], ids: Sequence[int]
) -> dict[int, list[ProofView]]:
    rows = session.execute(
        _visible_to(actor)
        .where(column.in_(ids))
        .with_only_columns(Proof.id, column)
        .order_by(column, Proof.page)
    )
    found = defaultdict[int, list[ProofView]](list)
    for row in rows:
        view = ProofView(*row)
        found[view.subject_id].append(view)
    return dict(found)


def _shred(session: Session, actor: Actor, which: ColumnElement[bool]) -> int:
    rows = session.execute(
        select(Proof.id, Proof.customer_id).where(which, Proof.content_sealed.is_not(None))
    ).all()
    session.execute(
        update(Proof)
        .where(Proof.id.in_([number for number, _ in rows]))
        .values(content_sealed=None, shredded_at=clock.now())
    )
    for number, owner_id in rows:
        audit.record(session, actor, "shred_photo", "proof", number, owner_id=owner_id)
    return len(rows)


def _visible_to(actor: Actor) -> Select[Proof]:
    """The family's own; those of the cities of staff who record receipts."""
    proofs = select(Proof).where(Proof.content_sealed.is_not(None))
    if actor.role is Role.CUSTOMER:
        return proofs.where(Proof.customer_id == actor.id)
    if actor.may(Permission.RECORD_RECEIPT):
        return proofs.where(Proof.city_code.in_(actor.cities))
    return proofs.where(false())

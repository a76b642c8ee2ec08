"""Papers of synthetic people: a drawn sample for everybody, and numbers that nobody has."""

import io
import random
from datetime import date, timedelta
from functools import cache

from PIL import Image, ImageDraw, ImageFont
from sqlalchemy.orm import Session

from data.accounts import Account
from data.caregivers import CaregiverLevel
from data.catalogue import CertificateKind
from services import caregivers, clock, consents, documents, resident_ids, verifications
from services.access import Actor
from services.consents import Policy
from services.demo import people
from services.documents import DocumentKind, Page
from services.recipients import Sex
from services.verifications import CaseKind, IdentityForm, RejectReason

PAPER, BAND, INK = "#e8eef4", "#b9cfe0", "#31526b"
SIZE = (640, 404)  # As wide to its height as an id card.
# What is written on each, in letters that every font has.
TITLES = {
    DocumentKind.ID_FRONT: "ID CARD - PHOTO",
    DocumentKind.ID_BACK: "ID CARD - EMBLEM",
    DocumentKind.PORTRAIT: "PORTRAIT",
    DocumentKind.CERTIFICATE: "CERTIFICATE",
    DocumentKind.HEALTH_REPORT: "HEALTH REPORT",
    DocumentKind.BACKGROUND_STATEMENT: "STATEMENT",
}


def prepare(session: Session, person: Actor, kind: CaseKind, born: date, sex: Sex) -> int:
    """A case with everything in it, not yet handed in; its id."""
    account = session.get_one(Account, person.id)
    consents.record(session, account.id, Policy.SENSITIVE_DATA)
    form = IdentityForm(account.name, number(account.id, born, sex))
    case_id = verifications.save(session, person, kind, form)
    if kind is CaseKind.CUSTOMER:
        wanted = verifications.needed(kind)
    else:
        case = verifications.mine(session, person, kind)
        wanted = case.missing if case else ()
    for document, certificate in wanted:
        documents.attach(session, person, case_id, document, [sample(document)], certificate)
    return case_id


def verify(session: Session, person: Actor, operator: Actor) -> None:
    """A family's case, handed in and approved at this moment."""
    case_id = prepare(session, person, CaseKind.CUSTOMER, *_of_family(person))
    verifications.submit(session, person, case_id)
    decide(session, operator, case_id, "approve")


def hand_in(session: Session, person: Actor) -> int:
    """A family's case that waits for the operator; its id."""
    case_id = prepare(session, person, CaseKind.CUSTOMER, *_of_family(person))
    verifications.submit(session, person, case_id)
    return case_id


def decide(
    session: Session,
    operator: Actor,
    case_id: int,
    move: str,
    because: str = "",
    level: CaregiverLevel | None = None,
) -> None:
    """Take a case up and approve or reject it."""
    session.flush()
    verifications.take(session, operator, case_id)
    reasons = (RejectReason.BLURRED,) if move == "reject" else ()
    verifications.decide(session, operator, case_id, move, reasons, because, level)


def certificates(
    chance: random.Random, number: int, maternity: bool, health_until: date | None
) -> tuple[caregivers.CertificateForm, ...]:
    """What her work takes, valid for years; only the health certificate may end sooner."""
    kinds = [CertificateKind.HEALTH]
    if maternity:
        kinds += [CertificateKind.MATERNITY_CARE, CertificateKind.INFANT_CARE]
        kinds += [CertificateKind.MASSAGE] if number % 2 else []
    if not maternity or number % 4 == 0:
        kinds += [CertificateKind.ELDER_CARE, CertificateKind.ESCORT_TRAINING]
        kinds += [CertificateKind.NURSING] if number % 5 in (0, 2, 3) else []
    issued = clock.today() - timedelta(days=chance.randint(40, 200))
    until = {CertificateKind.HEALTH: health_until or issued + timedelta(days=1095)}
    return tuple(
        caregivers.CertificateForm(
            kind, people.ISSUER, issued, until.get(kind, issued + timedelta(days=1460))
        )
        for kind in kinds
    )


def number(account_id: int, born: date, sex: Sex) -> str:
    """A valid number of nobody: no area begins with 99."""
    area, sequence = account_id // 500 % 10_000, account_id % 500
    first_17 = f"99{area:04d}{born:%Y%m%d}{sequence * 2 + (sex is Sex.MALE):03d}"
    return first_17 + resident_ids.check_digit(first_17)


def sample(kind: DocumentKind) -> Page:
    """What stands for a paper of this kind; those with a face show one."""
    return drawn(TITLES[kind], face=kind in (DocumentKind.ID_FRONT, DocumentKind.PORTRAIT))


@cache
def drawn(title: str, *, face: bool = False) -> Page:
    """A card with a frame, some lines, a face where there is one, and SAMPLE across it."""
    card = Image.new("RGB", SIZE, PAPER)
    pen = ImageDraw.Draw(card)
    pen.rounded_rectangle((8, 8, SIZE[0] - 9, SIZE[1] - 9), 22, outline=INK, width=3)
    pen.rectangle((30, 34, SIZE[0] - 31, 84), BAND)
    pen.text((44, 42), title, INK, ImageFont.load_default(30))
    for top in range(130, 330, 44):
        pen.rounded_rectangle((44, top, 380 - top % 90, top + 14), 7, BAND)
    if face:
        pen.ellipse((456, 130, 556, 240), BAND)
        pen.pieslice((416, 250, 596, 430), 180, 360, BAND)
    pen.text((150, 300), "SAMPLE", "#9a2a2a", ImageFont.load_default(84))
    written = io.BytesIO()
    card.save(written, "PNG")
    return documents.pages_of(written.getvalue())[0]


def _of_family(person: Actor) -> tuple[date, Sex]:
    """When somebody who books was born, and their sex; always the same for the same person."""
    chance = random.Random(person.id)
    year = clock.today().year - chance.randint(28, 62)
    return date(year, chance.randint(1, 12), chance.randint(1, 28)), chance.choice(list(Sex))

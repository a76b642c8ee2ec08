"""The cast of the tests, and makers of what they act on: name only what the test is about.

The cast is the same in every test, ids included: ZHOU is a customer with a recipient, STRANGER
one who must see nothing of hers; LI and ZHAO are approved caregivers, DRAFT has
everything ready to hand in; DESK,
OPERATOR and ANALYST work for Nantong, FAR_OPERATOR for Luzhou.
"""

import io
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from uuid import uuid4

from PIL import Image
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from data.accounts import Account, AccountRole
from data.caregivers import Caregiver, CaregiverStatus, Certificate, Rate, WeeklyHours
from data.catalogue import CertificateKind
from data.cities import City
from data.demands import Application
from data.orders import EndReason, Visit
from data.recipients import Mobility, Recipient, Relation, Sex
from data.rules import RuleVersion
from data.verifications import CaseKind, CaseStatus, VerificationCase
from services import (
    applications,
    bookings,
    catalogue,
    changes,
    clock,
    consents,
    demands,
    documents,
    gate,
    name_keys,
    phones,
    places,
    price_bounds,
    pricing,
    receipts,
    redemption,
    resident_ids,
    rule_book,
    rule_changes,
    rules,
    verifications,
    visits,
)
from services.access import SYSTEM, Actor, Channel, Role
from services.demo.stage import add_catalogue, add_places
from services.sessions import Client
from services.verifications import RejectReason

MONDAY = datetime(2030, 1, 7, 9, tzinfo=clock.CITY_TIME)
NANTONG, LUZHOU = "320600", "510500"
CHONGCHUAN, TONGZHOU, JIANGYANG = "320613", "320612", "510502"
BROWSER = Client("Firefox", "203.0.113.7")
NOBODY_ID = 999_999

ZHOU = Actor(1, Role.CUSTOMER)
STRANGER = Actor(2, Role.CUSTOMER)
LI = Actor(3, Role.CAREGIVER)
ZHAO = Actor(4, Role.CAREGIVER)
DRAFT = Actor(5, Role.CAREGIVER)
DESK = Actor(6, Role.DESK, frozenset({NANTONG}), Channel.PHONE)
OPERATOR = Actor(7, Role.OPERATOR, frozenset({NANTONG}))
FAR_OPERATOR = Actor(8, Role.OPERATOR, frozenset({LUZHOU}))
ANALYST = Actor(9, Role.ANALYST, frozenset({NANTONG}))
NAMES = {
    ZHOU: "周晓燕",
    STRANGER: "生面人",
    LI: "李桂兰",
    ZHAO: "赵海涛",
    DRAFT: "钱新来",
    DESK: "孙文静",
    OPERATOR: "陈立军",
    FAR_OPERATOR: "泸远方",
    ANALYST: "何佳怡",
}
MOTHER_ID, STRANGERS_FATHER_ID = 1, 2

# Item numbers of the catalogue, and the certificates LI and ZHAO hold.
HOSPITAL_COMPANION, NURSING_ONLY, COMPANIONSHIP = 1, 4, 6
HELD = (CertificateKind.HEALTH, CertificateKind.ELDER_CARE, CertificateKind.ESCORT_TRAINING)
PRICE_FEN = 4000
BORN = date(1980, 5, 1)
HOSPITAL_ID = 1

# What people type to break things; it must come back exactly as typed.
NASTY = "👵🏽<script>alert('x')</script> **粗体** {name} %s & \"引号\""


def phone_of(actor: Actor) -> str:
    """The phone of one of the cast, in E.164 form."""
    return f"+86138000000{actor.id:02d}"


def add_cast(session: Session) -> None:
    """Fill an empty database: two opened cities, the catalogue, the known places, the people."""
    add_catalogue(session)
    for code in (NANTONG, LUZHOU):
        session.add(City(created_at=clock.now(), code=code, hotline="0513-0000-0000"))
    session.flush()
    add_places(session)
    for actor in NAMES:
        _add_person(session, actor)
    for customer, relation in ((ZHOU, Relation.PARENT), (STRANGER, Relation.GRANDPARENT)):
        make_recipient(session, customer, relation=relation)
    for caregiver in (LI, ZHAO, DRAFT):
        _add_caregiver(session, caregiver)
    session.flush()
    for actor in (ZHOU, STRANGER, LI, ZHAO):
        make_case(session, actor)
    make_case(session, DRAFT, CaseStatus.DRAFT, with_documents=True)


def _add_person(session: Session, actor: Actor) -> None:
    account_id = _add_account(session, NAMES[actor], phone_of(actor), actor.role, *actor.cities)
    assert account_id == actor.id, "the cast must come first"


def _add_account(session: Session, name: str, phone: str, role: Role | None, city: str = "") -> int:
    account = Account(
        created_at=clock.now(),
        name=name,
        phone=phone,
        phone_hash=phones.whole_hash(phone),
        phone_tail_hash=phones.tail_hash(phone),
        roles=[AccountRole(created_at=clock.now(), role=role, city_code=city)],
    )
    session.add(account)
    name_keys.keep(session, account)
    if role in consents.ASKED:
        consents.record_needed(session, account.id, role)
        consents.record(session, account.id, consents.Policy.SENSITIVE_DATA)
    return account.id


def _add_caregiver(session: Session, actor: Actor) -> None:
    status = CaregiverStatus.DRAFT if actor is DRAFT else CaregiverStatus.APPROVED
    session.add(
        Caregiver(
            id=actor.id,
            created_at=clock.now(),
            city_code=NANTONG,
            district_code=CHONGCHUAN,
            cell=places.cell_of_district(CHONGCHUAN),
            sex=Sex.FEMALE,
            birth_date=BORN,
            worked_since=2015,
            radius_km=60,
            skills=[],
            status=status,
            certificates=[
                Certificate(
                    created_at=clock.now(),
                    kind=kind,
                    issuer="南通市职业技能培训中心",
                    issued_on=date(2029, 1, 1),
                    expires_on=date(2032, 1, 1),
                    approved_at=None if actor is DRAFT else clock.now(),
                )
                for kind in HELD
            ],
            rates=[
                Rate(created_at=clock.now(), item_id=COMPANIONSHIP, price_fen=PRICE_FEN),
            ],
            weekly_hours=[
                WeeklyHours(
                    created_at=clock.now(), weekday=day, starts_minute=7 * 60, ends_minute=20 * 60
                )
                for day in range(7)
            ],
        )
    )


def make_family(session: Session, number: int) -> tuple[Actor, int]:
    """Another customer, and the recipient they care for."""
    account_id = _add_account(session, f"客{number}", f"+86137{number:08d}", Role.CUSTOMER)
    customer = Actor(account_id, Role.CUSTOMER)
    make_case(session, customer)
    return customer, make_recipient(session, customer)


def make_newcomer(session: Session, number: int = 1, role: Role = Role.CUSTOMER) -> Actor:
    """Somebody who has chosen a city and consented, and handed nothing in yet."""
    account_id = _add_account(session, f"新{number}", f"+86135{number:08d}", role)
    session.get_one(Account, account_id).city_code = NANTONG
    return Actor(account_id, role)


def add_colleague(session: Session, number: int = 1) -> Actor:
    """One more approved caregiver who does what LI does."""
    colleague = make_newcomer(session, 500 + number, Role.CAREGIVER)
    _add_caregiver(session, colleague)
    session.flush()
    return colleague


def id_number(number: int = 1, born: date = BORN, sex: Sex = Sex.FEMALE) -> str:
    """A valid resident id number of nobody: no area begins with 99."""
    first_17 = f"990000{born:%Y%m%d}{number * 2 + (sex is Sex.MALE):03d}"
    return first_17 + resident_ids.check_digit(first_17)


def make_case(
    session: Session,
    actor: Actor,
    status: CaseStatus = CaseStatus.APPROVED,
    *,
    with_documents: bool = False,
    **changes: Any,
) -> int:
    """A case of the actor's, as if handed in and decided on; its documents show nothing."""
    number = id_number(actor.id or 0)
    handed_in = None if status is CaseStatus.DRAFT else clock.now()
    values = {
        "account_id": actor.id,
        "kind": CaseKind(str(actor.role)),
        "status": status,
        "city_code": NANTONG,
        "legal_name": NAMES.get(actor, "新来客"),
        "id_number": number,
        "id_number_hash": resident_ids.whole_hash(number),
        "area_known": False,
        "submitted_at": handed_in,
        "decided_at": None if status is CaseStatus.SUBMITTED else handed_in,
    }
    case = VerificationCase(created_at=clock.now(), **(values | changes))
    session.add(case)
    session.flush()
    if with_documents:
        for kind, certificate_kind in verifications.needed(case.kind, HELD):
            documents.store(session, case, kind, empty_page(), 1, certificate_kind)
        session.flush()
    return case.id


@cache
def empty_page() -> documents.Page:
    """A page with nothing on it."""
    written = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(written, "PNG")
    return documents.pages_of(written.getvalue())[0]


def decide_case(session: Session, actor: Actor, move: str = "approve", **changes: Any) -> None:
    """Have the operator take up somebody's waiting case and decide on it."""
    waiting = select(VerificationCase.id).where(
        VerificationCase.account_id == actor.id, VerificationCase.status == CaseStatus.SUBMITTED
    )
    session.flush()
    case_id = verifications.take(session, OPERATOR, session.scalars(waiting).one())
    reasons = (RejectReason.BLURRED,) if move == "reject" else ()
    verifications.decide(session, OPERATOR, case_id, move, **({"reasons": reasons} | changes))
    session.flush()


def make_recipient(session: Session, customer: Actor = ZHOU, **changes: Any) -> int:
    """Somebody a customer cares for."""
    values = {
        "name": "周奶奶",
        "sex": Sex.FEMALE,
        "birth_date": date(1948, 3, 2),
        "relation": Relation.PARENT,
        "mobility": Mobility.WALKS,
        "conditions": "高血压,按时服药",
        "ward": "6 号楼 312 床",
        "emergency_contact": "周先生 13900001111",
    }
    recipient = Recipient(created_at=clock.now(), customer_id=customer.id, **(values | changes))
    session.add(recipient)
    name_keys.keep(session, session.get_one(Account, customer.id))
    return recipient.id


def demand_form(**changes: Any) -> demands.DemandForm:
    """A valid wish: two hours of companionship at this time tomorrow."""
    values = {
        "recipient_id": MOTHER_ID,
        "item_id": COMPANIONSHIP,
        "city_code": NANTONG,
        "district_code": CHONGCHUAN,
        "address": "濠河花园 3 幢 502 室",
        "starts_at": clock.now() + timedelta(days=1),
        "units": 2,
        "lowest_fen": 3000,
        "highest_fen": 6000,
    }
    return demands.DemandForm(**(values | changes))


def make_demand(
    session: Session, *, customer: Actor = ZHOU, request_key: str = "", **changes: Any
) -> int:
    """An open demand, posted through the service."""
    if customer is STRANGER:
        changes = {"recipient_id": STRANGERS_FATHER_ID} | changes
    return demands.post(session, customer, demand_form(**changes), request_key or uuid4().hex)


def make_application(
    session: Session,
    demand_id: int | None = None,
    *,
    caregiver: Actor = LI,
    price_fen: int = PRICE_FEN,
    **changes: Any,
) -> int:
    """A caregiver's application, for a demand of its own unless one is given."""
    if demand_id is None:
        demand_id = make_demand(session, **changes)
    return applications.apply(session, caregiver, demand_id, price_fen)


def make_order(session: Session, *, caregiver: Actor = LI, **changes: Any) -> int:
    """An approved application: a confirmed order with its planned visit."""
    return applications.approve(
        session, OPERATOR, make_application(session, caregiver=caregiver, **changes)
    )


def make_booking(
    session: Session, *, customer: Actor = ZHOU, caregiver: Actor = LI, **changes: Any
) -> int:
    """A direct request for companionship tomorrow that waits for the caregiver's answer."""
    values = {
        "caregiver_id": caregiver.id,
        "recipient_id": MOTHER_ID if customer is ZHOU else STRANGERS_FATHER_ID,
        "item_id": COMPANIONSHIP,
        "district_code": CHONGCHUAN,
        "address": "濠河花园 3 幢 502 室",
        "starts_at": clock.now() + timedelta(days=1),
        "units": 2,
        "price_fen": PRICE_FEN,
    }
    form = bookings.BookingForm(**(values | changes))
    order_id = bookings.request(session, customer, form, uuid4().hex)
    session.flush()
    return order_id


def new_visit(starts_at: datetime, ends_at: datetime, **changes: Any) -> gate.NewVisit:
    """A visit to be placed at the gate, at nobody's price."""
    price = pricing.base(PRICE_FEN, 1, 1500)
    return gate.NewVisit(starts_at, ends_at, places.cell_of_district(CHONGCHUAN), price, **changes)


def cancel_order(session: Session, actor: Actor, order_id: int) -> None:
    """Call the visit of an order off, having seen what that costs."""
    visit_id = session.scalar(select(Visit.id).where(Visit.order_id == order_id)) or NOBODY_ID
    seen = changes.quote(session, actor, visit_id)
    reason = EndReason.PLANS_CHANGED
    changes.cancel_visit(session, actor, visit_id, reason, "不需要了", seen.fee_fen)


def make_visit(session: Session, *, caregiver: Actor = LI, **changes: Any) -> int:
    """A planned visit, of an order of its own."""
    return visit_of(session, make_order(session, caregiver=caregiver, **changes))


def make_finished_visit(session: Session, *, caregiver: Actor = LI, **changes: Any) -> int:
    """A visit that took place yesterday, unless told otherwise, and waits for its code."""
    starts_at = changes.pop("starts_at", clock.now() - timedelta(days=1))
    with clock.at(starts_at - timedelta(days=1)):
        visit_id = make_visit(session, caregiver=caregiver, starts_at=starts_at, **changes)
    with clock.at(starts_at):
        visits.check_in(session, caregiver, visit_id)
    with clock.at(session.get_one(Visit, visit_id).ends_at):
        visits.check_out(session, caregiver, visit_id, (0, 1))
    session.flush()
    return visit_id


def make_redeemed_visit(session: Session, *, customer: Actor = ZHOU, **changes: Any) -> int:
    """A visit that took place and was redeemed with its code."""
    visit_id = make_finished_visit(session, customer=customer, **changes)
    refused = redemption.redeem(session, customer, visit_id, code_of(session, visit_id))
    assert refused is None
    session.flush()
    return visit_id


def receipt_form(**changes: Any) -> receipts.ReceiptForm:
    """80 yuan from ZHOU, who transferred them today."""
    values = {
        "customer_id": ZHOU.id,
        "method": receipts.ReceiptMethod.BANK,
        "amount": "80",
        "received_on": clock.today(),
        "reference": "20300107-0001",
    }
    return receipts.ReceiptForm(**(values | changes))


def make_receipt(session: Session, *, actor: Actor = OPERATOR, **changes: Any) -> int:
    """A payment that the operator recorded, unless told otherwise."""
    return receipts.record(session, actor, receipt_form(**changes), uuid4().hex)


def make_operator(session: Session, phone: str = "13000000901") -> Actor:
    """Another operator of Nantong."""
    account_id = _add_account(session, "吴二明", phone, Role.OPERATOR, NANTONG)
    session.flush()
    return Actor(account_id, Role.OPERATOR, frozenset({NANTONG}))


def make_rules(session: Session, *, city: str = NANTONG, days: int = 0, **changes: Any) -> int:
    """Rules of a city that are in force in so many days: those of today, but for these numbers."""
    begins = clock.today() + timedelta(days=days)
    before = rules.on(session, city, begins)
    row = before if before is not None and before.valid_from == begins else None
    values = rules.values(session, city, before) | changes
    if row is None:
        highest = session.scalar(
            select(func.max(RuleVersion.number)).where(RuleVersion.city_code == city)
        )
        row = RuleVersion(
            created_at=clock.now(),
            city_code=city,
            number=(highest or 0) + 1,
            status=rules.RuleStatus.PUBLISHED,
            valid_from=begins,
            published_at=clock.now(),
            values={},
        )
        session.add(row)
    else:
        price_bounds.take_back(session, city, begins)
    row.applied_at = None
    row.values = rule_book.checked(values, catalogue.every_item(session))
    session.flush()
    price_bounds.put(session, city, begins, rule_book.bounds(row.values))
    rule_changes.publish_due(session, SYSTEM)
    return row.id


def visit_of(session: Session, order_id: int) -> int:
    """The visit of an order."""
    return session.scalars(select(Visit.id).where(Visit.order_id == order_id)).one()


def price_of(session: Session, order_id: int) -> tuple[int, int]:
    """What an order's visit costs, and the commission in it, in fen."""
    visit = session.get_one(Visit, visit_of(session, order_id))
    return visit.total_fen, visit.commission_fen


def order_of(session: Session, visit_id: int) -> int:
    """The order of a visit."""
    return session.get_one(Visit, visit_id).order_id


def demand_of(session: Session, application_id: int) -> int:
    """The demand of an application."""
    return session.get_one(Application, application_id).demand_id


def code_of(session: Session, visit_id: int) -> str:
    """The code that redeems a visit now."""
    return redemption.derive(visit_id, session.get_one(Visit, visit_id).code_issue)


def one_person(session: Session) -> None:
    """Let ZHOU and STRANGER be one person: she was verified once only, and no city insists."""
    session.execute(update(City).values(verify_customers=False))
    session.execute(
        update(VerificationCase)
        .where(VerificationCase.account_id == STRANGER.id)
        .values(status=CaseStatus.EXPIRED)
    )

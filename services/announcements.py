"""Telling qualifying caregivers about a new demand; a city may have thousands of them."""

from typing import Any

from sqlalchemy import literal, or_, select
from sqlalchemy.orm import Session

from data.caregivers import Caregiver, CaregiverStatus, Certificate
from data.catalogue import CareItem
from data.demands import Demand, DemandStatus
from data.notices import NoticeKind
from services import certificates, kept_apart, notices, places

KIND = "announce_demand"
# How much farther than she said a caregiver is thought to go for a demand nobody takes.
WIDER = 1.5


def announce_demand(session: Session, facts: dict[str, Any]) -> dict[str, Any]:
    """Tell every approved caregiver within reach who holds the certificates; count them.

    A wider offer reaches those too whose radius is a little too small. Each offer tells anew.
    """
    demand = session.get_one(Demand, facts["demand_id"])
    if demand.status is not DemandStatus.OPEN:
        return {"told": 0}
    needed = set(session.get_one(CareItem, demand.item_id).required_certificates)
    held = certificates_held(session, demand.city_code)
    stretch = WIDER if facts.get("wider") else 1
    fitting = [
        caregiver.id
        for caregiver in session.scalars(
            select(Caregiver).where(
                Caregiver.city_code == demand.city_code,
                Caregiver.status == CaregiverStatus.APPROVED,
                Caregiver.id.not_in(kept_apart.not_for(demand.customer_id, demand.city_code)),
                or_(Caregiver.sex == demand.wished_sex, literal(demand.wished_sex is None)),
            )
        )
        if needed <= held.get(caregiver.id, set())
        and places.distance_km(caregiver.cell, demand.cell) <= caregiver.radius_km * stretch
    ]
    told = notices.tell_all(
        session,
        NoticeKind.DEMAND_POSTED,
        fitting,
        f"demand-{demand.id}-{demand.offers}",
        demand_id=demand.id,
        item_id=demand.item_id,
        district_code=demand.district_code,
    )
    return {"told": told}


def certificates_held(session: Session, city_code: str) -> dict[int, set[str]]:
    """The kinds of approved, unexpired certificates of each caregiver of a city."""
    rows = session.execute(
        select(Certificate.caregiver_id, Certificate.kind)
        .join(Caregiver, Caregiver.id == Certificate.caregiver_id)
        .where(
            Caregiver.city_code == city_code,
            certificates.counts(),
        )
    )
    held: dict[int, set[str]] = {}
    for caregiver_id, kind in rows:
        held.setdefault(caregiver_id, set()).add(kind)
    return held


def certificates_of(session: Session, caregiver_id: int) -> set[str]:
    """The kinds of approved, unexpired certificates of one caregiver."""
    return set(
        session.scalars(
            select(Certificate.kind).where(
                Certificate.caregiver_id == caregiver_id, certificates.counts()
            )
        )
    )

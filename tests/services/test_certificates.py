from datetime import timedelta

import pytest
from sqlalchemy import select, update

from data.caregivers import Caregiver, CaregiverStatus, Certificate
from data.cities import City
from data.notices import NoticeKind, OutboxMessage
from services import applications, bookings, certificates, hall, places, search
from services import clock as service_clock
from services.access import SYSTEM
from services.catalogue import CertificateKind
from services.errors import Conflict
from tests.factories import (
    CHONGCHUAN,
    COMPANIONSHIP,
    LI,
    NANTONG,
    OPERATOR,
    ZHAO,
    ZHOU,
    make_application,
    make_booking,
    make_demand,
)

# Companionship takes a health certificate, the other two are of the trade.
HEALTH = Certificate.kind == CertificateKind.HEALTH


def ends(session, days, *which, caregiver=LI):
    """Let LI's certificates end so many days from today."""
    session.execute(
        update(Certificate)
        .where(Certificate.caregiver_id == caregiver.id, *which)
        .values(expires_on=service_clock.today() + timedelta(days=days))
    )
    session.expire_all()


def told(session):
    session.flush()
    rows = session.execute(
        select(OutboxMessage.kind, OutboxMessage.account_id, OutboxMessage.facts).order_by(
            OutboxMessage.id
        )
    )
    return [(kind, account_id, facts["days"]) for kind, account_id, facts in rows]


class TestExpiryStopsNewWork:
    """An order is never begun with a health certificate that ended yesterday, at any step of it."""

    def found(self, session):
        wanted = search.Wanted(
            item_id=COMPANIONSHIP,
            city_code=NANTONG,
            district_code=CHONGCHUAN,
            cell=places.cell_of_district(CHONGCHUAN),
            units=2,
        )
        return {one.id for one in search.find(session, ZHOU, wanted).shown}

    def test_she_is_not_found(self, session):
        ends(session, 0, HEALTH)
        assert self.found(session) == {LI.id, ZHAO.id}
        ends(session, -1, HEALTH)
        assert self.found(session) == {ZHAO.id}

    def test_she_cannot_be_asked(self, session):
        ends(session, -1, HEALTH)
        with pytest.raises(Conflict, match="caregiver_lacks_certificate"):
            make_booking(session)

    def test_she_cannot_accept(self, session):
        order_id = make_booking(session)
        ends(session, -1, HEALTH)
        with pytest.raises(Conflict, match="caregiver_lacks_certificate"):
            bookings.accept(session, LI, order_id)

    def test_the_operator_cannot_confirm(self, session):
        session.execute(update(City).values(operator_approves=True))
        order_id = make_booking(session)
        bookings.accept(session, LI, order_id)
        session.flush()
        ends(session, -1, HEALTH)
        with pytest.raises(Conflict, match="caregiver_lacks_certificate"):
            bookings.confirm(session, OPERATOR, order_id)

    def test_she_cannot_apply(self, session):
        demand_id = make_demand(session)
        ends(session, -1, HEALTH)
        with pytest.raises(Conflict, match="certificate_missing"):
            applications.apply(session, LI, demand_id, 4000)
        [task] = hall.tasks(session, LI, hall.HallFilter()).shown
        assert task.missing_certificates == (CertificateKind.HEALTH,)

    def test_she_cannot_be_approved_for_a_demand(self, session):
        application_id = make_application(session)
        ends(session, -1, HEALTH)
        with pytest.raises(Conflict, match="caregiver_lacks_certificate"):
            applications.approve(session, OPERATOR, application_id)

    def test_one_that_nobody_has_approved_does_not_count(self, session):
        session.execute(
            update(Certificate).where(Certificate.caregiver_id == LI.id).values(approved_at=None)
        )
        with pytest.raises(Conflict, match="caregiver_lacks_certificate"):
            make_booking(session)

    def test_what_she_has_agreed_stays_hers(self, session):
        order_id = make_booking(session)
        bookings.accept(session, LI, order_id)
        ends(session, -1, HEALTH)

        assert session.get_one(Caregiver, LI.id).status is CaregiverStatus.APPROVED


class TestTelling:
    def tell(self, session):
        return certificates.tell_expiring(session, SYSTEM)

    def test_a_month_ahead_and_when_it_is_over_each_once(self, session, clock):
        ends(session, 31, HEALTH)
        assert self.tell(session) == 0
        clock.move(days=1)
        assert self.tell(session) == 1
        clock.move(days=1)
        assert self.tell(session) == 0
        clock.move(days=30)
        assert self.tell(session) == 1
        assert self.tell(session) == 0
        assert told(session) == [
            (NoticeKind.CERTIFICATE_EXPIRING, LI.id, 30),
            (NoticeKind.CERTIFICATE_EXPIRED, LI.id, 0),
        ]

    def test_one_that_is_renewed_or_was_never_approved_is_passed_over(self, session):
        ends(session, 5, HEALTH)
        [old] = session.scalars(
            select(Certificate).where(Certificate.caregiver_id == LI.id, HEALTH)
        )
        session.add(
            Certificate(
                created_at=old.created_at,
                caregiver_id=LI.id,
                kind=old.kind,
                issuer=old.issuer,
                issued_on=service_clock.today(),
                expires_on=service_clock.today() + timedelta(days=700),
                approved_at=service_clock.now(),
            )
        )
        ends(session, 5, HEALTH, caregiver=ZHAO)
        of_zhao = update(Certificate).where(Certificate.caregiver_id == ZHAO.id)
        session.execute(of_zhao.values(approved_at=None))

        assert self.tell(session) == 0

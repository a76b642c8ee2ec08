"""The rule book of the demo: the version in force, and one that is still being thought about."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from data.catalogue import CareItem
from services import clock, rule_changes, rules
from services.access import SYSTEM, Actor
from services.demo import levels
from services.demo.nantong import CITY

WHY = "开城时与首批陪护员商定的价格区间"
THINKING = "周末请人难，想试试加价；夜间加价略降"
CHEAPER = "hospital_companion"
WAVE = 2


def publish(session: Session, operator: Actor, items: list[CareItem], start: datetime) -> None:
    """The first version: prices, a lower commission on what is ordered most, and small waves."""
    [cheaper] = [item.id for item in items if item.code == CHEAPER]
    with clock.at(start - timedelta(days=3)):
        version_id = rule_changes.draft(session, operator, CITY)
        changes = {
            "prices": levels.prices(items),
            "commissions": {str(cheaper): 1200},
            "wave_size": WAVE,
        }
        begins = clock.today() + timedelta(days=3)
        rule_changes.revise(session, operator, version_id, changes, valid_from=begins, said=WHY)
        number = rules.version(session, operator, version_id).number
        rule_changes.announce(session, operator, version_id, str(number))
    for days in (1, 0):
        with clock.at(start - timedelta(days=days)):
            rule_changes.publish_due(session, SYSTEM)


def think(session: Session, operator: Actor) -> None:
    """A draft to try out on the month gone by."""
    version_id = rule_changes.draft(session, operator, CITY)
    changes = {"weekend_bp": 1000, "night_bp": 2500}
    rule_changes.revise(session, operator, version_id, changes, said=THINKING)

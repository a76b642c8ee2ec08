import pytest
from sqlalchemy import select

from data.accounts import AccountStatus
from data.caregivers import CaregiverStatus
from data.chat import TalkStatus
from data.cities import CityStatus
from data.complaints import ComplaintStatus, ExtraTimeStatus, IncidentStatus
from data.compliance import FindingStatus
from data.demands import ApplicationStatus, Demand, DemandStatus
from data.dispatch import RunStatus
from data.history import Noun, StatusChange
from data.invoices import InvoiceStatus
from data.orders import OrderStatus, VisitStatus
from data.payouts import BatchStatus, PayoutStatus
from data.points import PointsStatus
from data.policies import PolicyStatus
from data.pushes import PushStatus
from data.refunds import RefundStatus
from data.repayments import RepaymentStatus
from data.rules import RuleStatus
from data.verifications import CaseStatus
from services import lifecycles
from services.access import GRANTS, SYSTEM, Actor, Channel, Role
from services.errors import Conflict, NotAllowed
from services.moves import MOVES
from tests.factories import ANALYST, OPERATOR, ZHOU, make_demand

FIRST = {
    Noun.CAREGIVER: {CaregiverStatus.DRAFT},
    Noun.ACCOUNT: {AccountStatus.ACTIVE},
    Noun.CITY: {CityStatus.OPEN},
    Noun.DEMAND: {DemandStatus.DIRECTED},
    Noun.APPLICATION: {ApplicationStatus.SUBMITTED},
    Noun.ORDER: {OrderStatus.REQUESTED},
    Noun.VISIT: {VisitStatus.HELD, VisitStatus.OFFERED, VisitStatus.UNFILLED},
    Noun.VERIFICATION: {CaseStatus.DRAFT},
    Noun.COMPLAINT: {ComplaintStatus.OPEN},
    Noun.INCIDENT: {IncidentStatus.REPORTED},
    Noun.EXTRA_TIME: {ExtraTimeStatus.ASKED},
    Noun.TALK: {TalkStatus.WAITING, TalkStatus.OPEN},
    Noun.PAYOUT_BATCH: {BatchStatus.LOCKED},
    Noun.PAYOUT: {PayoutStatus.WAITING},
    Noun.REFUND: {RefundStatus.GRANTED},
    Noun.RULE_VERSION: {RuleStatus.DRAFT},
    Noun.REPAYMENT: {RepaymentStatus.RECORDED},
    Noun.POLICY_VERSION: {PolicyStatus.DRAFT},
    Noun.FINDING: {FindingStatus.OPEN},
    Noun.POINTS: {PointsStatus.STANDING},
    Noun.INVOICE: {InvoiceStatus.ASKED},
    Noun.DISPATCH_RUN: {RunStatus.ASKED},
    Noun.PUSH: {PushStatus.UNDER_WAY},
}
EVERYBODY = [SYSTEM, *(Actor(1, role) for role in Role)]


def every_move():
    return [(noun, move) for noun, moves in MOVES.items() for move in moves]


def test_every_noun_has_its_table():
    assert set(MOVES) == set(Noun) == set(FIRST)


@pytest.mark.parametrize("noun", Noun)
def test_every_status_can_be_reached_from_the_first(noun):
    reached = set(FIRST[noun])
    for _ in MOVES[noun]:
        reached |= {move.target for move in MOVES[noun] if move.source in reached}

    assert reached == set(type(next(iter(FIRST[noun]))))


@pytest.mark.parametrize(("noun", "move"), every_move())
def test_somebody_may_take_every_move(noun, move):
    assert any(actor.may(move.permission) for actor in EVERYBODY)


@pytest.mark.parametrize(("noun", "move"), every_move())
def test_a_move_leads_where_its_table_says_for_those_who_may(noun, move):
    ways = [m for m in MOVES[noun] if (m.name, m.source) == (move.name, move.source)]
    assert len({way.target for way in ways}) == 1
    for actor in EVERYBODY:
        if any(actor.may(way.permission) for way in ways):
            assert lifecycles.target(noun, move.name, move.source, actor) is move.target
            assert move.name in lifecycles.open_moves(noun, move.source, actor)
        else:
            with pytest.raises(NotAllowed):
                lifecycles.target(noun, move.name, move.source, actor)
            assert move.name not in lifecycles.open_moves(noun, move.source, actor)


@pytest.mark.parametrize(("noun", "move"), every_move())
def test_a_move_is_refused_from_any_other_status(noun, move):
    sources = {m.source for m in MOVES[noun] if m.name == move.name}

    for status in set(type(move.source)) - sources:
        with pytest.raises(Conflict, match=f"error.{noun}_moved_on"):
            lifecycles.target(noun, move.name, status, OPERATOR)


def test_an_unknown_move_is_refused():
    with pytest.raises(Conflict, match="demand_moved_on"):
        lifecycles.target(Noun.DEMAND, "explode", DemandStatus.OPEN, ZHOU)


def test_taking_a_move_leaves_a_history_row(session, clock):
    demand = session.get_one(Demand, make_demand(session))
    by_phone = Actor(ZHOU.id, ZHOU.role, channel=Channel.PHONE)
    lifecycles.take(session, by_phone, Noun.DEMAND, demand, "withdraw")

    change = session.scalars(select(StatusChange).order_by(StatusChange.id.desc())).first()
    assert (change.noun, change.subject_id, change.move) == (Noun.DEMAND, demand.id, "withdraw")
    assert (change.old_status, change.new_status) == ("open", "withdrawn")
    assert (change.actor_id, change.role, change.channel) == (ZHOU.id, ZHOU.role, Channel.PHONE)
    assert change.created_at == clock.moment


def test_a_refused_move_changes_nothing(session):
    demand = session.get_one(Demand, make_demand(session))
    with pytest.raises(NotAllowed):
        lifecycles.take(session, ANALYST, Noun.DEMAND, demand, "withdraw")

    assert demand.status is DemandStatus.OPEN
    assert session.scalars(select(StatusChange.move)).all() == ["post"]


def test_no_role_holds_a_permission_by_accident():
    assert not any("jobs:run" in granted for granted in GRANTS.values())

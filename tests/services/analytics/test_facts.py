"""Every column of every fact, told once more by plain Python from the rows themselves."""

import hashlib
import hmac
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from data.accounts import Account, AccountRole, AccountStatus, Role
from data.caregivers import Caregiver, Rate, WeeklyHours
from data.catalogue import CareItem
from data.demands import Application, Demand
from data.footfalls import Footfall
from data.history import AuditEvent, Noun, StatusChange
from data.orders import Order, Segment, Visit
from data.recipients import Recipient
from data.reviews import Review
from data.sealing import derived_key
from data.unmet_needs import UnmetNeed
from data.verifications import CaseStatus, VerificationCase
from services import clock
from services.analytics import exports, lake
from services.analytics.schemas import MOMENT_OF, SCHEMAS, Fact
from services.analytics.terms import AgeBand, age_band
from tests.factories import LI, MONDAY, ZHAO, ZHOU, make_demand
from tests.services.analytics import story

STANDS = ("confirmed", "paused", "completed")


@pytest.fixture
def told(session):
    """The story, lived and exported."""
    story.live(session)
    exports.refresh(session)
    return session


def name(what, number):
    """The pseudonym of somebody or something."""
    if number is None:
        return None
    key, words = derived_key("figures"), f"{what}:{number}".encode()
    return hmac.new(key, words, hashlib.sha256).hexdigest()[:16]


def moment(at):
    """As the wall clock of the city shows it: it keeps eight hours before Greenwich."""
    return at and at.replace(tzinfo=None) + (at.utcoffset() * -1) + timedelta(hours=8)


def all_of(session, table):
    return session.scalars(select(table).order_by(table.id)).all()


def history(session, noun, number):
    steps = select(StatusChange).where(StatusChange.noun == noun, StatusChange.subject_id == number)
    return session.scalars(steps.order_by(StatusChange.id)).all()


def confirmed(session, order):
    steps = history(session, Noun.ORDER, order.id)
    return [step.created_at for step in steps if step.new_status == "confirmed"]


def per_hour(fen, item):
    return int(fen / item.hours_per_unit + 0.5)


def by_month(fact, expected):
    """In the order in which the files tell them: month by month, in each by number."""
    column = MOMENT_OF[fact]
    return sorted(expected, key=lambda row: f"{row[column]:%Y-%m}")


def a_need(session, demand):
    item, orders = session.get_one(CareItem, demand.item_id), all_of(session, Order)
    its = [order for order in orders if order.demand_id == demand.id]
    standing = [order for order in its if order.status in STANDS]
    order = (standing or its or [None])[-1]
    agreed = order is not None and bool(confirmed(session, order))
    caregiver = session.get_one(Caregiver, order.caregiver_id) if agreed else None
    matched = [at for one in its for at in confirmed(session, one)]
    recipient = session.get_one(Recipient, demand.recipient_id)
    applied = [one for one in all_of(session, Application) if one.demand_id == demand.id]
    return {
        "need": name("need", demand.id),
        "family": name("family", demand.customer_id),
        "recipient": name("recipient", demand.recipient_id),
        "caregiver": name("caregiver", caregiver and caregiver.id),
        "order": name("order", order and order.id),
        "city": demand.city_code,
        "district": demand.district_code,
        "cell": demand.cell,
        "home_district": caregiver and caregiver.district_code,
        "item": item.code,
        "item_group": item.group,
        "channel": demand.channel,
        "kind": "monthly" if demand.rule else "single",
        "posted_at": moment(demand.created_at),
        "starts_at": moment(demand.starts_at),
        "matched_at": moment(min(matched, default=None)),
        "hours": demand.units * item.hours_per_unit,
        "lowest_fen": per_hour(demand.lowest_fen, item),
        "highest_fen": per_hour(demand.highest_fen, item),
        "agreed_fen": per_hour(order.unit_price_fen, item) if agreed else None,
        "applications": len(applied),
        "status": demand.status,
        "order_status": order and order.status,
        "recipient_age": age_band(recipient.birth_date, moment(demand.starts_at).date()),
        "recipient_sex": recipient.sex,
    }


def a_visit(session, visit):
    order = session.get_one(Order, visit.order_id)
    item = session.get_one(CareItem, order.item_id)
    return {
        "visit": name("visit", visit.id),
        "order": name("order", order.id),
        "need": name("need", order.demand_id),
        "family": name("family", order.customer_id),
        "caregiver": name("caregiver", visit.caregiver_id),
        "city": order.city_code,
        "district": order.district_code,
        "cell": session.get_one(Demand, order.demand_id).cell,
        "item": item.code,
        "item_group": item.group,
        "kind": order.kind,
        "starts_at": moment(visit.starts_at),
        "ends_at": moment(visit.ends_at),
        "status": visit.status,
        "checked_in_at": moment(visit.checked_in_at),
        "checked_out_at": moment(visit.checked_out_at),
        "redeemed_at": moment(visit.redeemed_at),
        "ended_by": visit.ended_by,
        "total_fen": visit.total_fen,
        "commission_fen": visit.commission_fen,
    }


def an_offer(session, subject, how, demand_id, caregiver_id, fen, outcome, answered_at):
    demand = session.get_one(Demand, demand_id)
    item = session.get_one(CareItem, demand.item_id)
    return {
        "caregiver": name("caregiver", caregiver_id),
        "need": name("need", demand_id),
        "city": demand.city_code,
        "district": demand.district_code,
        "item": item.code,
        "item_group": item.group,
        "how": how,
        "made_at": moment(subject.created_at),
        "price_fen": per_hour(fen, item),
        "outcome": outcome,
        "answered_at": moment(answered_at),
    }


def an_application(session, one):
    became = {
        "approved": "accepted", "declined": "refused", "closed": "closed", "withdrawn": "withdrawn",
    }.get(one.status, "waiting")  # fmt: skip
    steps = history(session, Noun.APPLICATION, one.id)
    at = None if became == "waiting" else steps[-1].created_at
    return an_offer(
        session, one, "application", one.demand_id, one.caregiver_id, one.price_fen, became, at
    )


def a_request(session, order):
    """An order that was asked of a caregiver; whom and for how much, its first visit tells."""
    answers = {
        "accept": "accepted", "agree": "accepted", "refuse": "refused", "expire": "expired",
        "call_off": "withdrawn", "block": "closed",
    }  # fmt: skip
    steps = [one for one in history(session, Noun.ORDER, order.id) if one.old_status == "requested"]
    outcome = answers[steps[0].move] if steps else "waiting"
    asked = next(visit for visit in all_of(session, Visit) if visit.order_id == order.id)
    stretches = [one for one in all_of(session, Segment) if one.order_id == order.id]
    fen = stretches[0].unit_price_fen if stretches else order.unit_price_fen
    at = steps[0].created_at if steps else None
    return an_offer(session, order, "direct", order.demand_id, asked.caregiver_id, fen, outcome, at)


def a_review(session, review):
    scores = ("weight", "skill", "attitude", "communication", "overall")
    return {
        "caregiver": name("caregiver", review.caregiver_id),
        "family": name("family", review.customer_id),
        "city": session.get_one(Order, review.order_id).city_code,
        "item": session.get_one(CareItem, review.item_id).code,
        "made_at": moment(review.created_at),
        **{score: getattr(review, score) for score in scores},
    }


def an_unmet_need(session, need):
    item = session.get_one(CareItem, need.item_id)
    return {
        "city": need.city_code,
        "district": need.district_code,
        "item": item.code,
        "item_group": item.group,
        "source": need.source,
        "noted_at": moment(need.created_at),
        "wanted_at": moment(need.wanted_at),
        "obstacle": need.obstacle,
    }


def a_family(session, account):
    cases = select(VerificationCase).where(
        VerificationCase.account_id == account.id,
        VerificationCase.kind == "customer",
        VerificationCase.status == CaseStatus.APPROVED,
    )
    case = session.scalar(cases)
    by_desk = session.scalar(
        select(AuditEvent.id).where(
            AuditEvent.action == "register_caller", AuditEvent.subject_id == account.id
        )
    )
    born = case and date.fromisoformat(f"{case.id_number[6:14]}")
    return {
        "family": name("family", account.id),
        "city": account.city_code,
        "district": account.district_code,
        "joined_at": moment(account.created_at),
        "channel": "phone" if by_desk else "app",
        "holder_age": born and age_band(born, moment(case.decided_at).date()),
        "verified_at": case and moment(case.decided_at),
    }


def a_caregiver(session, one):
    steps = history(session, Noun.CAREGIVER, one.id)
    approved = [step.created_at for step in steps if step.new_status == "approved"]
    if not steps and one.status == "approved":
        approved = [one.created_at]
    rates = session.scalars(select(Rate).where(Rate.caregiver_id == one.id)).all()
    week = session.scalars(select(WeeklyHours).where(WeeklyHours.caregiver_id == one.id)).all()
    hours = {
        f"week_{part}": sum(
            minute // 360 == number
            for stretch in week
            for minute in range(stretch.starts_minute, stretch.ends_minute)
        )
        / 60
        for number, part in enumerate(("night", "morning", "afternoon", "evening"))
    }
    return {
        "caregiver": name("caregiver", one.id),
        "city": one.city_code,
        "district": one.district_code,
        "cell": one.cell,
        "sex": one.sex,
        "age": age_band(one.birth_date, clock.today()),
        "level": one.level,
        "status": one.status,
        "approved_at": moment(approved[0]) if approved else None,
        "items": sorted(session.get_one(CareItem, rate.item_id).code for rate in rates),
        **hours,
    }


def test_needs_tell_what_was_wanted_and_what_came_of_it(told):
    expected = [a_need(told, demand) for demand in all_of(told, Demand)]

    assert story.rows(Fact.NEEDS) == by_month(Fact.NEEDS, expected)
    assert {row["kind"] for row in expected} == {"single", "monthly"}
    assert {row["order_status"] for row in expected} > {None, "confirmed", "cancelled", "refused"}


def test_visits_tell_who_came_when_and_for_how_much(told):
    expected = [a_visit(told, visit) for visit in all_of(told, Visit)]

    assert story.rows(Fact.VISITS) == by_month(Fact.VISITS, expected)
    assert {row["status"] for row in expected} > {"redeemed", "planned", "cancelled", "dropped"}


def test_offers_tell_who_was_asked_or_applied_and_the_answer(told):
    requests = [order for order in all_of(told, Order) if order.answer_until]
    expected = [
        *(an_application(told, one) for one in all_of(told, Application)),
        *(a_request(told, order) for order in requests),
    ]

    assert story.rows(Fact.OFFERS) == by_month(Fact.OFFERS, expected)
    applied, asked = (
        {row["outcome"] for row in expected if row["how"] == how}
        for how in ("application", "direct")
    )
    assert applied == {"accepted", "refused", "closed", "waiting"}
    assert asked == {"accepted", "refused", "withdrawn", "waiting"}


def test_an_offer_is_whose_it_was_though_somebody_else_took_over(told):
    plans = {row["need"] for row in story.rows(Fact.NEEDS) if row["kind"] == "monthly"}
    needs = [row for row in story.rows(Fact.NEEDS) if row["need"] in plans]
    offers = [row for row in story.rows(Fact.OFFERS) if row["need"] in plans]

    assert [row["caregiver"] for row in needs] == [name("caregiver", ZHAO.id)]
    assert [row["caregiver"] for row in offers] == [name("caregiver", LI.id)]


def test_reviews_tell_scores_and_hidden_ones_nothing(told):
    shown = [review for review in all_of(told, Review) if review.hidden_at is None]

    assert story.rows(Fact.REVIEWS) == [a_review(told, review) for review in shown]
    assert len(shown) == len(all_of(told, Review)) - 1 == 1


def test_unmet_needs_tell_what_stood_in_the_way(told):
    expected = [an_unmet_need(told, need) for need in all_of(told, UnmetNeed)]

    assert story.rows(Fact.UNMET) == expected
    assert [row["obstacle"] for row in expected] == ["busy", None]


def test_families_tell_where_and_how_they_joined_and_the_band_of_the_holders_age(told):
    customers = select(AccountRole.account_id).where(AccountRole.role == Role.CUSTOMER)
    accounts = told.scalars(
        select(Account).where(Account.id.in_(customers), Account.status != AccountStatus.MERGED)
    ).all()
    expected = [a_family(told, account) for account in sorted(accounts, key=lambda one: one.id)]

    assert story.rows(Fact.FAMILIES) == expected
    assert [row["channel"] for row in expected] == ["app", "app", "phone"]
    assert [row["holder_age"] for row in expected] == [AgeBand.FROM_40, AgeBand.FROM_40, None]


def test_caregivers_tell_what_they_do_and_how_much_of_a_week(told):
    expected = [a_caregiver(told, one) for one in all_of(told, Caregiver)]

    assert story.rows(Fact.CAREGIVERS) == expected
    assert [row["week_morning"] for row in expected] == [35.0] * 3


def test_footfall_tells_days_and_cities(told):
    counted = told.scalars(select(Footfall).order_by(Footfall.on_day, Footfall.city_code))
    expected = [
        {"city": one.city_code, "on_day": one.on_day, "opened": one.opened} for one in counted
    ]

    assert story.rows(Fact.FOOTFALL) == expected
    assert [row["opened"] for row in expected] == [2, 1]


def test_every_row_lies_in_the_month_of_its_own_moment(told):
    known = lake.contents()
    for fact, column in MOMENT_OF.items():
        for month in known.months(fact):
            if column is None:
                assert month == lake.ALL
                continue
            rows = lake.read(known, fact, month).to_pylist()
            assert {f"{row[column]:%Y-%m}" for row in rows} == {month}
    assert known.months(Fact.VISITS) == ["2029-12", "2030-01", "2030-02"]


def test_files_have_the_columns_that_were_told_and_no_others(told):
    known = lake.contents()
    for part in known.parts.values():
        table = story.pq.read_schema(lake.path(part.fact, part.month))
        assert table.remove_metadata() == SCHEMAS[part.fact]
    assert {part.fact for part in known.parts.values()} == set(Fact)


@pytest.mark.parametrize(("hour", "month"), [("15:59:59", "2030-01"), ("16:00:00", "2030-02")])
def test_months_turn_at_the_citys_midnight(session, hour, month):
    starts_at = datetime.fromisoformat(f"2030-01-31T{hour}+00:00")
    make_demand(session, starts_at=starts_at)
    exports.refresh(session)

    assert lake.contents().months(Fact.NEEDS) == [month]


def test_a_price_of_half_a_fen_an_hour_is_rounded_up(session):
    item = session.get_one(CareItem, 6)
    item.hours_per_unit = 2
    make_demand(session, lowest_fen=3001, highest_fen=5003)
    exports.refresh(session)

    [row] = story.rows(Fact.NEEDS)
    assert (row["lowest_fen"], row["highest_fen"], row["hours"]) == (1501, 2502, 4)
    assert row["family"] == name("family", ZHOU.id)
    assert row["posted_at"] == MONDAY.replace(tzinfo=None)

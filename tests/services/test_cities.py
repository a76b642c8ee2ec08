from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from data.accounts import AccountRole
from data.cities import City, CityStatus
from data.history import AuditEvent, Noun, StatusChange
from data.orders import Order, OrderStatus
from services import accounts, caregivers, cities, clock, lifecycles, talks
from services.access import SYSTEM, Actor, Role
from services.errors import Conflict, Invalid, NotFound
from tests.factories import (
    CHONGCHUAN,
    DRAFT,
    FAR_OPERATOR,
    LI,
    LUZHOU,
    NAMES,
    NANTONG,
    NASTY,
    OPERATOR,
    ZHOU,
    cancel_order,
    make_demand,
    make_order,
    make_rules,
    price_of,
)

WUXI = "320200"
BOTH_CITIES = Actor(OPERATOR.id, Role.OPERATOR, frozenset({NANTONG, WUXI}))


def close(session, status):
    session.execute(update(City).where(City.code == NANTONG).values(status=status))
    session.expire_all()


def city(session, code=NANTONG):
    return session.scalars(select(City).where(City.code == code)).one()


def settings(session):
    return cities.mine(session, OPERATOR)[0].settings


def audited(session):
    return [event.action for event in session.scalars(select(AuditEvent).order_by(AuditEvent.id))]


def make_request(session):
    """An order that still waits for its caregiver's answer."""
    order_id = make_order(session, starts_at=clock.now() + timedelta(days=3))
    order = session.get_one(Order, order_id)
    order.status = OrderStatus.REQUESTED
    session.flush()


def test_families_choose_among_the_opened_cities(session):
    opened = cities.opened(session)

    assert [(city.code, city.name_zh) for city in opened] == [
        (NANTONG, "南通市"),
        (LUZHOU, "泸州市"),
    ]


@pytest.mark.parametrize(
    ("status", "shown"), [(CityStatus.PAUSED, [NANTONG, LUZHOU]), (CityStatus.CLOSED, [LUZHOU])]
)
def test_a_paused_city_is_shown_and_takes_nothing_new(session, status, shown):
    close(session, status)

    assert [city.code for city in cities.opened(session)] == shown
    with pytest.raises(Conflict, match="city_not_open"):
        cities.open_city(session, NANTONG)


def test_a_city_nobody_opened_takes_nothing(session):
    with pytest.raises(Conflict, match="city_not_open"):
        cities.open_city(session, "110100")


class TestMine:
    def test_an_operator_sees_the_figures_of_their_own_cities_only(self, session):
        make_order(session)
        make_demand(session)
        accounts.choose_region(session, ZHOU, NANTONG, CHONGCHUAN)
        session.flush()
        (mine,) = cities.mine(session, OPERATOR)
        (far,) = cities.mine(session, FAR_OPERATOR)

        assert (mine.code, mine.status) == (NANTONG, CityStatus.OPEN)
        assert (mine.open_orders, mine.open_demands) == (1, 1)
        assert (mine.caregivers, mine.customers) == (2, 1)
        assert mine.open_moves == ("pause", "close")
        assert far.code == LUZHOU
        assert (far.open_orders, far.open_demands, far.caregivers, far.customers) == (0, 0, 0, 0)

    def test_a_demand_whose_time_has_come_is_not_open_any_more(self, session, clock):
        make_demand(session)
        clock.move(days=2)

        assert cities.mine(session, OPERATOR)[0].open_demands == 0


class TestSettings:
    def test_they_are_kept_and_audited(self, session):
        form = cities.CitySettings(
            hotline="400 800 1234",
            redeem_lock_minutes=30,
            operator_approves=True,
            verify_customers=False,
            rejected_document_days=30,
            document_days=365,
            photo_days=60,
            redeem_reminder_hours=12,
            expiry_days=45,
            reminder_hours=(48, 2),
            desk_from_minute=7 * 60,
            desk_until_minute=24 * 60,
            answer_minutes=5,
        )
        cities.keep_settings(session, OPERATOR, NANTONG, form)
        session.flush()
        session.expire_all()

        assert settings(session) == form
        assert audited(session) == ["change_city_settings"]

    def test_how_far_ahead_demands_are_taken_is_the_citys_word(self, session):
        make_rules(session, horizon_days=3)
        make_demand(session, starts_at=clock.now() + timedelta(days=2))

        with pytest.raises(Invalid, match="start_too_far"):
            make_demand(session, starts_at=clock.now() + timedelta(days=4))

    def test_when_the_chat_is_answered_is_the_citys_word(self, session, clock):
        changed = replace(
            settings(session), desk_from_minute=0, desk_until_minute=24 * 60, answer_minutes=3
        )
        cities.keep_settings(session, OPERATOR, NANTONG, changed)
        clock.move(hours=14)

        hours = talks.hours_of(session, NANTONG)
        assert (hours.open_now, hours.answer_minutes) == (True, 3)
        assert not talks.hours_of(session, LUZHOU).open_now

    def test_nothing_changed_leaves_no_trace(self, session):
        cities.keep_settings(session, OPERATOR, NANTONG, settings(session))

        assert audited(session) == []

    def test_orders_keep_the_commission_they_were_made_with(self, session):
        order_id = make_order(session)
        before = price_of(session, order_id)
        make_rules(session, commission_bp=3000)

        assert price_of(session, order_id) == before

    @pytest.mark.parametrize(
        ("changes", "refusal"),
        [
            ({"hotline": "  "}, "error.missing"),
            ({"hotline": "1" * 21}, "error.too_long"),
            ({"hotline": "请打电话"}, "error.hotline_invalid"),
            ({"hotline": NASTY[:18]}, "error.hotline_invalid"),
            ({"redeem_lock_minutes": 0}, "error.number_out_of_range"),
            ({"rejected_document_days": 0}, "error.number_out_of_range"),
            ({"document_days": 3651}, "error.number_out_of_range"),
            ({"answer_minutes": 0}, "error.number_out_of_range"),
            ({"desk_from_minute": 1200}, "error.desk_hours"),
            ({"desk_from_minute": -1}, "error.desk_hours"),
            ({"desk_until_minute": 1441}, "error.desk_hours"),
        ],
    )
    def test_what_cannot_be_is_refused(self, session, changes, refusal):
        before = settings(session)
        with pytest.raises(Invalid, match=refusal):
            cities.keep_settings(session, OPERATOR, NANTONG, replace(before, **changes))

        session.expire_all()
        assert settings(session) == before

    def test_another_citys_operator_changes_nothing(self, session):
        with pytest.raises(NotFound, match="city_not_found"):
            cities.keep_settings(session, FAR_OPERATOR, NANTONG, settings(session))


class TestConsequences:
    def test_the_next_orders_are_named_and_everything_is_counted(self, session, clock):
        later = make_order(session, starts_at=clock() + timedelta(days=2))
        sooner = make_order(session)
        make_demand(session)
        make_request(session)
        found = cities.consequences(session, OPERATOR, NANTONG)

        assert [order.number for order in found.orders] == [sooner, later]
        assert {order.caregiver_name for order in found.orders} == {NAMES[LI]}
        assert (found.open_orders, found.open_demands, found.requests) == (2, 1, 1)

    def test_of_many_orders_the_first_are_listed(self, session, clock, monkeypatch):
        monkeypatch.setattr(cities, "MOST_LISTED", 2)
        for day in (1, 2, 3):
            make_order(session, starts_at=clock() + timedelta(days=day))
        found = cities.consequences(session, OPERATOR, NANTONG)

        assert (len(found.orders), found.open_orders) == (2, 3)

    def test_another_citys_operator_learns_nothing(self, session):
        with pytest.raises(NotFound, match="city_not_found"):
            cities.consequences(session, FAR_OPERATOR, NANTONG)


class TestMoves:
    def test_a_city_is_paused_resumed_closed_and_reopened(self, session):
        for move, status in (
            ("pause", CityStatus.PAUSED),
            ("resume", CityStatus.OPEN),
            ("close", CityStatus.CLOSED),
            ("reopen", CityStatus.OPEN),
        ):
            cities.move(session, OPERATOR, NANTONG, move)
            assert city(session).status is status

        changes = select(StatusChange.move).where(StatusChange.noun == Noun.CITY)
        assert session.scalars(changes.order_by(StatusChange.id)).all() == [
            "pause",
            "resume",
            "close",
            "reopen",
        ]
        assert audited(session) == ["pause_city", "resume_city", "close_city", "reopen_city"]

    def test_what_is_under_way_goes_on_in_a_paused_city(self, session):
        order_id = make_order(session)
        cities.move(session, OPERATOR, NANTONG, "pause")

        with pytest.raises(Conflict, match="city_not_open"):
            make_demand(session)
        cancel_order(session, OPERATOR, order_id)

    def test_a_paused_city_takes_nobody_new_and_its_caregivers_keep_their_hours(self, session):
        cities.move(session, OPERATOR, NANTONG, "pause")
        session.flush()

        form = caregivers.own_form(session, LI)
        assert form is not None
        caregivers.save_profile(session, LI, form)
        with pytest.raises(Conflict, match="city_not_open"):
            caregivers.save_profile(session, DRAFT, form)

    def test_a_city_with_open_orders_is_not_closed(self, session):
        order_id = make_order(session)
        with pytest.raises(Conflict, match="city_has_orders") as refusal:
            cities.move(session, OPERATOR, NANTONG, "close")
        assert refusal.value.values == {"count": 1}
        assert city(session).status is CityStatus.OPEN

        cancel_order(session, OPERATOR, order_id)
        session.flush()
        cities.move(session, OPERATOR, NANTONG, "close")

    def test_a_city_with_waiting_requests_is_not_closed(self, session):
        make_request(session)
        with pytest.raises(Conflict, match="city_has_requests"):
            cities.move(session, OPERATOR, NANTONG, "close")

    def test_a_city_with_open_demands_is_not_closed(self, session):
        make_demand(session)
        with pytest.raises(Conflict, match="city_has_demands"):
            cities.move(session, OPERATOR, NANTONG, "close")

    def test_a_move_from_another_status_is_refused(self, session):
        for move in ("resume", "reopen", "explode"):
            with pytest.raises(Conflict, match="city_moved_on"):
                cities.move(session, OPERATOR, NANTONG, move)

    def test_another_citys_operator_moves_nothing(self, session):
        with pytest.raises(NotFound, match="city_not_found"):
            cities.move(session, FAR_OPERATOR, NANTONG, "pause")
        assert city(session).status is CityStatus.OPEN


class TestAdd:
    def test_who_opens_a_city_is_its_first_operator(self, session):
        cities.add(session, OPERATOR, WUXI, "0510-8500-1234")

        opened = city(session, WUXI)
        assert (opened.status, opened.hotline) == (CityStatus.OPEN, "0510-8500-1234")
        assert WUXI in [one.code for one in cities.opened(session)]
        held = select(AccountRole.account_id, AccountRole.role).where(AccountRole.city_code == WUXI)
        assert session.execute(held).all() == [(OPERATOR.id, Role.OPERATOR)]
        assert audited(session) == ["open_city"]
        assert [one.code for one in cities.mine(session, BOTH_CITIES)] == [WUXI, NANTONG]

    def test_a_city_is_opened_once(self, session):
        cities.add(session, OPERATOR, WUXI, "0510-8500-1234")

        for operator in (OPERATOR, FAR_OPERATOR):
            with pytest.raises(Conflict, match="city_exists"):
                cities.add(session, operator, WUXI, "0510-8500-1234")

    @pytest.mark.parametrize("code", ["320000", CHONGCHUAN, "000000", ""])
    def test_only_a_city_of_the_nation_can_be_opened(self, session, code):
        with pytest.raises(NotFound, match="city_not_found"):
            cities.add(session, OPERATOR, code, "0510-8500-1234")

    @pytest.mark.parametrize(("hotline", "refusal"), [("", "missing"), ("😀 12", "hotline")])
    def test_it_needs_a_hotline(self, session, hotline, refusal):
        with pytest.raises(Invalid, match=refusal):
            cities.add(session, OPERATOR, WUXI, hotline)


def test_the_worker_opens_no_cities():
    assert lifecycles.open_moves(Noun.CITY, CityStatus.OPEN, SYSTEM) == ()

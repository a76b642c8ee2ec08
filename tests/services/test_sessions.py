from datetime import timedelta

import pytest
from sqlalchemy import select

from data.accounts import Account, AccountRole, AccountStatus
from data.history import AuditEvent
from data.notices import Notice, NoticeKind
from data.sessions import SignInSession, SignInTicket
from services import attempts, sessions
from services import clock as service_clock
from services.access import Role
from services.devices import Browser
from services.errors import Conflict, NotAllowed, NotFound
from tests.factories import BROWSER, DESK, LI, MONDAY, NANTONG, OPERATOR, STRANGER, ZHOU, phone_of


def open_for(session, actor, **changes):
    return sessions.open_session(session, actor.id, BROWSER, **changes)


def resumed(session, token):
    session.flush()
    return sessions.resume(session, token)


class TestSession:
    def test_names_the_person_their_role_and_their_cities(self, session):
        visitor = resumed(session, open_for(session, DESK).token)

        assert visitor.actor == DESK
        assert visitor.name == "孙文静"
        assert visitor.roles == (Role.DESK,)

    def test_customers_have_no_cities(self, session):
        assert resumed(session, open_for(session, ZHOU).token).actor == ZHOU

    def test_counts_unread_notices_of_this_person_only(self, session):
        for actor, number in ((ZHOU, 1), (ZHOU, 2), (LI, 3)):
            session.add(
                Notice(
                    created_at=service_clock.now(),
                    account_id=actor.id,
                    kind=NoticeKind.ORDER_CONFIRMED,
                    facts={},
                    dedupe_key=str(number),
                )
            )

        assert resumed(session, open_for(session, ZHOU).token).unread == 2

    def test_token_is_not_stored(self, session):
        token = open_for(session, ZHOU).token
        session.flush()

        row = session.scalars(select(SignInSession)).one()
        assert token not in vars(row).values()

    def test_an_unknown_token_opens_nothing(self, session):
        assert sessions.resume(session, "made up") is None

    def test_ends_when_signed_out(self, session):
        token = open_for(session, ZHOU).token
        sessions.end(session, token)

        assert resumed(session, token) is None

    def test_signing_out_leaves_other_browsers_signed_in(self, session):
        here, there = open_for(session, ZHOU).token, open_for(session, ZHOU).token
        sessions.end(session, here)

        assert resumed(session, there) is not None

    def test_ends_after_its_lifetime_however_often_it_was_used(self, session, clock):
        token = open_for(session, ZHOU).token
        for _ in range(sessions.LIFETIME.days):
            clock.move(days=1)
            sessions.keep_alive(session, token)

        assert resumed(session, token) is None

    def test_ends_when_idle(self, session, clock):
        token = open_for(session, ZHOU).token
        clock.move(seconds=sessions.IDLE.total_seconds() - 1)
        assert resumed(session, token) is not None
        clock.move(seconds=1)

        assert resumed(session, token) is None

    def test_use_keeps_it_alive(self, session, clock):
        token = open_for(session, ZHOU).token
        clock.move(days=2)
        assert resumed(session, token).seen_long_ago
        sessions.keep_alive(session, token)
        clock.move(days=2)

        assert resumed(session, token) is not None

    def test_a_visit_a_moment_ago_need_not_be_noted(self, session, clock):
        token = open_for(session, ZHOU).token
        clock.move(minutes=5)

        assert not resumed(session, token).seen_long_ago

    def test_ends_when_the_account_is_suspended(self, session):
        token = open_for(session, ZHOU).token
        session.get_one(Account, ZHOU.id).status = AccountStatus.SUSPENDED

        assert resumed(session, token) is None

    def test_ends_when_its_role_is_taken_away(self, session):
        token = open_for(session, ZHOU).token
        role = session.scalars(select(AccountRole).where(AccountRole.account_id == ZHOU.id)).one()
        role.role = Role.CAREGIVER

        assert resumed(session, token) is None

    def test_a_suspended_account_opens_none(self, session):
        session.get_one(Account, ZHOU.id).status = AccountStatus.SUSPENDED

        with pytest.raises(NotAllowed, match="account_suspended"):
            open_for(session, ZHOU)


class TestRoles:
    @pytest.fixture(autouse=True)
    def second_role(self, session):
        session.add(
            AccountRole(
                created_at=service_clock.now(),
                account_id=ZHOU.id,
                role=Role.OPERATOR,
                city_code=NANTONG,
            )
        )
        session.flush()

    def test_opens_in_the_wanted_role(self, session):
        token = open_for(session, ZHOU, role=Role.OPERATOR).token

        assert resumed(session, token).actor.role is Role.OPERATOR

    def test_opens_in_the_first_role_when_the_wanted_one_is_not_held(self, session):
        token = open_for(session, ZHOU, role=Role.ANALYST).token

        assert resumed(session, token).actor.role is Role.CUSTOMER

    def test_switching_takes_the_cities_of_the_new_role(self, session):
        token = open_for(session, ZHOU).token
        sessions.switch_role(session, ZHOU, token, Role.OPERATOR)

        visitor = resumed(session, token)
        assert visitor.actor.role is Role.OPERATOR
        assert visitor.actor.cities == {NANTONG}
        assert visitor.roles == (Role.CUSTOMER, Role.OPERATOR)

    def test_a_role_one_does_not_hold_is_refused(self, session):
        token = open_for(session, ZHOU).token

        with pytest.raises(NotAllowed):
            sessions.switch_role(session, ZHOU, token, Role.ANALYST)

    def test_nobody_switches_somebody_elses_session(self, session):
        token = open_for(session, LI).token
        sessions.switch_role(session, ZHOU, token, Role.CUSTOMER)

        assert resumed(session, token).actor == LI


def test_ending_all_ends_every_session_of_the_actor_and_no_other(session):
    mine = [open_for(session, ZHOU).token for _ in range(2)]
    other = open_for(session, STRANGER).token
    sessions.end_all(session, ZHOU)

    assert [resumed(session, token) for token in mine] == [None, None]
    assert resumed(session, other) is not None


class TestTicket:
    def test_names_its_session_once(self, session):
        opened = open_for(session, ZHOU)
        session.flush()

        assert sessions.take_ticket(session, opened.ticket) == opened.token
        assert sessions.take_ticket(session, opened.ticket) is None

    def test_is_good_for_a_minute(self, session, clock):
        opened = open_for(session, ZHOU)
        session.flush()
        clock.move(minutes=1)

        assert sessions.take_ticket(session, opened.ticket) is None

    def test_must_be_known(self, session):
        assert sessions.take_ticket(session, "made up") is None


class TestOwnSessions:
    def test_only_open_ones_of_the_actor_are_listed_this_one_first(self, session, clock):
        ended, old = open_for(session, ZHOU).token, open_for(session, ZHOU).token
        sessions.end(session, ended)
        open_for(session, STRANGER)
        this = open_for(session, ZHOU).token
        clock.move(minutes=10)
        sessions.keep_alive(session, old)
        found = sessions.mine(session, ZHOU, this)

        assert [one.is_this for one in found] == [True, False]
        assert [one.last_seen_at for one in found] == [MONDAY, clock()]
        assert {one.address_prefix for one in found} == {"203.0.113.0/24"}
        assert {one.device.browser for one in found} == {Browser.FIREFOX}

    def test_one_is_ended_and_audited(self, session):
        this, lost = open_for(session, ZHOU).token, open_for(session, ZHOU).token
        session.flush()
        [number] = [one.id for one in sessions.mine(session, ZHOU, this) if not one.is_this]
        sessions.end_one(session, ZHOU, number)

        assert resumed(session, lost) is None
        assert resumed(session, this) is not None
        event = session.scalars(select(AuditEvent)).one()
        assert (event.action, event.subject_id) == ("end_session", number)

    def test_somebody_elses_is_not_there(self, session):
        theirs = open_for(session, ZHOU).token
        session.flush()
        number = session.scalars(select(SignInSession.id)).one()

        with pytest.raises(NotFound, match="session_not_found"):
            sessions.end_one(session, STRANGER, number)
        assert resumed(session, theirs) is not None

    def test_all_others_are_ended(self, session):
        others = [open_for(session, ZHOU).token for _ in range(2)]
        this, strangers = open_for(session, ZHOU).token, open_for(session, STRANGER).token
        sessions.end_others(session, ZHOU, this)

        assert [resumed(session, token) for token in others] == [None, None]
        assert resumed(session, this) is not None
        assert resumed(session, strangers) is not None


class TestStaffSessions:
    def test_end_after_a_day_however_often_they_were_used(self, session, clock):
        token = open_for(session, DESK).token
        for _ in range(3):
            clock.move(hours=8)
            sessions.keep_alive(session, token)

        assert resumed(session, token) is None

    def test_end_when_idle_for_half_a_day(self, session, clock):
        token = open_for(session, OPERATOR).token
        clock.move(hours=12, seconds=-1)
        assert resumed(session, token) is not None
        clock.move(seconds=1)

        assert resumed(session, token) is None

    def test_an_old_session_takes_up_no_staff_role(self, session, clock):
        session.add(
            AccountRole(created_at=clock(), account_id=ZHOU.id, role=Role.DESK, city_code=NANTONG)
        )
        token = open_for(session, ZHOU).token
        clock.move(hours=24)

        with pytest.raises(Conflict, match="session_too_old"):
            sessions.switch_role(session, ZHOU, token, Role.DESK)
        assert resumed(session, token).actor == ZHOU


class TestFixation:
    def test_every_sign_in_gets_a_fresh_token_and_leaves_the_old_one_what_it_was(self, session):
        planted = open_for(session, STRANGER)
        tokens = {open_for(session, ZHOU).token for _ in range(3)}

        assert len(tokens | {planted.token}) == 4
        assert resumed(session, planted.token).actor == STRANGER

    def test_a_token_chosen_by_somebody_else_is_never_taken_over(self, session):
        chosen = "a token of my own choosing"
        open_for(session, ZHOU)

        assert resumed(session, chosen) is None
        assert sessions.take_ticket(session, chosen) is None

    def test_a_renewed_session_has_another_token_the_same_role_and_factor(self, session, clock):
        old = open_for(session, OPERATOR).token
        sessions.pass_factor(session, old)
        clock.move(minutes=1)
        new = sessions.renew(session, OPERATOR, old, BROWSER).token
        session.flush()

        assert new != old
        rows = session.scalars(select(SignInSession).order_by(SignInSession.id)).all()
        assert [row.second_factor_at for row in rows] == [MONDAY, MONDAY]
        assert resumed(session, new).actor == OPERATOR


class TestDemo:
    def test_is_missing_until_it_is_staged(self, session):
        with pytest.raises(Conflict, match="demo_missing"):
            sessions.open_demo(session, Role.CUSTOMER, BROWSER)

    def test_does_not_exist_in_production(self, session, monkeypatch):
        monkeypatch.setenv("CAREPILOT_MODE", "production")

        with pytest.raises(NotAllowed):
            sessions.open_demo(session, Role.CUSTOMER, BROWSER)


def test_pruning_deletes_only_what_nobody_can_use_any_more(session, clock):
    old = open_for(session, ZHOU).token
    attempts.begin(session, phone_of(ZHOU), BROWSER)
    clock.move(days=20)
    new = open_for(session, ZHOU)
    session.flush()

    assert sessions.prune(session, clock.moment - timedelta(days=1)) == 3
    assert resumed(session, old) is None
    assert resumed(session, new.token) is not None
    assert len(session.scalars(select(SignInTicket)).all()) == 1

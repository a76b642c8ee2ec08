"""Operators' second factor: set up, asked for, guessed at, replayed, lost and reset."""

import pytest
from pyotp.totp import TOTP
from sqlalchemy import select

from data.accounts import AccountRole
from data.history import AuditEvent
from data.notices import NoticeKind, OutboxMessage
from data.sessions import SecondFactor
from services import clock as service_clock
from services import second_factors, sessions, staff
from services.access import SYSTEM, Actor, Permission, Role
from services.errors import Conflict, NotAllowed, NotFound
from services.sessions import Awaited
from tests.factories import BROWSER, DESK, FAR_OPERATOR, LI, LUZHOU, NANTONG, OPERATOR, ZHOU

WRONG = "factor_wrong"


def code(secret, steps=0):
    """What the app shows now, or some steps away."""
    return TOTP(secret).at(int(service_clock.now().timestamp()) + 30 * steps)


def sign_in(session, actor=OPERATOR):
    token = sessions.open_session(session, actor.id, BROWSER, role=Role.OPERATOR).token
    session.flush()
    return token


def set_up(session, actor=OPERATOR):
    """A confirmed factor: its secret and the recovery codes."""
    secret = second_factors.begin(session, actor).text
    codes = second_factors.confirm(session, actor, sign_in(session, actor), code(secret))
    session.flush()
    return secret, codes


def resumed(session, token):
    session.flush()
    return sessions.resume(session, token)


def tried(session, token, typed):
    """The refusal of a code at the door; None when it opened."""
    refusal = second_factors.pass_door(session, token, typed)
    return refusal.key.removeprefix("error.") if refusal else None


def second_operator(session, city=NANTONG):
    session.add(
        AccountRole(
            created_at=service_clock.now(), account_id=DESK.id, role=Role.OPERATOR, city_code=city
        )
    )
    session.flush()
    return Actor(DESK.id, Role.OPERATOR, frozenset({city}))


class TestSettingUp:
    def test_the_secret_is_sealed_and_counts_only_once_confirmed(self, session):
        secret = second_factors.begin(session, OPERATOR)
        row = session.get_one(SecondFactor, OPERATOR.id)

        assert secret.text.encode() not in row.secret_sealed
        assert secret.address.startswith("otpauth://totp/CarePilot:138")
        assert "13800000007" not in secret.address
        assert resumed(session, sign_in(session)).awaits_factor is None
        assert not second_factors.standing(session, OPERATOR).confirmed

    def test_confirming_gives_eight_codes_that_are_not_stored_and_is_audited(self, session):
        _, codes = set_up(session)
        row = session.get_one(SecondFactor, OPERATOR.id)

        assert len(set(codes)) == len(row.recovery_hashes) == 8
        assert not set(codes) & set(row.recovery_hashes)
        assert second_factors.standing(session, OPERATOR).recovery_left == 8
        event = session.scalars(select(AuditEvent)).one()
        assert (event.action, event.actor_id) == ("set_up_second_factor", OPERATOR.id)

    def test_the_session_that_confirmed_goes_on_and_others_are_asked(self, session):
        other = sign_in(session)
        secret = second_factors.begin(session, OPERATOR).text
        this = sign_in(session)
        second_factors.confirm(session, OPERATOR, this, code(secret))

        assert resumed(session, this).actor == OPERATOR
        assert resumed(session, other).awaits_factor is Awaited.CODE

    def test_a_wrong_code_confirms_nothing(self, session):
        second_factors.begin(session, OPERATOR)

        refusal = second_factors.confirm(session, OPERATOR, sign_in(session), "000000")
        assert refusal.key == "error.factor_wrong"
        assert session.get_one(SecondFactor, OPERATOR.id).confirmed_at is None

    def test_one_that_stands_is_not_replaced(self, session):
        set_up(session)

        with pytest.raises(Conflict, match="factor_set_up"):
            second_factors.begin(session, OPERATOR)

    @pytest.mark.parametrize("actor", [ZHOU, LI, DESK])
    def test_it_is_for_operators(self, session, actor):
        with pytest.raises(NotAllowed, match="factor_for_operators"):
            second_factors.begin(session, actor)


class TestTheDoor:
    def test_until_the_code_comes_the_person_is_known_but_may_do_nothing(self, session):
        set_up(session)
        visitor = resumed(session, sign_in(session))

        assert visitor.awaits_factor is Awaited.CODE
        assert (visitor.actor.id, visitor.actor.role) == (OPERATOR.id, None)
        assert visitor.actor.cities == frozenset()
        assert not [one for one in Permission if visitor.actor.may(one)]
        assert SYSTEM.may(Permission.RUN_JOBS)
        with pytest.raises(NotAllowed):
            staff.listing(session, visitor.actor)

    def test_the_right_code_opens_it(self, session, clock):
        secret, _ = set_up(session)
        token = sign_in(session)
        clock.move(seconds=30)

        assert tried(session, token, f" {code(secret)[:3]} {code(secret)[3:]} ") is None
        assert resumed(session, token).actor == OPERATOR

    def test_a_code_opens_it_once(self, session, clock):
        secret, _ = set_up(session)
        first, second = sign_in(session), sign_in(session)
        clock.move(seconds=30)
        shown = code(secret)

        assert tried(session, first, shown) is None
        assert tried(session, second, shown) == WRONG
        assert tried(session, second, code(secret, -1)) == WRONG
        assert resumed(session, second).awaits_factor is Awaited.CODE

    @pytest.mark.parametrize(("steps", "fits"), [(-2, False), (-1, True), (1, True), (2, False)])
    def test_clocks_may_differ_by_half_a_minute(self, session, clock, steps, fits):
        secret, _ = set_up(session)
        token = sign_in(session)
        clock.move(minutes=5)

        assert (tried(session, token, code(secret, steps)) is None) == fits

    def test_a_recovery_code_opens_it_once(self, session):
        _, codes = set_up(session)
        token = sign_in(session)

        assert tried(session, token, codes[0].lower()) is None
        assert tried(session, sign_in(session), codes[0]) == WRONG
        assert second_factors.standing(session, OPERATOR).recovery_left == 7

    def test_five_wrong_codes_lock_it_for_a_quarter_of_an_hour(self, session, clock):
        secret, codes = set_up(session)
        token = sign_in(session)
        clock.move(seconds=30)
        for typed in ("000000", "", "😀", "<b>", codes[0][:-1]):
            assert tried(session, token, typed) == WRONG

        assert tried(session, token, code(secret)) == "try_in_minutes"
        assert tried(session, token, codes[0]) == "try_in_minutes"
        clock.move(minutes=15)
        assert tried(session, token, code(secret)) is None

    def test_one_persons_codes_open_nobody_elses_door(self, session, clock):
        other = second_operator(session)
        set_up(session)
        secret, codes = set_up(session, other)
        clock.move(seconds=30)
        token = sign_in(session)

        assert tried(session, token, code(secret)) == WRONG
        assert tried(session, token, codes[0]) == WRONG

    def test_it_cannot_be_gone_round_by_setting_up_another(self, session):
        set_up(session)
        token = sign_in(session)

        for detour in (
            lambda: second_factors.begin_at_door(session, token),
            lambda: second_factors.confirm_at_door(session, token, "000000"),
            lambda: second_factors.begin(session, resumed(session, token).actor),
            lambda: second_factors.disable(session, resumed(session, token).actor, "000000"),
            lambda: sessions.switch_role(
                session, resumed(session, token).actor, token, Role.OPERATOR
            ),
        ):
            with pytest.raises(NotAllowed):
                detour()

    def test_other_roles_of_the_same_person_stand_open(self, session):
        other = second_operator(session)
        set_up(session, other)
        as_desk = sessions.open_session(session, DESK.id, BROWSER, role=Role.DESK).token
        assert resumed(session, as_desk).actor == DESK
        sessions.switch_role(session, DESK, as_desk, Role.OPERATOR)

        assert resumed(session, as_desk).awaits_factor is Awaited.CODE

    def test_where_it_is_required_it_is_set_up_first(self, session, monkeypatch):
        monkeypatch.setenv("CAREPILOT_OPERATOR_TOTP", "required")
        token = sign_in(session)
        assert resumed(session, token).awaits_factor is Awaited.SET_UP
        secret = second_factors.begin_at_door(session, token).text

        assert len(second_factors.confirm_at_door(session, token, code(secret))) == 8
        assert resumed(session, token).actor == OPERATOR
        assert resumed(session, sign_in(session)).awaits_factor is Awaited.CODE

    def test_nobody_without_a_session_stands_at_it(self, session):
        for token in ("made up", sessions.open_session(session, ZHOU.id, BROWSER).token):
            with pytest.raises(NotAllowed):
                second_factors.begin_at_door(session, token)


class TestTakingItOff:
    def test_takes_a_code_and_is_audited(self, session, clock):
        secret, _ = set_up(session)
        assert second_factors.disable(session, OPERATOR, "000000").key == "error.factor_wrong"
        clock.move(seconds=30)

        assert second_factors.disable(session, OPERATOR, code(secret)) is None
        assert session.get(SecondFactor, OPERATOR.id) is None
        assert "disable_second_factor" in session.scalars(select(AuditEvent.action)).all()

    def test_what_it_confirmed_does_not_outlive_it(self, session, clock):
        secret, _ = set_up(session)
        token = sign_in(session)
        clock.move(seconds=30)
        tried(session, token, code(secret))
        clock.move(seconds=30)
        second_factors.disable(session, OPERATOR, code(secret))
        session.flush()
        set_up(session)

        assert resumed(session, token).awaits_factor is Awaited.CODE


class TestResetting:
    def test_another_operator_of_the_city_takes_a_lost_one_off(self, session):
        other = second_operator(session)
        set_up(session, other)
        token = sign_in(session, other)
        staff.reset_factor(session, OPERATOR, DESK.id)
        session.flush()

        assert session.get(SecondFactor, DESK.id) is None
        assert sessions.resume(session, token) is None
        told = session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)).all()
        assert [(one.kind, one.account_id) for one in told] == [
            (NoticeKind.SECOND_FACTOR_ADDED, DESK.id),
            (NoticeKind.SECOND_FACTOR_RESET, DESK.id),
        ]
        event = session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
        assert (event.action, event.actor_id, event.subject_id) == (
            "reset_second_factor",
            OPERATOR.id,
            DESK.id,
        )
        assert not [one for one in staff.listing(session, OPERATOR) if one.has_factor]

    def test_nobody_resets_their_own(self, session):
        set_up(session)

        with pytest.raises(NotAllowed, match="own_factor"):
            staff.reset_factor(session, OPERATOR, OPERATOR.id)

    def test_another_citys_operator_is_not_there(self, session):
        set_up(session, second_operator(session, LUZHOU))
        set_up(session)

        with pytest.raises(NotFound, match="staff_not_found"):
            staff.reset_factor(session, FAR_OPERATOR, OPERATOR.id)

    def test_where_there_is_none_it_is_refused(self, session):
        with pytest.raises(Conflict, match="no_factor"):
            staff.reset_factor(session, OPERATOR, DESK.id)

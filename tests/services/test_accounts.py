import pytest
from pyotp.totp import TOTP
from sqlalchemy import select

from data.accounts import Account, AccountStatus
from data.history import AuditEvent
from data.notices import NoticeKind, OutboxMessage, OutboxStatus
from data.policies import Policy
from data.sessions import CodePurpose, OneTimeCode
from services import accounts, consents, notices, second_factors, sessions
from services.access import Role
from services.errors import Conflict, Invalid, NotAllowed
from services.passwords import NewPassword
from tests.factories import (
    BROWSER,
    CHONGCHUAN,
    JIANGYANG,
    LI,
    NANTONG,
    NASTY,
    OPERATOR,
    ZHOU,
    phone_of,
)

NEW_PHONE = "137 0000 0000"
WRONG = "not it"
PASSWORD = NewPassword("a bcrypt hash", "what was typed")


def new_code(session, phone=NEW_PHONE, purpose=CodePurpose.SIGN_UP):
    """Ask for a code and read it in the demo's console inbox."""
    accounts.request_code(session, phone, purpose)
    session.flush()
    notices.deliver(session)
    session.flush()
    return accounts.console_inbox(session, phone)


def form(code="", **changes):
    values = {"name": "新客", "phone": NEW_PHONE, "role": Role.CUSTOMER, "agreed": True}
    return accounts.SignUp(code=code, **(values | changes))


def sign_up(session, code, **changes):
    return accounts.sign_up(session, form(code, **changes), PASSWORD, BROWSER)


def reset(session, code, phone=None):
    return accounts.reset_password(session, phone or phone_of(ZHOU), code, PASSWORD, BROWSER)


class TestCode:
    def test_is_six_digits_and_reaches_the_phone(self, session):
        code = new_code(session)

        assert len(code) == 6
        assert code.isdigit()

    def test_waits_sealed_and_is_wiped_when_delivered(self, session):
        accounts.request_code(session, NEW_PHONE, CodePurpose.SIGN_UP)
        session.flush()
        message = session.scalars(select(OutboxMessage)).one()
        code = message.body

        assert code.encode() not in message.body_sealed
        notices.deliver(session)
        assert (message.phone, message.body) == ("", "")

    def test_is_not_stored(self, session):
        code = new_code(session)

        assert code not in vars(session.scalars(select(OneTimeCode)).one()).values()

    def test_a_second_one_waits_a_minute(self, session, clock):
        new_code(session)
        with pytest.raises(Conflict, match="code_too_soon"):
            new_code(session)
        clock.move(minutes=1)

        assert new_code(session)

    def test_at_most_five_an_hour(self, session, clock):
        for _ in range(5):
            new_code(session)
            clock.move(minutes=2)

        with pytest.raises(Conflict, match="code_too_many"):
            new_code(session)

    def test_a_phone_that_is_none_is_refused(self, session):
        for phone in ("", "12345", "not a phone", "+86 138"):
            with pytest.raises(Invalid, match="phone_invalid"):
                new_code(session, phone)

    def test_without_a_gateway_none_is_sent(self, session, monkeypatch):
        monkeypatch.setenv("CAREPILOT_MODE", "production")

        with pytest.raises(Conflict, match="no_text_gateway"):
            new_code(session)

    def test_the_console_inbox_does_not_exist_in_production(self, session, monkeypatch):
        new_code(session)
        monkeypatch.setenv("CAREPILOT_MODE", "production")

        assert accounts.console_inbox(session, NEW_PHONE) is None


class TestSignUp:
    def test_opens_a_session_of_the_new_account(self, session):
        opened = sign_up(session, new_code(session))
        session.flush()

        visitor = sessions.resume(session, opened.token)
        assert (visitor.name, visitor.roles) == ("新客", (Role.CUSTOMER,))

    def test_a_wrong_code_is_returned_so_that_the_try_stays_counted(self, session):
        new_code(session)

        assert sign_up(session, WRONG).key == "error.code_wrong"
        assert session.scalars(select(OneTimeCode)).one().wrong_tries == 1

    def test_five_wrong_codes_make_the_right_one_worthless(self, session, clock):
        code = new_code(session)
        for _ in range(5):
            sign_up(session, WRONG)
            clock.move(seconds=10)

        assert sign_up(session, code).key == "error.code_expired"

    def test_a_code_is_good_for_ten_minutes(self, session, clock):
        code = new_code(session)
        clock.move(minutes=10)

        assert sign_up(session, code).key == "error.code_expired"

    def test_a_newer_code_replaces_the_older(self, session, clock):
        old = new_code(session)
        clock.move(minutes=2)
        new = new_code(session)
        assert old != new, "one in a million"

        assert sign_up(session, old).key == "error.code_wrong"
        assert isinstance(sign_up(session, new), sessions.Opened)

    def test_a_code_works_once(self, session):
        code = new_code(session)
        sign_up(session, code)

        assert sign_up(session, code).key == "error.code_expired"

    def test_a_code_for_signing_in_does_not_sign_up(self, session):
        code = new_code(session, purpose=CodePurpose.SIGN_IN)

        assert sign_up(session, code).key == "error.code_expired"

    def test_a_code_for_another_phone_does_not_sign_up(self, session):
        new_code(session)
        code = new_code(session, "13700000001")

        assert sign_up(session, code).key == "error.code_wrong"

    def test_never_attaches_to_an_existing_phone(self, session):
        code = new_code(session, phone_of(ZHOU))

        with pytest.raises(Conflict, match="phone_taken"):
            sign_up(session, code, phone="13800000001")

    def test_what_was_agreed_to_is_kept(self, session):
        sign_up(session, new_code(session))
        account = session.scalars(select(Account).order_by(Account.id.desc())).first()

        assert consents.given(session, account.id, Policy.AGREEMENT)
        assert consents.given(session, account.id, Policy.PRIVACY)
        assert not consents.given(session, account.id, Policy.SENSITIVE_DATA)

    def test_a_password_of_name_and_phone_is_refused(self, session):
        code = new_code(session)
        personal = NewPassword("hash", "新客13700000000")

        with pytest.raises(Invalid, match="password_personal"):
            accounts.sign_up(session, form(code), personal, BROWSER)

    def test_nobody_signs_up_as_staff(self, session):
        code = new_code(session)

        for role in (Role.DESK, Role.OPERATOR, Role.ANALYST):
            with pytest.raises(NotAllowed):
                sign_up(session, code, role=role)

    @pytest.mark.parametrize(
        ("changes", "key"),
        [
            ({"agreed": False}, "not_agreed"),
            ({"name": " \u0000 "}, "missing"),
            ({"name": "长" * 41}, "too_long"),
            ({"phone": "12"}, "phone_invalid"),
        ],
    )
    def test_bad_input_is_refused(self, session, changes, key):
        code = new_code(session)

        with pytest.raises(Invalid, match=key):
            sign_up(session, code, **changes)


class TestSignInByCode:
    def test_opens_a_session_for_whoever_holds_the_phone(self, session):
        code = new_code(session, phone_of(ZHOU), CodePurpose.SIGN_IN)
        opened = accounts.sign_in_by_code(session, "13800000001", f" {code} ", BROWSER)
        session.flush()

        assert sessions.resume(session, opened.token).actor == ZHOU

    def test_a_wrong_code_does_not(self, session):
        new_code(session, phone_of(ZHOU), CodePurpose.SIGN_IN)

        refusal = accounts.sign_in_by_code(session, phone_of(ZHOU), WRONG, BROWSER)
        assert refusal.key == "error.code_wrong"

    def test_an_unknown_phone_gets_the_same_answers_and_no_code(self, session, clock):
        assert new_code(session, purpose=CodePurpose.SIGN_IN) is None
        unsent = session.scalars(select(OutboxMessage)).one()
        assert (unsent.status, unsent.phone, unsent.body) == (OutboxStatus.CANCELLED, "", "")
        refusal = accounts.sign_in_by_code(session, NEW_PHONE, WRONG, BROWSER)
        assert refusal.key == "error.code_wrong"
        with pytest.raises(Conflict, match="code_too_soon"):
            new_code(session, purpose=CodePurpose.SIGN_IN)
        clock.move(minutes=10)
        refusal = accounts.sign_in_by_code(session, NEW_PHONE, WRONG, BROWSER)
        assert refusal.key == "error.code_expired"

    def test_even_a_guessed_code_of_an_unknown_phone_opens_nothing(self, session, monkeypatch):
        monkeypatch.setattr(accounts.secrets, "randbelow", lambda _: 7)
        accounts.request_code(session, NEW_PHONE, CodePurpose.SIGN_IN)
        session.flush()

        refusal = accounts.sign_in_by_code(session, NEW_PHONE, "000007", BROWSER)
        assert refusal.key == "error.code_wrong"


class TestResettingAPassword:
    def test_sets_it_ends_every_session_and_opens_a_new_one(self, session):
        old = sessions.open_session(session, ZHOU.id, BROWSER).token
        opened = reset(session, new_code(session, phone_of(ZHOU), CodePurpose.RESET))
        session.flush()

        assert sessions.resume(session, old) is None
        assert sessions.resume(session, opened.token).actor == ZHOU
        assert session.get_one(Account, ZHOU.id).password_hash == PASSWORD.hash
        event = session.scalars(select(AuditEvent)).one()
        assert (event.action, event.actor_id) == ("reset_password", ZHOU.id)

    def test_needs_a_code_for_just_that(self, session):
        code = new_code(session, phone_of(ZHOU), CodePurpose.SIGN_IN)

        assert reset(session, code).key == "error.code_expired"
        assert session.get_one(Account, ZHOU.id).password_hash is None

    def test_of_an_unknown_phone_is_refused_like_a_wrong_code(self, session):
        assert new_code(session, purpose=CodePurpose.RESET) is None

        assert reset(session, WRONG, NEW_PHONE).key == "error.code_wrong"

    def test_of_a_suspended_account_changes_nothing(self, session):
        code = new_code(session, phone_of(ZHOU), CodePurpose.RESET)
        session.get_one(Account, ZHOU.id).status = AccountStatus.SUSPENDED
        session.flush()

        with pytest.raises(NotAllowed, match="account_suspended"):
            reset(session, code)


class TestTellingTheOwner:
    """Whoever changes how one signs in, the owner reads of it, each time."""

    def inbox(self, session, actor):
        session.flush()
        notices.deliver(session)
        session.flush()
        return [one.kind for one in reversed(notices.inbox(session, actor))]

    def test_every_new_password_is_told(self, session, clock):
        accounts.change_password(session, ZHOU, PASSWORD)
        clock.move(minutes=1)
        accounts.change_password(session, ZHOU, PASSWORD)
        clock.move(minutes=1)
        reset(session, new_code(session, phone_of(ZHOU), CodePurpose.RESET))

        changed, set_anew = NoticeKind.PASSWORD_CHANGED, NoticeKind.PASSWORD_RESET
        assert self.inbox(session, ZHOU) == [changed, changed, set_anew]
        assert self.inbox(session, LI) == []

    def test_a_try_that_failed_is_not(self, session):
        reset(session, WRONG)

        assert self.inbox(session, ZHOU) == []

    def test_a_factor_put_on_and_taken_off_is_told(self, session, clock):
        def shown(secret):
            return TOTP(secret).at(clock())

        token = sessions.open_session(session, OPERATOR.id, BROWSER).token
        secret = second_factors.begin(session, OPERATOR).text
        assert self.inbox(session, OPERATOR) == []
        second_factors.confirm(session, OPERATOR, token, shown(secret))
        clock.move(minutes=1)
        second_factors.disable(session, OPERATOR, shown(secret))

        assert self.inbox(session, OPERATOR) == [
            NoticeKind.SECOND_FACTOR_ADDED,
            NoticeKind.SECOND_FACTOR_REMOVED,
        ]


class TestOwnAccount:
    def test_shows_the_phone_masked(self, session):
        view = accounts.view(session, ZHOU)

        assert (view.name, view.masked_phone) == ("周晓燕", "138****0001")
        assert not view.has_password

    def test_a_name_is_kept_as_typed(self, session):
        name = NASTY[:40].strip()
        accounts.rename(session, ZHOU, name)

        assert accounts.view(session, ZHOU).name == name

    @pytest.mark.parametrize(("name", "key"), [("", "missing"), ("长" * 41, "too_long")])
    def test_a_bad_name_is_refused(self, session, name, key):
        with pytest.raises(Invalid, match=key):
            accounts.rename(session, ZHOU, name)

    def test_a_new_password_ends_every_session_and_is_audited(self, session):
        token = sessions.open_session(session, ZHOU.id, BROWSER).token
        accounts.change_password(session, ZHOU, PASSWORD)
        session.flush()

        assert sessions.resume(session, token) is None
        assert accounts.view(session, ZHOU).has_password
        done = session.scalars(select(AuditEvent.action)).all()
        assert set(done) == {"change_password", "end_sessions"}

    def test_a_region_is_remembered(self, session):
        accounts.choose_region(session, ZHOU, NANTONG, CHONGCHUAN)

        view = accounts.view(session, ZHOU)
        assert (view.city_code, view.district_code) == (NANTONG, CHONGCHUAN)
        event = session.scalars(select(AuditEvent)).one()
        assert (event.action, event.detail) == (
            "choose_region",
            {"before": None, "after": NANTONG},
        )

    def test_a_district_of_another_city_is_refused(self, session):
        with pytest.raises(Invalid, match="district_of_another_city"):
            accounts.choose_region(session, ZHOU, NANTONG, JIANGYANG)

    @pytest.mark.parametrize("city", ["110100", "no city at all"])
    def test_a_city_that_is_not_open_is_refused(self, session, city):
        with pytest.raises(Conflict, match="city_not_open"):
            accounts.choose_region(session, ZHOU, city, None)


class TestTakingUpARole:
    def test_adds_it_and_is_audited(self, session):
        accounts.take_up_role(session, ZHOU, Role.CAREGIVER)

        assert accounts.view(session, ZHOU).roles == (Role.CUSTOMER, Role.CAREGIVER)
        event = session.scalars(select(AuditEvent)).one()
        assert (event.action, event.detail) == ("take_up_role", {"role": "caregiver"})

    def test_a_role_one_holds_is_refused(self, session):
        with pytest.raises(Conflict, match="role_held"):
            accounts.take_up_role(session, LI, Role.CAREGIVER)

    def test_nobody_takes_up_a_staff_role(self, session):
        for actor in (ZHOU, OPERATOR):
            with pytest.raises(NotAllowed):
                accounts.take_up_role(session, actor, Role.ANALYST)

import pytest
from sqlalchemy import select

from data.accounts import Account, AccountRole, AccountStatus
from data.history import AuditEvent
from data.notices import NoticeKind, OutboxMessage
from data.sessions import CodePurpose
from services import accounts, notices, sessions, staff
from services.access import Actor, Role
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.phones import masked
from services.staff import Grant
from tests.factories import (
    ANALYST,
    BROWSER,
    DESK,
    FAR_OPERATOR,
    LI,
    LUZHOU,
    NANTONG,
    NASTY,
    NOBODY_ID,
    OPERATOR,
    STRANGER,
    ZHOU,
    phone_of,
)

NEW_PHONE = "+8613912345678"


def invite(session, role=Role.DESK, city=NANTONG, name="新同事", phone="139 1234 5678"):
    return staff.invite(session, OPERATOR, name, phone, role, city)


def roles_of(session, account_id):
    held = select(AccountRole).where(AccountRole.account_id == account_id).order_by(AccountRole.id)
    return [(row.role, row.city_code) for row in session.scalars(held)]


def actions(session):
    session.flush()
    return list(session.scalars(select(AuditEvent.action)))


class TestListing:
    def test_shows_who_works_in_the_city_with_roles_and_last_sign_in(self, session, clock):
        sessions.open_session(session, DESK.id, BROWSER)
        members = {member.id: member for member in staff.listing(session, OPERATOR)}

        assert set(members) == {DESK.id, OPERATOR.id, ANALYST.id}
        desk = members[DESK.id]
        assert desk.grants == (Grant(Role.DESK, NANTONG),)
        assert (desk.masked_phone, desk.last_seen_at) == (masked(phone_of(DESK)), clock())
        assert members[ANALYST.id].last_seen_at is None
        assert [m.id for m in members.values() if m.is_me] == [OPERATOR.id]

    def test_roles_in_other_cities_are_not_told(self, session, clock):
        session.add(
            AccountRole(
                created_at=clock(), account_id=FAR_OPERATOR.id, role=Role.DESK, city_code=NANTONG
            )
        )
        session.flush()
        [far] = [m for m in staff.listing(session, OPERATOR) if m.id == FAR_OPERATOR.id]

        assert far.grants == (Grant(Role.DESK, NANTONG),)

    def test_another_citys_operator_sees_their_own(self, session):
        assert [member.id for member in staff.listing(session, FAR_OPERATOR)] == [FAR_OPERATOR.id]


class TestInviting:
    def test_a_new_phone_gets_an_account_opened_by_a_code(self, session):
        account_id = invite(session)
        account = session.get_one(Account, account_id)

        assert (account.name, account.phone, account.password_hash) == ("新同事", NEW_PHONE, None)
        assert roles_of(session, account_id) == [(Role.DESK, NANTONG)]
        assert actions(session) == ["staff_invite"]
        accounts.request_code(session, NEW_PHONE, CodePurpose.SIGN_IN)
        notices.deliver(session)
        code = accounts.console_inbox(session, NEW_PHONE)
        opened = accounts.sign_in_by_code(session, NEW_PHONE, code, BROWSER)
        visitor = sessions.resume(session, opened.token)
        assert (visitor.actor.role, visitor.actor.cities) == (Role.DESK, {NANTONG})

    def test_a_known_phone_keeps_its_account_and_is_told(self, session):
        account_id = invite(session, name="别的名字", phone=phone_of(ZHOU))
        session.flush()

        assert account_id == ZHOU.id
        assert session.get_one(Account, ZHOU.id).name == "周晓燕"
        assert roles_of(session, ZHOU.id) == [(Role.CUSTOMER, ""), (Role.DESK, NANTONG)]
        told = session.scalars(select(OutboxMessage)).one()
        assert (told.kind, told.account_id) == (NoticeKind.ROLE_GRANTED, ZHOU.id)
        assert actions(session) == ["staff_give_role"]

    def test_a_name_is_kept_as_typed(self, session):
        account_id = invite(session, name=NASTY[:40])

        assert session.get_one(Account, account_id).name == NASTY[:40].strip()

    @pytest.mark.parametrize(
        ("changes", "key"),
        [
            ({"name": " "}, "missing"),
            ({"name": "长" * 41}, "too_long"),
            ({"phone": ""}, "phone_invalid"),
            ({"phone": "😀"}, "phone_invalid"),
        ],
    )
    def test_bad_input_is_refused(self, session, changes, key):
        with pytest.raises(Invalid, match=key):
            invite(session, **changes)

    @pytest.mark.parametrize("role", [Role.CUSTOMER, Role.CAREGIVER])
    def test_only_staff_roles(self, session, role):
        with pytest.raises(NotAllowed, match="not_staff_role"):
            invite(session, role)

    def test_only_for_ones_own_cities(self, session):
        with pytest.raises(NotAllowed, match="not_your_city"):
            invite(session, city=LUZHOU)

    def test_a_role_held_already_is_refused(self, session):
        with pytest.raises(Conflict, match="staff_role_held"):
            invite(session, phone=phone_of(DESK))

    def test_nobody_invites_themselves(self, session):
        with pytest.raises(NotAllowed, match="own_roles"):
            invite(session, phone=phone_of(OPERATOR))

    @pytest.mark.parametrize("status", [AccountStatus.SUSPENDED, AccountStatus.MERGED])
    def test_a_closed_account_gets_no_role(self, session, status):
        session.get_one(Account, STRANGER.id).status = status
        session.flush()

        with pytest.raises(Conflict, match="account_not_active"):
            invite(session, phone=phone_of(STRANGER))


class TestGiving:
    def test_one_who_works_here_gets_another_role(self, session):
        staff.give(session, OPERATOR, DESK.id, Role.ANALYST, NANTONG)
        session.flush()

        assert roles_of(session, DESK.id) == [(Role.DESK, NANTONG), (Role.ANALYST, NANTONG)]
        assert actions(session) == ["staff_give_role"]
        assert session.scalars(select(OutboxMessage.account_id)).all() == [DESK.id]

    @pytest.mark.parametrize("account_id", [ZHOU.id, LI.id, FAR_OPERATOR.id, NOBODY_ID])
    def test_others_are_not_there(self, session, account_id):
        with pytest.raises(NotFound, match="staff_not_found"):
            staff.give(session, OPERATOR, account_id, Role.DESK, NANTONG)

    def test_nobody_gives_themselves_a_role(self, session):
        with pytest.raises(NotAllowed, match="own_roles"):
            staff.give(session, OPERATOR, OPERATOR.id, Role.ANALYST, NANTONG)

    @pytest.mark.parametrize(
        ("role", "city", "key"),
        [
            (Role.CUSTOMER, NANTONG, "not_staff_role"),
            (Role.CAREGIVER, "", "not_staff_role"),
            (Role.ANALYST, LUZHOU, "not_your_city"),
            (Role.ANALYST, "", "not_your_city"),
        ],
    )
    def test_only_staff_roles_of_ones_own_cities(self, session, role, city, key):
        with pytest.raises(NotAllowed, match=key):
            staff.give(session, OPERATOR, DESK.id, role, city)

    def test_a_role_held_already_is_refused(self, session):
        with pytest.raises(Conflict, match="staff_role_held"):
            staff.give(session, OPERATOR, DESK.id, Role.DESK, NANTONG)

    @pytest.mark.parametrize("status", [AccountStatus.SUSPENDED, AccountStatus.MERGED])
    def test_a_closed_account_gets_none(self, session, status):
        session.get_one(Account, DESK.id).status = status
        session.flush()

        with pytest.raises(Conflict, match="account_not_active"):
            staff.give(session, OPERATOR, DESK.id, Role.ANALYST, NANTONG)


class TestTaking:
    def take(self, session, member, role, city=NANTONG, actor=OPERATOR):
        staff.take_away(session, actor, member.id, role, city)
        session.flush()

    def test_ends_at_the_next_click(self, session):
        token = sessions.open_session(session, DESK.id, BROWSER).token
        self.take(session, DESK, Role.DESK)

        assert sessions.resume(session, token) is None
        assert actions(session) == ["staff_take_role"]

    def test_who_holds_no_role_any_more_is_told_so_at_sign_in(self, session):
        self.take(session, DESK, Role.DESK)

        with pytest.raises(NotAllowed, match="no_role_left"):
            sessions.open_session(session, DESK.id, BROWSER)

    def test_the_citys_last_operator_stays(self, session):
        departed = Actor(DESK.id, Role.OPERATOR, frozenset({NANTONG}))

        with pytest.raises(Conflict, match="last_operator"):
            self.take(session, OPERATOR, Role.OPERATOR, actor=departed)

    def test_a_suspended_operator_does_not_count_as_one_who_stays(self, session):
        staff.give(session, OPERATOR, DESK.id, Role.OPERATOR, NANTONG)
        session.get_one(Account, DESK.id).status = AccountStatus.SUSPENDED
        session.flush()
        departed = Actor(ANALYST.id, Role.OPERATOR, frozenset({NANTONG}))

        with pytest.raises(Conflict, match="last_operator"):
            self.take(session, OPERATOR, Role.OPERATOR, actor=departed)

    def test_one_of_two_operators_can_go(self, session):
        staff.give(session, OPERATOR, DESK.id, Role.OPERATOR, NANTONG)
        session.flush()
        self.take(session, DESK, Role.OPERATOR)

        assert roles_of(session, DESK.id) == [(Role.DESK, NANTONG)]

    def test_nobody_takes_their_own(self, session):
        with pytest.raises(NotAllowed, match="own_roles"):
            self.take(session, OPERATOR, Role.OPERATOR)

    def test_a_role_not_held_is_refused(self, session):
        with pytest.raises(Conflict, match="staff_role_gone"):
            self.take(session, DESK, Role.ANALYST)

    @pytest.mark.parametrize(
        ("role", "city", "key"),
        [
            (Role.CUSTOMER, NANTONG, "not_staff_role"),
            (Role.OPERATOR, LUZHOU, "not_your_city"),
        ],
    )
    def test_only_staff_roles_of_ones_own_cities(self, session, role, city, key):
        with pytest.raises(NotAllowed, match=key):
            self.take(session, FAR_OPERATOR, role, city)

    def test_another_citys_staff_are_not_there(self, session):
        with pytest.raises(NotFound, match="staff_not_found"):
            self.take(session, FAR_OPERATOR, Role.OPERATOR)

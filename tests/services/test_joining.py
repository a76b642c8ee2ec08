"""First sign-ins, links and merges: what a provider's word opens, and what it must not."""

import pytest
from sqlalchemy import func, select, update

from data.accounts import Account, AccountRole, AccountStatus
from data.history import AuditEvent
from data.identities import FlowKind, Identity, ProviderFlow
from data.ledger import LedgerAccount
from data.notices import NoticeKind, OutboxMessage
from data.orders import Order
from data.sessions import CodePurpose, OneTimeCode, SignInSession
from data.verifications import CaseStatus, VerificationCase
from services import accounts, consents, gateways, joining, ledger, phones, sessions
from services.access import Role
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.joining import JoinForm, Proven
from tests.factories import (
    BROWSER,
    LI,
    NASTY,
    OPERATOR,
    STRANGER,
    ZHAO,
    ZHOU,
    make_case,
    make_order,
    one_person,
    phone_of,
)

NEW_PHONE = "13912345678"
CODE = "135790"
SOMEBODY = Proven("city", "subject 7", "林小满")


@pytest.fixture(autouse=True)
def known_code(monkeypatch):
    """Every code that is sent is this one."""
    monkeypatch.setattr(accounts.secrets, "randbelow", lambda _: int(CODE))


def trip(session, kind=FlowKind.SIGN_IN, actor=None, back_to="/redeem?visit=7"):
    """To the provider and back, in one browser."""
    begun = joining.set_out(session, "city", kind, back_to, actor.id if actor else None)
    session.flush()
    claimed = joining.claim(session, "city", begun.state, begun.browser)
    return begun.browser, claimed


def arrive(session, proven=SOMEBODY):
    """A first sign-in; the browser that waits."""
    browser, claimed = trip(session)
    assert joining.come_in(session, claimed, proven, BROWSER) is None
    session.flush()
    return browser


def link(session, actor=ZHOU, proven=SOMEBODY):
    browser, claimed = trip(session, FlowKind.LINK, actor)
    done = joining.link(session, actor, claimed, proven)
    session.flush()
    return browser, done


def form(**changes):
    fields = {"name": "", "phone": NEW_PHONE, "code": CODE, "role": Role.CUSTOMER, "agreed": True}
    return JoinForm(**(fields | changes))


def join(session, browser, **changes):
    joining.send_code(session, browser, changes.get("phone", NEW_PHONE), BROWSER)
    session.flush()
    return joining.join(session, browser, form(**changes), BROWSER)


def account_of(session, phone):
    key = phones.whole_hash(phones.normalised(phone))
    return session.scalar(select(Account).where(Account.phone_hash == key))


def owner(session, proven=SOMEBODY):
    is_it = Identity.subject_hash == joining._subject_hash(proven)
    return session.scalar(select(Identity.account_id).where(is_it))


def told(session, kind):
    return session.scalars(select(OutboxMessage.account_id).where(OutboxMessage.kind == kind)).all()


class TestTrips:
    def test_nothing_that_goes_along_is_stored(self, session):
        begun = joining.set_out(session, "city", FlowKind.SIGN_IN, "/")
        session.flush()
        row = session.execute(select(ProviderFlow.__table__)).one()

        secrets = {begun.state, begun.browser, joining.nonce_of(begun.state)}
        assert not secrets & set(map(str, row))
        assert len({*secrets, joining.verifier_of(begun.state)}) == 4

    @pytest.mark.parametrize("wrong", ["provider", "state", "browser", "late"])
    def test_it_is_claimed_by_what_went_along_only(self, session, clock, wrong):
        begun = joining.set_out(session, "city", FlowKind.SIGN_IN, "/")
        other = joining.set_out(session, "city", FlowKind.SIGN_IN, "/")
        session.flush()
        if wrong == "late":
            clock.move(minutes=10)

        assert not joining.claim(
            session,
            "wechat" if wrong == "provider" else "city",
            other.state if wrong == "state" else begun.state,
            other.browser if wrong == "browser" else begun.browser,
        )

    def test_it_is_claimed_once(self, session):
        begun = joining.set_out(session, "city", FlowKind.SIGN_IN, "/")
        session.flush()

        assert joining.claim(session, "city", begun.state, begun.browser)
        assert not joining.claim(session, "city", begun.state, begun.browser)

    def test_a_trip_to_link_never_signs_in(self, session):
        link(session)
        _, claimed = trip(session, FlowKind.LINK, STRANGER)

        with pytest.raises(NotAllowed):
            joining.come_in(session, claimed, SOMEBODY, BROWSER)

    def test_old_ones_are_swept_away(self, session, clock):
        trip(session)
        clock.move(days=2)
        trip(session)
        session.flush()

        assert joining.prune(session, clock()) == 1


class TestJoining:
    def test_a_new_family_is_asked_for_its_phone_only(self, session):
        browser = arrive(session)
        opened = join(session, browser)

        account = account_of(session, NEW_PHONE)
        assert sessions.resume(session, opened.token).actor.id == account.id
        assert (account.name, account.password_hash) == ("林小满", None)
        assert owner(session) == account.id
        for policy in consents.NEEDED[Role.CUSTOMER]:
            assert consents.given(session, account.id, policy)
        assert joining.onward(session, sessions.resume(session, opened.token).actor, browser) == (
            "/redeem?visit=7"
        )
        assert told(session, NoticeKind.IDENTITY_LINKED) == [account.id]

    def test_from_then_on_one_click_is_enough(self, session):
        join(session, arrive(session))
        _, claimed = trip(session)
        opened = joining.come_in(session, claimed, SOMEBODY, BROWSER)

        assert sessions.resume(session, opened.token).name == "林小满"

    def test_a_caregiver_may_join_too(self, session):
        opened = join(session, arrive(session), role=Role.CAREGIVER)

        assert sessions.resume(session, opened.token).actor.role is Role.CAREGIVER

    def test_who_comes_without_a_name_is_asked_for_it(self, session):
        browser = arrive(session, Proven("city", "subject 8"))
        for name in ("", "   ", "长" * 41):
            with pytest.raises(Invalid):
                joining.join(session, browser, form(name=name), BROWSER)
        join(session, browser, name=NASTY[:40])

        assert account_of(session, NEW_PHONE).name == NASTY[:40].strip()

    def test_a_providers_name_is_cut_to_what_we_keep(self, session):
        browser = arrive(session, Proven("city", "subject 8", "\x00" + NASTY * 9))

        assert 0 < len(joining.pending(session, browser).given_name) <= 40

    def test_a_known_phone_proves_its_account_which_gains_a_way_in_and_nothing_else(self, session):
        before = session.get_one(Account, LI.id)
        kept = (before.name, before.agreed_at, before.version)
        opened = join(session, arrive(session), phone=phone_of(LI))

        after = session.get_one(Account, LI.id)
        assert sessions.resume(session, opened.token).actor == LI
        assert (after.name, after.agreed_at, after.version) == kept
        assert owner(session) == LI.id
        roles = select(AccountRole.role).where(AccountRole.account_id == LI.id)
        assert session.scalars(roles).all() == [Role.CAREGIVER]

    def test_a_known_phone_is_not_told_apart_before_its_code_is_right(self, session):
        answers = []
        for phone in (NEW_PHONE, phone_of(ZHOU)):
            browser = arrive(session, Proven("city", phone, "林小满"))
            joining.send_code(session, browser, phone, BROWSER)
            wrong = joining.join(session, browser, form(phone=phone, code="000000"), BROWSER)
            answers.append((type(wrong), wrong.key, wrong.values))

        assert answers[0] == answers[1]
        assert answers[0][1] == "error.code_wrong"

    @pytest.mark.parametrize(
        ("changes", "refusal"),
        [
            ({"agreed": False}, Invalid),
            ({"role": Role.OPERATOR}, NotAllowed),
            ({"phone": "12"}, Invalid),
        ],
    )
    def test_what_is_missing_or_wrong_is_refused(self, session, changes, refusal):
        browser = arrive(session)

        with pytest.raises(refusal):
            joining.join(session, browser, form(**changes), BROWSER)

    def test_a_code_for_something_else_does_not_do(self, session):
        browser = arrive(session)
        accounts.request_code(session, NEW_PHONE, CodePurpose.SIGN_UP)
        session.flush()

        assert joining.join(session, browser, form(), BROWSER).key == "error.code_expired"

    def test_it_is_done_once_and_in_time(self, session, clock):
        browser, late = arrive(session), arrive(session, Proven("city", "subject 8"))
        join(session, browser)
        clock.move(minutes=21)

        for over in (browser, late, "", "made up"):
            assert joining.pending(session, over) is None
            with pytest.raises(Conflict, match="joining_expired"):
                joining.join(session, over, form(), BROWSER)
            with pytest.raises(Conflict, match="joining_expired"):
                joining.send_code(session, over, NEW_PHONE, BROWSER)

    def test_a_suspended_account_stays_closed(self, session):
        browser = arrive(session)
        session.get_one(Account, ZHOU.id).status = AccountStatus.SUSPENDED
        session.flush()

        with pytest.raises(NotAllowed, match="account_suspended"):
            join(session, browser, phone=phone_of(ZHOU))
        assert owner(session) is None

    def test_an_account_has_one_identity_of_a_kind(self, session):
        link(session, ZHOU, Proven("city", "her own"))

        with pytest.raises(Conflict, match="identity_held"):
            join(session, arrive(session), phone=phone_of(ZHOU))

    def test_where_it_goes_on_is_for_who_joined_only(self, session):
        browser = arrive(session)
        join(session, browser)

        assert joining.onward(session, STRANGER, browser) is None


class TestLinks:
    def test_they_are_listed_to_their_owner_and_nobody_else(self, session, clock):
        link(session)

        [mine] = joining.linked(session, ZHOU)
        assert (mine.kind, mine.since) == ("city", clock())
        assert joining.linked(session, STRANGER) == []
        assert told(session, NoticeKind.IDENTITY_LINKED) == [ZHOU.id]
        assert session.scalar(select(AuditEvent.action)) == "link_identity"

    def test_what_is_unlinked_opens_nothing(self, session):
        link(session)
        [mine] = joining.linked(session, ZHOU)
        joining.unlink(session, ZHOU, mine.id)
        session.flush()
        _, claimed = trip(session)

        assert joining.come_in(session, claimed, SOMEBODY, BROWSER) is None

    def test_nobody_unlinks_another_persons(self, session):
        link(session)
        [mine] = joining.linked(session, ZHOU)

        with pytest.raises(NotFound):
            joining.unlink(session, STRANGER, mine.id)

    def test_the_last_way_in_stays(self, session, monkeypatch):
        link(session)
        [mine] = joining.linked(session, ZHOU)
        monkeypatch.setattr(gateways, "current", gateways.NoGateway)

        with pytest.raises(Conflict, match="last_way_in"):
            joining.unlink(session, ZHOU, mine.id)
        session.get_one(Account, ZHOU.id).password_hash = "a hash"
        joining.unlink(session, ZHOU, mine.id)

    def test_a_trip_of_one_account_links_nothing_to_another(self, session):
        _, claimed = trip(session, FlowKind.LINK, ZHOU)

        with pytest.raises(NotAllowed):
            joining.link(session, STRANGER, claimed, SOMEBODY)


class TestMerging:
    @pytest.fixture(autouse=True)
    def both(self, session):
        one_person(session)

    def test_by_both_proofs_everything_follows_the_account_signed_in_here(self, session):
        order_id = make_order(session, customer=STRANGER)
        owed_fen = ledger.balance(session, LedgerAccount.CUSTOMER_RECEIVABLE, STRANGER.id)
        sessions.open_session(session, STRANGER.id, BROWSER)
        link(session, STRANGER)
        browser, done = link(session, ZHOU)
        assert not done
        assert joining.mergeable(session, ZHOU, browser) == "city"

        joining.merge_mine(session, ZHOU, browser)
        session.flush()
        session.expire_all()

        gone = session.get_one(Account, STRANGER.id)
        assert (gone.status, gone.merged_into_id) == (AccountStatus.MERGED, ZHOU.id)
        assert session.get_one(Order, order_id).customer_id == ZHOU.id
        assert ledger.balance(session, LedgerAccount.CUSTOMER_RECEIVABLE, ZHOU.id) == owed_fen
        assert owner(session) == ZHOU.id
        assert told(session, NoticeKind.ACCOUNTS_MERGED) == [ZHOU.id]
        assert not session.scalar(
            select(func.count(SignInSession.id)).where(
                SignInSession.account_id == STRANGER.id, SignInSession.ended_at.is_(None)
            )
        )
        assert joining.mergeable(session, ZHOU, browser) is None

    def test_nobody_else_merges_by_that_trip(self, session):
        link(session, STRANGER)
        browser, _ = link(session, ZHOU)
        third = OPERATOR

        assert joining.mergeable(session, third, browser) is None
        with pytest.raises(Conflict, match="joining_expired"):
            joining.merge_mine(session, third, browser)

    def test_by_the_other_accounts_phone(self, session):
        joining.send_merge_code(session, ZHOU, phone_of(STRANGER), BROWSER)
        session.flush()
        assert joining.merge_by_phone(session, ZHOU, phone_of(STRANGER), CODE, BROWSER) is None

        session.flush()
        assert session.get_one(Account, STRANGER.id).merged_into_id == ZHOU.id

    def test_a_wrong_code_merges_nothing_and_stays_counted(self, session):
        joining.send_merge_code(session, ZHOU, phone_of(STRANGER), BROWSER)
        session.flush()
        wrong = joining.merge_by_phone(session, ZHOU, phone_of(STRANGER), "000000", BROWSER)

        assert wrong.key == "error.code_wrong"
        assert session.scalar(select(OneTimeCode.wrong_tries)) == 1
        assert session.get_one(Account, STRANGER.id).status is AccountStatus.ACTIVE

    def test_a_phone_nobody_has_is_told_to_who_holds_it_only(self, session):
        joining.send_merge_code(session, ZHOU, NEW_PHONE, BROWSER)
        session.flush()

        with pytest.raises(NotFound, match="phone_unknown"):
            joining.merge_by_phone(session, ZHOU, NEW_PHONE, CODE, BROWSER)

    def test_an_account_is_not_merged_with_itself(self, session):
        with pytest.raises(Invalid, match="merge_with_itself"):
            joining.send_merge_code(session, ZHOU, phone_of(ZHOU), BROWSER)

    @pytest.mark.parametrize(("kept", "gone"), [(ZHOU, LI), (LI, ZHOU), (ZHAO, LI)])
    def test_families_only(self, session, kept, gone):
        joining.send_merge_code(session, kept, phone_of(gone), BROWSER)
        session.flush()

        with pytest.raises(Conflict, match="merge_other_roles"):
            joining.merge_by_phone(session, kept, phone_of(gone), CODE, BROWSER)

    def test_a_suspension_is_not_shaken_off(self, session):
        session.get_one(Account, STRANGER.id).status = AccountStatus.SUSPENDED
        joining.send_merge_code(session, ZHOU, phone_of(STRANGER), BROWSER)
        session.flush()

        with pytest.raises(NotAllowed, match="account_suspended"):
            joining.merge_by_phone(session, ZHOU, phone_of(STRANGER), CODE, BROWSER)

    def test_what_was_verified_goes_along(self, session):
        of_hers = VerificationCase.account_id == ZHOU.id
        session.execute(update(VerificationCase).where(of_hers).values(status=CaseStatus.EXPIRED))
        case_id = make_case(session, STRANGER)
        joining.send_merge_code(session, ZHOU, phone_of(STRANGER), BROWSER)
        session.flush()
        joining.merge_by_phone(session, ZHOU, phone_of(STRANGER), CODE, BROWSER)
        session.expire_all()

        assert session.get_one(VerificationCase, case_id).account_id == ZHOU.id

    def test_two_people_do_not_become_one(self, session):
        make_case(session, STRANGER)
        joining.send_merge_code(session, ZHOU, phone_of(STRANGER), BROWSER)
        session.flush()

        with pytest.raises(Conflict, match="merge_two_people"):
            joining.merge_by_phone(session, ZHOU, phone_of(STRANGER), CODE, BROWSER)

    def test_both_may_have_an_identity_at_the_same_provider(self, session):
        link(session, STRANGER)
        link(session, ZHOU, Proven("city", "her own"))
        joining.send_merge_code(session, ZHOU, phone_of(STRANGER), BROWSER)
        session.flush()
        joining.merge_by_phone(session, ZHOU, phone_of(STRANGER), CODE, BROWSER)
        session.flush()

        assert owner(session) is None
        assert owner(session, Proven("city", "her own")) == ZHOU.id

"""What goes on by text and WeChat: once, in order, whatever the gateway does."""

from datetime import timedelta
from functools import partial
from itertools import count

import pytest
from sqlalchemy import select

from data import database as engines
from data.accounts import Account
from data.identities import Identity
from data.notices import Notice, NoticeKind, OutboxChannel, OutboxMessage, OutboxStatus
from data.orders import Visit
from services import (
    changes,
    deliveries,
    delivery_reports,
    gateways,
    merges,
    notices,
    phrases,
    preferences,
)
from services import clock as service_clock
from services.errors import Conflict, NotFound
from services.gateways import Failure, NotDelivered
from services.preferences import Preference
from tests.factories import (
    FAR_OPERATOR,
    LI,
    NOBODY_ID,
    OPERATOR,
    STRANGER,
    ZHOU,
    make_family,
    make_order,
    phone_of,
)
from tests.gateways import local_gateway

APPROVED, CHANGED = NoticeKind.VERIFICATION_APPROVED, NoticeKind.PASSWORD_CHANGED
INBOX, TEXT, WECHAT = OutboxChannel.INBOX, OutboxChannel.TEXT, OutboxChannel.WECHAT
A_DAY = timedelta(days=1)
numbers = count(1)


@pytest.fixture
def gateway(database, monkeypatch):
    """Production with a gateway for texts."""
    with local_gateway() as gateway:
        monkeypatch.setenv("CAREPILOT_MODE", "production")
        for name, value in gateway.environment().items():
            monkeypatch.setenv(name, value)
        yield gateway


@pytest.fixture
def wechat(gateway, monkeypatch):
    """The same with WeChat, which knows ZHOU."""
    for name, value in gateway.environment(wechat=True).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(gateways, "_tokens", gateways._Tokens())
    with engines.writing() as session:
        session.add(
            Identity(
                created_at=service_clock.now(),
                account_id=ZHOU.id,
                provider="wechat",
                subject_hash="0" * 64,
                last_used_at=service_clock.now(),
                address="open-id-of-zhou",
            )
        )
    return gateway


def tell(kind=APPROVED, who=ZHOU, **facts):
    """Tell somebody something new, as far as the inbox and what goes on from it."""
    with engines.writing() as session:
        notices.tell(session, kind, who.id, f"test-{next(numbers)}", **facts)
    deliver()


def deliver():
    return engines.transact(deliveries.deliver)


def send():
    return deliveries.send_due(engines.transact)


def send_all():
    """As many rounds as the longest of the tests needs."""
    for _ in range(4):
        send()


def keep(who=ZHOU, **wanted):
    with engines.writing() as session:
        preferences.keep(session, who, Preference(**wanted))


def outside(channel=TEXT):
    """What was written for a channel: status, error and tries of each."""
    with engines.reading() as session:
        rows = session.scalars(
            select(OutboxMessage).where(OutboxMessage.channel == channel).order_by(OutboxMessage.id)
        )
        return [(row.status.value, row.error, row.tries) for row in rows]


def first(channel=TEXT):
    with engines.reading() as session:
        return session.scalars(
            select(OutboxMessage).where(OutboxMessage.channel == channel).order_by(OutboxMessage.id)
        ).first()


class TestATextGateway:
    def test_is_given_phone_and_words_with_a_signature(self, gateway):
        tell()

        assert send() == 1
        [text] = gateway.sent.values()
        assert text["to"] == phone_of(ZHOU)
        assert text["text"].startswith("【CarePilot陪护】您的实名认证已通过")
        assert outside() == [("delivered", "", 1)]
        assert send() == 0

    def test_refuses_another_signature(self, gateway, monkeypatch):
        monkeypatch.setenv("CAREPILOT_SMS_SECRET", "another secret")
        tell()
        send()

        assert gateway.asked
        assert not gateway.sent
        assert outside() == [("pending", "refused", 1)]

    def test_an_error_with_200_is_no_delivery(self, gateway, clock):
        gateway.told = "error with 200"
        tell()
        send()
        assert outside() == [("pending", "refused", 1)]

        gateway.told = ""
        clock.move(seconds=31)
        send()
        assert outside() == [("delivered", "", 2)]

    def test_a_refusal_for_good_is_not_tried_again(self, gateway, clock):
        gateway.told = "refuses for good"
        tell()
        send()
        clock.move(days=1)

        assert send() == 0
        assert outside() == [("failed", "refused", 1)]

    def test_a_time_out_after_accepting_delivers_once(self, gateway, clock, monkeypatch):
        monkeypatch.setattr(gateways, "SECONDS", 0.2)
        gateway.told = "times out after accepting"
        tell()
        send()
        assert outside() == [("pending", "unreachable", 1)]

        gateway.told = ""
        clock.move(seconds=31)
        send()
        assert [one["id"] for one in gateway.asked] == [gateway.asked[0]["id"]] * 2
        assert len(gateway.sent) == 1
        assert outside() == [("delivered", "", 2)]

    def test_after_a_day_of_silence_everything_arrives_in_order(self, gateway, clock):
        gateway.told = "down"
        told = [APPROVED, CHANGED, NoticeKind.VERIFICATION_REJECTED]
        for kind in told:
            tell(kind)
            clock.move(minutes=1)
        waits = []
        until = clock.moment + A_DAY
        while clock.moment < until:
            send()
            first_one = first()
            waits.append(first_one.next_try_at - clock.moment)
            clock.move(to=max(first_one.next_try_at, clock.moment + timedelta(seconds=1)))

        assert max(waits) == deliveries.LONGEST_WAIT
        assert waits[0] == timedelta(seconds=30)
        gateway.told = ""
        for _ in range(4):
            clock.move(hours=1)
            send()
        assert gateway.bodies() == [
            phrases.say("zh_CN", phrases.Audience.CUSTOMER, TEXT, kind, hotline="0513-0000-0000")
            for kind in told
        ]

    def test_one_that_fails_again_and_again_keeps_nobody_elses_back(
        self, gateway, clock, monkeypatch
    ):
        tell(who=ZHOU)
        tell(who=STRANGER)
        sent = []

        def send_or_fail(_self, message):
            if message.to == phone_of(ZHOU):
                raise NotDelivered(Failure.UNREACHABLE)
            sent.append(message.to)

        monkeypatch.setattr(gateways.HttpGateway, "send", send_or_fail)
        send()
        assert sent == []
        clock.move(seconds=16)
        send()
        assert sent == [phone_of(STRANGER)]

    def test_what_was_leased_by_a_worker_that_died_is_sent_after_the_lease(self, gateway, clock):
        tell()
        assert len(engines.transact(deliveries.lease)) == 1
        assert send() == 0
        clock.move(to=clock.moment + deliveries.LEASE)

        assert send() == 1
        assert len(gateway.sent) == 1

    def test_a_slow_round_hands_the_rest_back(self, gateway, clock, monkeypatch):
        tell(who=ZHOU)
        tell(who=STRANGER)
        slow = gateways.HttpGateway.send

        def send_slowly(self, message):
            slow(self, message)
            clock.move(seconds=11)

        monkeypatch.setattr(gateways.HttpGateway, "send", send_slowly)

        assert [send(), send(), send()] == [1, 1, 0]
        assert outside() == [("delivered", "", 1)] * 2

    def test_a_one_time_code_is_given_up_when_it_is_worth_nothing(self, gateway, clock):
        with engines.writing() as session:
            notices.send_text(session, phone_of(ZHOU), "123456")
        gateway.told = "down"
        send()
        clock.move(minutes=11)
        send()

        assert outside()[0][:2] == ("failed", "too_old")
        with engines.reading() as session:
            message = session.scalars(select(OutboxMessage)).one()
            assert (message.phone, message.body) == ("", "")

    def test_what_is_erased_on_its_way_is_settled_in_peace(self, database):
        engines.transact(partial(deliveries.settle, message_id=NOBODY_ID, failed=None))


class TestWithoutAGateway:
    def test_nothing_is_written_for_texts(self, database, monkeypatch):
        monkeypatch.setenv("CAREPILOT_MODE", "production")
        tell()

        assert outside() == []
        with engines.reading() as session:
            assert len(notices.inbox(session, ZHOU)) == 1

    def test_no_code_is_kept_for_one_that_may_come(self, database, monkeypatch):
        monkeypatch.setenv("CAREPILOT_MODE", "production")
        with engines.writing() as session:
            notices.send_text(session, phone_of(ZHOU), "123456")

        assert outside() == [("cancelled", "", 0)]
        assert (first().phone, first().body) == ("", "")

    def test_a_half_described_one_keeps_the_app_from_starting(self, gateway, monkeypatch):
        monkeypatch.delenv("CAREPILOT_SMS_SECRET")
        with pytest.raises(gateways.ConfigurationError, match="belong together"):
            gateways.check()

    def test_an_open_line_is_not_trusted_with_phones(self, gateway, monkeypatch):
        monkeypatch.setenv("CAREPILOT_SMS_URL", "http://texts.example.cn/")
        with pytest.raises(gateways.ConfigurationError, match="https"):
            gateways.check()


class TestWeChat:
    def test_is_given_short_fields_and_comes_before_a_text(self, wechat):
        with engines.writing() as session:
            order_id = make_order(session)
        deliver()
        send_all()

        [said] = [one for one in wechat.sent.values() if "touser" in one]
        assert said["touser"] == "open-id-of-zhou"
        assert said["data"]["time2"]["value"] == "2030年1月8日 09:00"
        assert all(len(said["data"][name]["value"]) <= 20 for name in ("thing1", "thing3"))
        assert order_id
        assert not any(phone_of(ZHOU) == one.get("to") for one in wechat.sent.values())

    def test_a_spent_token_is_fetched_anew(self, wechat, clock):
        tell()
        send()
        wechat.token = "another"
        tell()
        send()
        assert outside(WECHAT)[1] == ("pending", "refused", 1)

        clock.move(seconds=31)
        send()
        assert [status for status, _, _ in outside(WECHAT)] == ["delivered"] * 2

    def test_who_does_not_follow_gets_a_text(self, wechat):
        wechat.strangers.add("open-id-of-zhou")
        tell()
        send_all()

        assert outside(WECHAT) == [("cancelled", "refused", 1)]
        assert outside(TEXT) == [("delivered", "", 1)]
        assert len(wechat.bodies()) == 1

    def test_but_not_who_wants_no_texts(self, wechat):
        keep(by_text=False)
        wechat.strangers.add("open-id-of-zhou")
        tell()
        send()

        assert outside(WECHAT) == [("failed", "refused", 1)]
        assert outside(TEXT) == []


class TestPreferences:
    @pytest.fixture(autouse=True)
    def texts(self, gateway):
        return gateway

    def test_who_wants_no_texts_has_the_inbox_alone(self):
        keep(by_text=False)
        tell()

        assert outside() == []

    def test_who_is_called_is_sent_no_text(self):
        keep(by_call=True)
        tell(NoticeKind.VISIT_FINISHED)

        assert outside() == []
        assert outside(OutboxChannel.CALL) == [("pending", "", 0)]

    def test_words_are_in_the_language_chosen(self, gateway):
        keep(language="en")
        tell()
        send()

        assert gateway.bodies() == ["[CarePilot] You are verified and can book now."]

    def test_a_language_no_longer_known_becomes_chinese(self, gateway, monkeypatch):
        keep(language="en")
        monkeypatch.setattr(phrases, "LANGUAGES", ("zh_CN",))
        phrases.catalogue.cache_clear()
        tell()
        send()
        phrases.catalogue.cache_clear()

        assert gateway.bodies()[0].startswith("【CarePilot陪护】")

    def test_quiet_hours_over_midnight_hold_back_until_they_end(self, clock):
        clock.move(to=clock.moment.replace(hour=23))
        tell()
        assert send() == 0
        clock.move(hours=7, minutes=59)
        assert send() == 0
        clock.move(minutes=1)

        assert send() == 1

    @pytest.mark.parametrize(
        ("at", "until"), [((23, 30), (7, 0)), ((6, 59), (7, 0)), ((7, 0), None), ((21, 59), None)]
    )
    def test_the_ends_of_quiet_hours(self, clock, at, until):
        moment = clock.moment.replace(hour=at[0], minute=at[1])
        loud = preferences.next_loud(Preference(), moment)

        assert (loud.hour, loud.minute) == (until or at)
        assert timedelta(0) <= loud - moment < A_DAY

    def test_none_are_kept_where_both_ends_are_alike(self, clock):
        keep(quiet_from_minute=0, quiet_until_minute=0)
        clock.move(to=clock.moment.replace(hour=3))
        tell()

        assert send() == 1

    def test_what_is_urgent_comes_at_night_and_before_what_waits(self, clock, gateway):
        clock.move(to=clock.moment.replace(hour=23))
        tell(APPROVED)
        tell(CHANGED)
        send()

        assert ["密码" in body for body in gateway.bodies()] == [True]

    def test_an_account_without_a_phone_of_its_own_is_sent_nothing(self):
        with engines.writing() as session:
            session.get_one(Account, ZHOU.id).phone = "00000000001"
        tell()

        assert outside() == []


class TestMoot:
    def test_what_is_so_no_more_is_not_said(self, gateway, clock):
        with engines.writing() as session:
            order_id = make_order(session)
        deliver()
        with engines.writing() as session:
            visit = session.scalars(select(Visit).where(Visit.order_id == order_id)).one()
            changes.reschedule(
                session, OPERATOR, visit.id, visit.starts_at + timedelta(hours=3), visit.total_fen
            )
        deliver()
        send_all()

        assert ("cancelled", "", 0) in outside()
        assert not any("已确定，1月8日周二09:00" in body for body in gateway.bodies())
        assert any("已改到1月8日周二12:00" in body for body in gateway.bodies())


class TestDeadLetters:
    @pytest.fixture(autouse=True)
    def dead(self, gateway):
        gateway.told = "refuses for good"
        with engines.writing() as session:
            order_id = make_order(session)
        deliver()
        send_all()
        gateway.told = ""
        return order_id

    def test_are_shown_and_sent_again_by_operators_of_the_city(self, gateway):
        with engines.writing() as session:
            found = delivery_reports.report(session, OPERATOR)
            assert found.counts[TEXT, OutboxStatus.FAILED] == len(found.dead) >= 2
            assert {one.failure for one in found.dead} == {Failure.REFUSED}
            assert delivery_reports.resend_all(session, OPERATOR) == len(found.dead)
        send_all()

        assert len(gateway.sent) == len(found.dead)
        with engines.reading() as session:
            assert delivery_reports.report(session, OPERATOR).dead == ()

    def test_one_is_sent_again_once(self):
        with engines.writing() as session:
            letter = delivery_reports.report(session, OPERATOR).dead[0]
            delivery_reports.resend(session, OPERATOR, letter.id)
        with engines.writing() as session, pytest.raises(Conflict, match="not_given_up"):
            delivery_reports.resend(session, OPERATOR, letter.id)

    def test_those_of_another_city_are_out_of_reach(self):
        with engines.writing() as session:
            letter = delivery_reports.report(session, OPERATOR).dead[0]
            assert delivery_reports.report(session, FAR_OPERATOR).dead == ()
            assert delivery_reports.resend_all(session, FAR_OPERATOR) == 0
            for message_id in (letter.id, NOBODY_ID):
                with pytest.raises(NotFound, match="notice_not_found"):
                    delivery_reports.resend(session, FAR_OPERATOR, message_id)


def test_what_waits_for_a_merged_account_goes_to_the_kept_one(gateway, clock):
    clock.move(to=clock.moment.replace(hour=23))
    with engines.writing() as session:
        gone, _ = make_family(session, 1)
    tell(who=gone)
    with engines.writing() as session:
        account = session.get_one(Account, gone.id)
        account.city_code = session.get_one(Account, ZHOU.id).city_code = "320600"
        session.flush()
        merges.join(session, OPERATOR, session.get_one(Account, ZHOU.id), account)
    clock.move(hours=9)
    send_all()

    assert {one["to"] for one in gateway.sent.values()} == {phone_of(ZHOU)}


def test_a_caregiver_is_told_as_one_and_names_nobody(gateway):
    with engines.writing() as session:
        make_order(session)
    deliver()
    send_all()

    [said] = [one["text"] for one in gateway.sent.values() if one["to"] == phone_of(LI)]
    assert said.startswith("【CarePilot陪护】新订单已确定")
    with engines.reading() as session:
        assert session.scalars(select(Notice)).all()

"""Guessing passwords and codes, from one address over many phones and the other way round."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from data.accounts import Account
from data.sessions import CodePurpose, SignInAttempt
from services import accounts, attempts, sessions
from services.errors import Conflict, NotAllowed
from services.sessions import Client
from tests.factories import BROWSER, LI, STRANGER, ZHOU, phone_of

UNKNOWN = "13700000000"


def guess(session, phone, address="203.0.113.7"):
    """One wrong guess: how it was refused, or None when the password was looked at."""
    try:
        attempts.begin(session, phone, Client("Firefox", address))
    except Conflict as refusal:
        return refusal
    return None


def looked_at(session, clock, phone, hours, address="203.0.113.7"):
    """How many guesses get through to the password when somebody tries every second."""
    until, through = clock() + timedelta(hours=hours), 0
    while clock() < until:
        refusal = guess(session, phone, address)
        through += refusal is None
        waits = refusal.values if refusal else {"seconds": 1}
        clock.move(seconds=waits.get("seconds") or 60 * waits["minutes"])
    return through


class TestAnAccount:
    def test_waits_longer_and_longer_after_three_failures(self, session, clock):
        assert [guess(session, phone_of(ZHOU)) for _ in range(3)] == [None] * 3
        waited = []
        for _ in range(12):
            refusal = guess(session, phone_of(ZHOU))
            seconds = refusal.values.get("seconds") or 60 * refusal.values["minutes"]
            waited.append(seconds)
            clock.move(seconds=seconds)
            assert guess(session, phone_of(ZHOU)) is None

        assert waited[:5] == [2, 4, 8, 16, 32]
        assert waited[-2:] == [15 * 60] * 2

    def test_a_try_that_comes_too_soon_makes_nobody_wait_longer(self, session, clock):
        for _ in range(20):
            guess(session, phone_of(ZHOU))
        clock.move(seconds=2)

        assert guess(session, phone_of(ZHOU)) is None

    def test_waits_however_the_phone_is_written(self, session):
        for _ in range(3):
            guess(session, "138 0000 0001")

        assert guess(session, "+86 13800000001") is not None

    def test_waits_though_every_guess_comes_from_another_address(self, session):
        refused = [guess(session, phone_of(ZHOU), f"198.51.100.{n}") for n in range(40)]

        assert [one is None for one in refused] == [True] * 3 + [False] * 37

    def test_a_day_of_guessing_gets_a_hundred_tries(self, session, clock):
        assert looked_at(session, clock, phone_of(ZHOU), hours=24) < 120

    def test_another_one_does_not_wait(self, session):
        for _ in range(5):
            guess(session, phone_of(ZHOU), "198.51.100.1")

        assert guess(session, phone_of(LI)) is None

    def test_without_an_account_it_is_all_the_same(self, session):
        def told(phone):
            return [
                refusal and (refusal.key, refusal.values)
                for refusal in (guess(session, phone, "") for _ in range(5))
            ]

        assert told(UNKNOWN) == told(phone_of(ZHOU))
        assert guess(session, UNKNOWN, "") is not None

    def test_the_right_password_forgets_the_failures_and_opens_a_session(self, session):
        for _ in range(2):
            guess(session, phone_of(ZHOU))
        attempt = attempts.begin(session, phone_of(ZHOU), BROWSER)
        opened = attempts.finish(session, attempt, BROWSER)
        session.flush()

        assert sessions.resume(session, opened.token).actor == ZHOU
        assert session.scalars(select(SignInAttempt)).all() == []

    def test_a_password_changed_while_it_was_compared_opens_nothing(self, session):
        attempt = attempts.begin(session, phone_of(ZHOU), BROWSER)
        session.get_one(Account, ZHOU.id).password_hash = "the new one"

        with pytest.raises(NotAllowed, match="sign_in_failed"):
            attempts.finish(session, attempt, BROWSER)

    def test_neither_phone_nor_address_is_stored(self, session):
        guess(session, phone_of(ZHOU))
        row = session.scalars(select(SignInAttempt)).one()

        assert {len(row.phone_hash), len(row.address_hash)} == {64}
        account = session.get_one(Account, ZHOU.id)
        assert row.phone_hash != account.phone_hash


class TestAnAddress:
    def test_waits_after_twenty_failures_over_many_phones(self, session, clock):
        refused = [guess(session, f"1370000{n:04d}") for n in range(40)]

        assert [one is None for one in refused] == [True] * 20 + [False] * 20
        assert guess(session, phone_of(ZHOU), "198.51.100.9") is None
        clock.move(seconds=2)
        assert guess(session, "13700001000") is None
        assert guess(session, "13700001001").values == {"seconds": 4}

    def test_a_household_of_ipv6_is_one_address(self, session):
        for n in range(20):
            guess(session, f"1370000{n:04d}", f"2001:db8:1:2::{n:x}")

        assert guess(session, "13700001000", "2001:db8:1:2:ffff::1") is not None
        assert guess(session, "13700001000", "2001:db8:1:3::1") is None

    def test_one_that_is_unknown_is_not_counted(self, session):
        refused = [guess(session, f"1370000{n:04d}", "") for n in range(30)]

        assert refused == [None] * 30

    def test_is_forgiven_what_ended_well(self, session):
        for n in range(19):
            guess(session, f"1370000{n:04d}")
        attempt = attempts.begin(session, phone_of(ZHOU), BROWSER)
        attempts.finish(session, attempt, BROWSER)

        assert guess(session, phone_of(LI)) is None

    def test_an_hour_later_begins_anew(self, session, clock):
        for n in range(20):
            guess(session, f"1370000{n:04d}")
        clock.move(hours=1)

        assert [guess(session, f"1370001{n:04d}") for n in range(20)] == [None] * 20


class TestTrips:
    """Setting out to a provider, again and again."""

    def set_out(self, session, address="203.0.113.7"):
        try:
            attempts.count_trip(session, address)
        except Conflict as refusal:
            return refusal.values
        return None

    def test_an_address_waits_longer_and_longer_after_sixty(self, session, clock):
        assert [self.set_out(session) for _ in range(61)] == [None] * 60 + [{"seconds": 2}]
        assert self.set_out(session, "198.51.100.9") is None
        assert self.set_out(session, "") is None
        clock.move(seconds=2)
        assert [self.set_out(session) for _ in range(2)] == [None, {"seconds": 4}]
        clock.move(hours=1)
        assert self.set_out(session) is None

    def test_neither_trips_nor_guesses_stop_the_other(self, session):
        for _ in range(61):
            self.set_out(session)
        assert guess(session, phone_of(ZHOU)) is None
        for n in range(30):
            guess(session, f"1370000{n:04d}", "198.51.100.1")
        assert self.set_out(session, "198.51.100.1") is None

    def test_the_address_is_not_stored(self, session):
        self.set_out(session)
        row = session.scalars(select(SignInAttempt)).one()

        assert (row.phone_hash, len(row.address_hash)) == ("", 64)


class TestCodes:
    def wrong(self, session, phone, address="203.0.113.7"):
        return accounts.sign_in_by_code(session, phone, "not it", Client("Firefox", address))

    def test_wrong_ones_make_the_phone_wait_apart_from_passwords(self, session):
        for _ in range(3):
            self.wrong(session, phone_of(ZHOU), "")

        with pytest.raises(Conflict, match="try_in_seconds"):
            self.wrong(session, phone_of(ZHOU), "198.51.100.1")
        assert guess(session, phone_of(ZHOU), "") is None

    def test_wrong_ones_make_the_address_wait_together_with_passwords(self, session):
        for n in range(10):
            self.wrong(session, f"1370000{n:04d}")
            guess(session, f"1370001{n:04d}")

        with pytest.raises(Conflict, match="try_in_seconds"):
            self.wrong(session, phone_of(ZHOU))

    def test_an_address_cannot_have_texts_sent_to_everybody(self, session):
        for n in range(20):
            accounts.request_code(session, f"1370000{n:04d}", CodePurpose.SIGN_UP, BROWSER)

        with pytest.raises(Conflict, match="try_in_seconds"):
            accounts.request_code(session, "13700001000", CodePurpose.SIGN_UP, BROWSER)


def test_a_stranger_who_floods_locks_nobody_out_of_a_session(session, clock):
    token = sessions.open_session(session, STRANGER.id, BROWSER).token
    for _ in range(50):
        guess(session, phone_of(STRANGER))
    session.flush()

    assert sessions.resume(session, token).actor == STRANGER

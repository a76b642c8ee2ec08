"""Paying caregivers out, as operators do it; and the account that a caregiver wants her pay on."""

import pytest

from data.database import reading, writing
from data.payouts import BatchStatus
from services import income, payout_accounts, payout_files, payouts
from services.access import SYSTEM
from services.payout_accounts import AccountForm
from services.payout_files import FileKind
from tests.factories import FAR_OPERATOR, LI, NAMES, NANTONG, OPERATOR, make_redeemed_visit
from tests.pages.screen import confirm, errors, keys, said, speak_english, successes, words

PAGE, INCOME = "pages/operator/payouts.py", "pages/caregiver/income.py"
CARD = "6222021234567890128"


@pytest.fixture
def due(database, clock):
    """Pay of hers that has waited long enough."""
    with writing() as session:
        make_redeemed_visit(session)
    clock.move(days=10)
    with writing() as session:
        income.release_due(session, SYSTEM)


@pytest.fixture
def account(database):
    with writing() as session:
        payout_accounts.keep(session, LI, AccountForm("工商银行", NAMES[LI], CARD))


def batches():
    with reading() as session:
        return payouts.batches(session, OPERATOR)


def unfolded(app, name):
    app.session_state[name] = True
    return app.run()


def test_where_nothing_is_due_it_says_so(open_app):
    shown = said(open_app(PAGE, OPERATOR))
    assert words("payouts.nothing_due") in shown
    assert words("empty.payouts") in shown


def test_who_lacks_an_account_is_named_and_not_paid(open_app, due):
    app = open_app(PAGE, OPERATOR)
    assert any(NAMES[LI] in one.value for one in app.warning)
    assert f"lock_{NANTONG}" not in keys(app)


def test_a_batch_is_locked_sent_and_answered(open_app, due, account):
    app = open_app(PAGE, OPERATOR)
    assert "¥68" in [metric.value for metric in app.main.metric]
    confirm(app, f"lock_{NANTONG}")
    assert successes(app) == [words("payouts.locked")]
    [batch] = batches()
    assert words(f"batch_status.{BatchStatus.LOCKED}") in said(app)

    with writing() as session:
        payout_files.prepare(session, OPERATOR, batch.id, FileKind.CSV)
    app = unfolded(open_app(PAGE, OPERATOR), f"lines_{batch.id}")
    assert batches()[0].status is BatchStatus.SENT
    confirm(app, f"arrived_{batch.id}")
    assert batches()[0].status is BatchStatus.CLOSED


def test_a_batch_the_bank_never_had_is_taken_back(open_app, due, account):
    with writing() as session:
        batch_id = payouts.lock(session, OPERATOR, NANTONG, 6800)
    app = confirm(open_app(PAGE, OPERATOR), f"withdraw_{batch_id}")
    assert successes(app) == [words("payouts.withdrawn")]
    assert batches()[0].status is BatchStatus.WITHDRAWN


def test_another_citys_operator_sees_none_of_it(open_app, due, account):
    with writing() as session:
        payouts.lock(session, OPERATOR, NANTONG, 6800)
    shown = said(open_app(PAGE, FAR_OPERATOR))
    assert words("empty.payouts") in shown
    assert NAMES[LI] not in shown


class TestAccount:
    def fill(self, app, number=CARD):
        unfolded(app, "payout_account_form")
        for name, value in (("bank", "工商银行"), ("holder", NAMES[LI]), ("number", number)):
            app.text_input(key=f"payout_account_{name}").set_value(value)
            unfolded(app, "payout_account_form")
        app.button(key="payout_account_keep").click()
        return unfolded(app, "payout_account_form")

    def test_is_entered_and_told_by_its_last_digits(self, open_app, due):
        app = open_app(INCOME, LI)
        assert words("payout_account.none") in [one.value for one in app.warning]
        self.fill(app)
        assert successes(app) == [words("payout_account.kept")]
        assert words("payouts.account_said", bank="工商银行", tail="0128") in said(app)
        assert CARD not in said(app)

    def test_a_mistyped_number_is_answered_in_words_and_nothing_is_lost(self, open_app, due):
        app = self.fill(open_app(INCOME, LI), "6222021234567890129")
        assert errors(app) == [words("error.account_number_mistyped")]
        assert app.text_input(key="payout_account_bank").value == "工商银行"

    def test_what_was_paid_is_listed(self, open_app, due, account):
        with writing() as session:
            batch_id = payouts.lock(session, OPERATOR, NANTONG, 6800)
            payout_files.prepare(session, OPERATOR, batch_id, FileKind.CSV)
            session.flush()
            [line] = payouts.lines(session, OPERATOR, batch_id)
            payouts.came_back(session, OPERATOR, line.id, "户名不符 <b>")
        app = speak_english(open_app(INCOME, LI))
        shown = said(app)
        assert "Came back" in shown
        assert "户名不符 <b>" in [one.value for one in app.text]

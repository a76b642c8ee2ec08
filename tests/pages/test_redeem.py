"""A family closes a finished visit: by typing the code, or by a link and a click of its own."""

import pytest

from components import formats
from data.accounts import Account
from data.database import reading, writing
from data.orders import Visit, VisitStatus
from data.recipients import Recipient
from services import redemption
from tests.factories import (
    LI,
    MOTHER_ID,
    STRANGER,
    ZHOU,
    code_of,
    make_finished_visit,
    make_redeemed_visit,
    make_visit,
)
from tests.pages.screen import errors, keys, said, successes, words

PAGE, PROFILE = "pages/customer/redeem.py", "pages/account/profile.py"
WRONG = "3333-3333"
NICKNAME = "**李** <b>{name}</b> 👵"


@pytest.fixture
def finished(database):
    """A finished visit of ZHOU's that waits for its code."""
    with writing() as session:
        return make_finished_visit(session)


def made(maker, **changes):
    with writing() as session:
        return maker(session, **changes)


def visit(visit_id):
    with reading() as session:
        return session.get_one(Visit, visit_id)


def right_code(visit_id):
    with reading() as session:
        return redemption.grouped(code_of(session, visit_id))


def redeem(app, visit_id, code):
    app.text_input(key=f"redeem_code_{visit_id}").set_value(code)
    app.button(key="redeem_submit").click().run()
    return app


def follow(open_app, actor, **query):
    """Open the link behind the caregiver's QR image; signed in already."""
    app = open_app(PROFILE, actor)
    for name, value in query.items():
        app.query_params[name] = value
    return app.switch_page(PAGE).run()


def wrong(left):
    return [words("error.redemption_wrong", left=left)]


def test_without_finished_visits_it_says_so(open_app):
    made(make_visit)
    app = open_app(PAGE, ZHOU)
    assert words("empty.redeem") in said(app)
    assert "redeem_submit" not in keys(app)


def test_the_right_code_closes_the_visit_and_opens_the_orders(open_app, opened, finished):
    app = open_app(PAGE, ZHOU)
    assert words("redeem.pays", total="¥80") in said(app)
    redeem(app, finished, right_code(finished).lower().replace("-", " "))
    assert not app.exception
    assert opened[-1] == "my_orders"
    assert successes(app) == [words("redeem.done")]
    assert visit(finished).status is VisitStatus.REDEEMED


def test_a_wrong_code_tells_how_many_tries_are_left_and_the_fifth_locks(open_app, finished, clock):
    app = open_app(PAGE, ZHOU)
    for left in (4, 3, 2, 1):
        assert errors(redeem(app, finished, WRONG)) == wrong(left)
        assert app.text_input(key=f"redeem_code_{finished}").value == WRONG
    until = formats.moment(clock().replace(minute=15))
    locked = words("error.redemption_locked", until=until)
    assert errors(redeem(app, finished, WRONG)) == [locked]
    assert errors(redeem(app, finished, right_code(finished))) == [locked]
    assert [warning.value for warning in app.warning] == [locked]
    assert visit(finished).status is VisitStatus.FINISHED


def test_after_the_lock_the_right_code_works(open_app, finished, clock):
    with writing() as session:
        for _ in range(5):
            redemption.redeem(session, ZHOU, finished, WRONG)
    clock.move(minutes=16)
    app = open_app(PAGE, ZHOU)
    assert not app.warning
    redeem(app, finished, right_code(finished))
    assert visit(finished).status is VisitStatus.REDEEMED


@pytest.mark.parametrize("typed", ["", "  ", "--- ---"])
def test_no_code_at_all_costs_no_try(open_app, finished, typed):
    app = redeem(open_app(PAGE, ZHOU), finished, typed)
    assert errors(app) == [words("error.code_missing")]
    assert visit(finished).wrong_codes == 0


@pytest.mark.parametrize("typed", ["<b>👵</b>", "{left} %s"])
def test_nonsense_is_a_wrong_code_like_any_other(open_app, finished, typed):
    assert errors(redeem(open_app(PAGE, ZHOU), finished, typed)) == wrong(4)


def test_the_code_of_another_visit_is_wrong(open_app, finished, clock):
    other = made(make_finished_visit, starts_at=clock().replace(day=4))
    app = open_app(PAGE, ZHOU)
    app.radio(key="redeem_visit").set_value(finished).run()
    assert errors(redeem(app, finished, right_code(other))) == wrong(4)
    assert {visit(one).status for one in (finished, other)} == {VisitStatus.FINISHED}


def test_several_visits_wait_the_oldest_first(open_app, finished, clock):
    older = made(make_finished_visit, starts_at=clock().replace(day=4))
    app = open_app(PAGE, ZHOU)
    choice = app.radio(key="redeem_visit")
    assert choice.value == older
    assert ["1月4日" in option for option in choice.options] == [True, False]
    choice.set_value(finished).run()
    redeem(app, finished, right_code(finished))
    assert visit(finished).status is VisitStatus.REDEEMED
    assert visit(older).status is VisitStatus.FINISHED


def test_names_in_the_choice_are_shown_as_typed(open_app, finished):
    with writing() as session:
        session.get_one(Account, LI.id).name = NICKNAME
        session.get_one(Recipient, MOTHER_ID).name = NICKNAME
    (option,) = open_app(PAGE, ZHOU).radio(key="redeem_visit").options
    # Options are Markdown: every sign of it must be escaped.
    assert option.endswith(formats.plain(f"{NICKNAME} → {NICKNAME}"))
    assert "**" not in option


class TestLink:
    def test_it_fills_the_code_in_and_redeems_only_after_a_click(self, open_app, finished, clock):
        made(make_finished_visit, starts_at=clock().replace(day=4))
        code = right_code(finished).replace("-", "")
        app = follow(open_app, ZHOU, visit=str(finished), code=code)
        assert app.radio(key="redeem_visit").value == finished
        assert app.text_input(key=f"redeem_code_{finished}").value == code
        assert visit(finished).status is VisitStatus.FINISHED
        app.button(key="redeem_submit").click().run()
        assert successes(app) == [words("redeem.done")]
        assert visit(finished).status is VisitStatus.REDEEMED

    def test_its_code_is_not_put_to_another_visit(self, open_app, finished, clock):
        older = made(make_finished_visit, starts_at=clock().replace(day=4))
        app = follow(open_app, ZHOU, visit=str(finished), code="ACDEFGHJ")
        app.radio(key="redeem_visit").set_value(older).run()
        assert app.text_input(key=f"redeem_code_{older}").value == ""

    @pytest.mark.parametrize("others_wait", [False, True])
    def test_of_a_visit_already_redeemed_it_says_so(self, open_app, clock, others_wait):
        done = made(make_redeemed_visit)
        if others_wait:
            made(make_finished_visit, starts_at=clock().replace(day=4))
        app = follow(open_app, ZHOU, visit=str(done), code=right_code(done))
        assert [info.value for info in app.info] == [words("redeem.link_done")]
        assert not errors(app)

    def test_of_somebody_elses_visit_it_says_no_more_than_that(self, open_app, finished):
        code = right_code(finished)
        app = follow(open_app, STRANGER, visit=str(finished), code=code)
        assert [info.value for info in app.info] == [words("redeem.link_done")]
        assert "老人陪伴" not in said(app)
        assert code not in said(app)

    def test_redeemed_in_another_tab_it_is_refused_in_words(self, open_app, finished):
        code = right_code(finished)
        app = follow(open_app, ZHOU, visit=str(finished), code=code)
        with writing() as session:
            redemption.redeem(session, ZHOU, finished, code)
        app.button(key="redeem_submit").click().run()
        assert not app.exception
        assert [info.value for info in app.info] == [words("redeem.link_done")]

    def test_redeemed_at_the_moment_of_the_click_it_is_refused_in_words(
        self, open_app, finished, monkeypatch
    ):
        app = open_app(PAGE, ZHOU)
        really, code = redemption.redeem, right_code(finished)

        def too_late(session, actor, visit_id, typed):
            really(session, actor, visit_id, code)
            return really(session, actor, visit_id, typed)

        monkeypatch.setattr(redemption, "redeem", too_late)
        assert errors(redeem(app, finished, code)) == [words("error.already_redeemed")]

    @pytest.mark.parametrize(
        "query",
        [
            {"visit": "x"},
            {"visit": "-1", "code": "A"},
            {"visit": "9" * 400},
            {"visit": "²", "code": "👵"},
            {"visit": "0", "code": "<script>" * 100},
            {"code": "ACDE-FGHJ"},
            {"order": "1; DROP TABLE visits"},
        ],
    )
    def test_nonsense_in_it_does_no_harm(self, open_app, finished, query):
        app = follow(open_app, ZHOU, **query)
        assert not app.exception
        assert not errors(app)
        assert app.text_input(key=f"redeem_code_{finished}").value == ""
        assert visit(finished).status is VisitStatus.FINISHED

    def test_a_code_of_any_length_is_only_a_wrong_one(self, open_app, finished):
        app = follow(open_app, ZHOU, visit=str(finished), code="A" * 500)
        app.button(key="redeem_submit").click().run()
        assert not app.exception
        assert errors(app) == wrong(4)


def test_a_planned_visit_cannot_be_reached_by_its_link(open_app):
    visit_id = made(make_visit)
    app = follow(open_app, ZHOU, visit=str(visit_id), code=right_code(visit_id))
    assert [info.value for info in app.info] == [words("redeem.link_done")]
    assert visit(visit_id).status is VisitStatus.PLANNED

"""A family follows its demands and orders: what it sees, changes, and says of them."""

from datetime import timedelta

from sqlalchemy import select

from components import formats
from data.accounts import Account
from data.database import reading, writing
from data.demands import Demand, DemandStatus, Invitation
from data.orders import Order, OrderStatus, Visit, VisitStatus
from data.reviews import Review
from services import demands, drafts, orders, reviews, visits
from tests.factories import (
    LI,
    NASTY,
    STRANGER,
    ZHAO,
    ZHOU,
    cancel_order,
    demand_of,
    make_application,
    make_demand,
    make_finished_visit,
    make_order,
    make_redeemed_visit,
    make_visit,
    order_of,
    visit_of,
)
from tests.pages.screen import (
    confirm,
    errors,
    keys,
    opened,
    questions,
    said,
    speak_english,
    successes,
    words,
)

PAGE = "pages/customer/my_orders.py"
SCORES = ("skill", "attitude", "communication", "overall")


def made(maker, **changes):
    with writing() as session:
        return maker(session, **changes)


def demand(demand_id):
    with reading() as session:
        return session.get_one(Demand, demand_id)


def order(order_id):
    with reading() as session:
        return session.get_one(Order, order_id)


def written():
    with reading() as session:
        return session.scalars(select(Review)).all()


def open_review(open_app, visit_id):
    app = open_app(PAGE, ZHOU)
    app.session_state[f"review_{visit_id}"] = True
    return app.run()


def review(app, visit_id, stars=(5, 4, 3, 5), said_too=""):
    for score, given in zip(SCORES, stars, strict=True):
        if given:
            app.feedback(key=f"review_{visit_id}_{score}").set_value(given - 1)
    app.text_area(key=f"review_{visit_id}_words").set_value(said_too)
    app.button(key=f"review_{visit_id}_submit").click().run()
    return app


class TestDemands:
    def test_without_any_it_says_what_to_do_next(self, open_app, opened):
        app = open_app(PAGE, ZHOU)
        assert words("empty.my_orders") in said(app)
        app.button(key="open_post_demand").click().run()
        assert opened[-1] == "post_demand"

    def test_an_open_one_shows_who_applied_and_is_taken_back_after_asking(self, open_app):
        demand_id = made(make_demand, words=NASTY)
        with writing() as session:
            make_application(session, demand_id, caregiver=LI)
            make_application(session, demand_id, caregiver=ZHAO)
        app = open_app(PAGE, ZHOU)
        page = said(app)
        assert words("demand.applications", count=2) in page
        assert words("demand_status.open") in page
        assert words("recipient.for", name="周奶奶") in page
        assert NASTY in [text.value for text in app.text]
        app = opened(app, f"withdraw_{demand_id}_ask")
        assert words("demand.withdraw_warning") in said(app)
        confirm(app, f"withdraw_{demand_id}")
        assert successes(app) == [words("demand.withdrawn")]
        assert demand(demand_id).status is DemandStatus.WITHDRAWN
        assert f"withdraw_{demand_id}" not in questions(app)

    def test_ended_ones_wait_behind_a_click(self, open_app):
        demand_id = made(make_demand)
        with writing() as session:
            demands.withdraw(session, ZHOU, demand_id)
        app = open_app(PAGE, ZHOU)
        assert words("demand_status.withdrawn") not in said(app)
        app.session_state["ended_demands"] = True
        app.run()
        assert words("demand_status.withdrawn") in said(app)

    def test_one_matched_at_the_moment_of_the_click_is_refused_in_words(
        self, open_app, monkeypatch
    ):
        demand_id = made(make_demand)
        app = open_app(PAGE, ZHOU)
        withdraw = demands.withdraw

        def too_late(session, actor, demand_id):
            session.get_one(Demand, demand_id).status = DemandStatus.MATCHED
            session.flush()
            withdraw(session, actor, demand_id)

        monkeypatch.setattr(demands, "withdraw", too_late)
        confirm(app, f"withdraw_{demand_id}")
        assert errors(app) == [words("error.demand_moved_on")]
        assert demand(demand_id).status is DemandStatus.OPEN


class TestOrders:
    def test_a_coming_one_tells_who_comes_when_and_for_how_much(self, open_app):
        order_id = made(make_order)
        app = open_app(PAGE, ZHOU)
        page = said(app)
        assert words("order.caregiver", name="李桂兰") in page
        assert words("visit_status.planned") in page
        assert words("order.number", number=order_id) in page
        assert "¥80（2 小时 × ¥40/小时）" in page
        assert "09:00–11:00" in page
        assert [one.value for one in app.subheader] == [words("my_orders.coming")]

    def test_no_phone_and_no_address_of_the_caregiver_is_shown(self, open_app):
        made(make_order)
        assert "1380000" not in said(open_app(PAGE, ZHOU))

    def test_another_caregiver_is_asked_for_within_the_free_time(self, open_app):
        order_id = made(make_order)
        app = open_app(PAGE, ZHOU)
        until = formats.moment(order(order_id).decline_until)
        assert words("order.decline_warning", until=until) in said(
            opened(app, f"decline_{order_id}_ask")
        )
        confirm(app, f"decline_{order_id}")
        assert successes(app) == [words("order.declined")]
        assert order(order_id).status is OrderStatus.CANCELLED
        assert demand(order(order_id).demand_id).status is DemandStatus.OPEN

    def test_after_the_free_time_only_cancelling_is_left(self, open_app, clock):
        order_id = made(make_order)
        clock.move(hours=3)
        buttons = questions(open_app(PAGE, ZHOU))
        assert f"decline_{order_id}" not in buttons
        assert f"cancel_{order_id}" in buttons

    def test_the_free_time_over_at_the_click_is_refused_in_words(
        self, open_app, clock, monkeypatch
    ):
        order_id = made(make_order)
        app = open_app(PAGE, ZHOU)
        decline = orders.decline

        def too_late(session, actor, order_id):
            clock.move(hours=3)
            decline(session, actor, order_id)

        monkeypatch.setattr(orders, "decline", too_late)
        confirm(app, f"decline_{order_id}")
        assert errors(app) == [words("error.decline_too_late")]
        assert order(order_id).status is OrderStatus.CONFIRMED

    def test_one_is_cancelled_after_asking(self, open_app):
        order_id = made(make_order)
        app = open_app(PAGE, ZHOU)
        with reading() as session:
            visit_id = visit_of(session, order_id)
        asked = said(opened(app, f"cancel_{visit_id}_ask"))
        assert words("changes.cancel_customer_single") in asked
        confirm(app, f"cancel_{visit_id}")
        assert successes(app) == [words("order.cancelled")]
        assert order(order_id).status is OrderStatus.CANCELLED
        assert words("visit_status.cancelled") in said(app)
        assert f"cancel_{visit_id}" not in questions(app)

    def test_one_whose_visit_began_at_the_click_is_refused_in_words(
        self, open_app, clock, monkeypatch
    ):
        visit_id = made(make_visit, starts_at=clock() + timedelta(hours=1))
        with reading() as session:
            order_id = order_of(session, visit_id)
        app = open_app(PAGE, ZHOU)
        end = orders.decline

        def too_late(session, actor, order_id):
            visits.check_in(session, LI, visit_id)
            session.flush()
            end(session, actor, order_id)

        monkeypatch.setattr(orders, "decline", too_late)
        confirm(app, f"decline_{order_id}")
        assert errors(app) == [words("error.visit_moved_on")]
        assert order(order_id).status is OrderStatus.CONFIRMED

    def test_one_changed_in_another_tab_is_drawn_as_it_now_is(self, open_app):
        order_id = made(make_order)
        app = opened(open_app(PAGE, ZHOU), f"decline_{order_id}_ask")
        with writing() as session:
            cancel_order(session, ZHOU, order_id)
        app.button(key=f"decline_{order_id}").click().run()
        assert not app.exception
        assert not successes(app)
        assert words("visit_status.cancelled") in said(app)
        assert demand(order(order_id).demand_id).status is DemandStatus.MATCHED

    def test_the_history_tells_every_step_in_words(self, open_app):
        visit_id = made(make_redeemed_visit)
        with reading() as session:
            order_id = order_of(session, visit_id)
        app = open_app(PAGE, ZHOU)
        app.session_state[f"history_{order_id}"] = True
        page = said(app.run())
        steps = ("demand_post", "application_apply", "order_approve", "visit_check_in",
                 "visit_check_out", "visit_redeem", "order_complete")  # fmt: skip
        assert not [step for step in steps if words(f"step.{step}") not in page]

    def test_more_than_four_wait_behind_a_click(self, open_app, clock):
        for number in range(7):
            made(make_order, starts_at=clock() + timedelta(days=number + 1))
        app = open_app(PAGE, ZHOU)
        assert len([key for key in keys(app) if key.startswith("see_caregiver_")]) == 4
        app.button(key="coming_more").click().run()
        assert len([key for key in keys(app) if key.startswith("see_caregiver_")]) == 7

    def test_the_caregivers_page_opens_with_reviews_and_no_contact(self, open_app):
        visit_id = made(make_redeemed_visit)
        with writing() as session:
            reviews.write(session, ZHOU, visit_id, reviews.ReviewForm(5, 5, 5, 5, NASTY))
            session.get_one(Account, LI.id).name = "**李** [桂兰](http://a.cn)"
        app = open_app(PAGE, ZHOU)
        with reading() as session:
            order_id = order_of(session, visit_id)
        app.button(key=f"see_caregiver_{order_id}").click().run()
        assert not app.exception
        # A dialog's title is Markdown: every sign of it must be escaped.
        titles = [block.proto.dialog.title for block in app.get("dialog")]
        assert titles == [formats.plain("**李** [桂兰](http://a.cn)")]
        assert NASTY in [text.value for text in app.text]
        shown = [one.value for one in [*app.caption, *app.text, *app.markdown]]
        assert [one for one in shown if one.startswith(words("review.by", family="周"))]
        assert not [one for one in shown if "1380000" in one or "138****" in one]


class TestReport:
    def test_what_the_caregiver_did_and_said_is_shown_as_typed(self, open_app, clock):
        with writing() as session:
            visit_id = make_finished_visit(session)
            session.get_one(Visit, visit_id).report_words = NASTY
        app = open_app(PAGE, ZHOU)
        page = said(app)
        assert words("order.report") in page
        assert NASTY in [text.value for text in app.text]
        assert page.count(":green-badge[:material/check: ") == 2
        assert words("order.redeem_now") in [button.label for button in app.button]


class TestReview:
    def test_four_scores_and_words_are_written_once(self, open_app):
        visit_id = made(make_redeemed_visit)
        app = review(open_review(open_app, visit_id), visit_id, said_too=NASTY)
        assert not app.exception
        assert successes(app) == [words("review.written")]
        (kept,) = written()
        assert (kept.skill, kept.attitude, kept.communication, kept.overall) == (5, 4, 3, 5)
        assert kept.words == NASTY
        assert f"review_{visit_id}_submit" not in keys(app)

    def test_missing_stars_are_refused_and_the_words_stay(self, open_app):
        visit_id = made(make_redeemed_visit)
        app = open_review(open_app, visit_id)
        review(app, visit_id, stars=(5, 5, 0, 5), said_too="谢谢")
        assert errors(app) == [words("error.score_out_of_range")]
        assert not written()
        assert app.text_area(key=f"review_{visit_id}_words").value == "谢谢"
        review(app, visit_id, said_too="谢谢")
        assert len(written()) == 1

    def test_a_second_one_from_another_tab_is_refused_in_words(self, open_app, monkeypatch):
        visit_id = made(make_redeemed_visit)
        app = open_review(open_app, visit_id)
        write = reviews.write

        def twice(session, actor, visit_id, form):
            write(session, actor, visit_id, form)
            write(session, actor, visit_id, form)

        monkeypatch.setattr(reviews, "write", twice)
        assert errors(review(app, visit_id)) == [words("error.already_reviewed")]
        assert not written()

    def test_before_redemption_there_is_nothing_to_review(self, open_app):
        visit_id = made(make_finished_visit)
        app = open_review(open_app, visit_id)
        assert f"review_{visit_id}_submit" not in keys(app)


def test_a_strangers_demands_and_orders_are_invisible(open_app, clock):
    with writing() as session:
        made_ids = {
            make_demand(session),
            demand_of(session, make_application(session, words="只给我们看")),
        }
        make_order(session, starts_at=clock() + timedelta(days=3))
        make_redeemed_visit(session)
    app = open_app(PAGE, STRANGER)
    assert words("empty.my_orders") in said(app)
    assert "周奶奶" not in said(app)
    assert not {f"withdraw_{one}" for one in made_ids} & questions(app)


def test_a_cancelled_visit_stays_in_the_past(open_app):
    order_id = made(make_order)
    with writing() as session:
        cancel_order(session, ZHOU, order_id)
        session.flush()
        assert session.get_one(Visit, visit_of(session, order_id)).status is VisitStatus.CANCELLED
    headings = [one.value for one in open_app(PAGE, ZHOU).subheader]
    assert headings == [words("my_orders.past")]


def test_the_page_speaks_english(open_app):
    made(make_order)
    made(make_demand)
    app = speak_english(open_app(PAGE, ZHOU))
    assert app.title[0].value == "My orders"
    assert "Companionship" in said(app)
    assert "Tue 8 Jan" in said(app)


def test_a_former_demand_opens_the_form_filled_in_for_next_week(open_app, opened):
    demand_id = made(make_demand, words=NASTY)
    with writing() as session:
        demands.withdraw(session, ZHOU, demand_id)
    app = open_app(PAGE, ZHOU)
    app.session_state["ended_demands"] = True
    app.run()
    app.button(key=f"again_demand_{demand_id}").click().run()
    assert not app.exception
    assert app.title[0].value == words("page.post_demand")
    assert successes(app) == [words("draft.ready")]
    assert app.text_area(key="demand_words").value == NASTY
    assert f"{app.date_input(key='demand_day').value:%m-%d}" == "01-15"


def test_a_former_order_is_posted_again_as_well(open_app):
    visit_id = made(make_redeemed_visit)
    with reading() as session:
        order_id = order_of(session, visit_id)
    app = open_app(PAGE, ZHOU)
    app.button(key=f"again_order_{order_id}").click().run()
    assert app.text_input(key="demand_address").value == "濠河花园 3 幢 502 室"


def test_a_draft_being_written_is_kept_and_that_is_said(open_app):
    order_id = made(make_order)
    with writing() as session:
        drafts.save(session, ZHOU, drafts.DraftFields(words="还没写完"))
    app = open_app(PAGE, ZHOU)
    app.button(key=f"again_order_{order_id}").click().run()
    assert errors(app) == [words("error.draft_exists")]


def test_caregivers_are_invited_by_name_with_one_click(open_app):
    demand_id = made(make_demand)
    app = opened(open_app(PAGE, ZHOU), f"invite_for_{demand_id}")
    assert "李桂兰" in said(app)
    assert "¥40/小时" in said(app)
    app.button(key=f"invite_{demand_id}_{LI.id}").click().run()
    assert not app.exception
    assert successes(app) == [words("invite.done")]
    assert words("invite.count", count=1) in said(app)
    app = opened(app, f"invite_for_{demand_id}")
    assert f"invite_{demand_id}_{LI.id}" not in keys(app)
    assert f"invite_{demand_id}_{ZHAO.id}" in keys(app)


def test_one_who_has_become_busy_is_offered_no_more(open_app):
    demand_id = made(make_demand)
    app = opened(open_app(PAGE, ZHOU), f"invite_for_{demand_id}")
    app.button(key=f"invite_{demand_id}_{LI.id}").click()
    made(make_order, customer=STRANGER)
    app.run()
    assert not app.exception
    assert "李桂兰" not in said(app)
    with reading() as session:
        assert not session.scalars(select(Invitation)).all()


def test_the_price_of_a_demand_is_raised_while_nobody_applied(open_app):
    demand_id = made(make_demand, highest_fen=4500)
    app = opened(open_app(PAGE, ZHOU), f"improve_{demand_id}_open")
    app.slider(key=f"improve_{demand_id}_price").set_range(35, 60)
    app.button(key=f"improve_{demand_id}_save").click().run()
    assert not app.exception
    assert successes(app) == [words("idle.improved")]
    assert (demand(demand_id).lowest_fen, demand(demand_id).highest_fen) == (3500, 6000)


def test_lowering_it_is_refused_in_words(open_app):
    demand_id = made(make_demand, lowest_fen=3500, highest_fen=4500)
    app = opened(open_app(PAGE, ZHOU), f"improve_{demand_id}_open")
    app.slider(key=f"improve_{demand_id}_price").set_range(35, 40)
    app.button(key=f"improve_{demand_id}_save").click().run()
    assert errors(app) == [words("error.price_lowered")]


def test_once_somebody_applied_it_cannot_be_improved(open_app):
    with writing() as session:
        demand_id = demand_of(session, make_application(session))
    app = open_app(PAGE, ZHOU)
    assert f"improve_{demand_id}_open" not in str(app.get("popover"))
    assert f"withdraw_{demand_id}" in questions(app)


def test_one_offered_again_says_what_would_help(open_app):
    demand_id = made(make_demand)
    assert words("idle.advice") not in said(open_app(PAGE, ZHOU))
    with writing() as session:
        session.get_one(Demand, demand_id).offers = 2
    assert words("idle.advice") in said(open_app(PAGE, ZHOU))

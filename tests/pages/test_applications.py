from datetime import date, timedelta

from sqlalchemy import select

from data.database import reading, writing
from data.demands import Application, ApplicationStatus, Invitation
from data.orders import Order, OrderKind, Visit
from services import applications, clock, recurrence
from tests import factories
from tests.factories import FAR_OPERATOR, LI, NAMES, OPERATOR, ZHAO
from tests.pages.screen import confirm, opened, said, successes, words

PAGE = "pages/operator/applications.py"


def two_rivals():
    """A demand LI and ZHAO both want; their applications' ids."""
    with writing() as session:
        demand_id = factories.make_demand(session)
        return (
            factories.make_application(session, demand_id, caregiver=LI, price_fen=4500),
            factories.make_application(session, demand_id, caregiver=ZHAO, price_fen=4000),
        )


def answer(app, answer, application_id):
    confirm(app, f"{answer}_{application_id}")


def candidates(app):
    """The applications on the page, in their order."""
    profiles = [str(button.key) for button in app.button if str(button.key).startswith("profile_")]
    return [int(key.removeprefix("profile_")) for key in profiles]


def status_of(application_id):
    with reading() as session:
        return session.get_one(Application, application_id).status


def test_rivals_stand_side_by_side_with_price_and_total(open_app):
    two_rivals()
    text = said(open_app(PAGE, OPERATOR))
    assert NAMES[LI] in text
    assert NAMES[ZHAO] in text
    assert "**¥90**" in text
    assert "**¥80**" in text


def test_the_likeliest_comes_first_and_nobody_is_hidden(open_app):
    lis, zhaos = two_rivals()
    app = open_app(PAGE, OPERATOR)
    assert candidates(app) == [zhaos, lis]


def test_a_busy_caregiver_comes_last_even_at_a_lower_price(open_app):
    with writing() as session:
        demand_id = factories.make_demand(session)
        lis = factories.make_application(session, demand_id, caregiver=LI, price_fen=4500)
        zhaos = factories.make_application(session, demand_id, caregiver=ZHAO, price_fen=3500)
        factories.make_order(session, caregiver=ZHAO)
    app = open_app(PAGE, OPERATOR)
    assert candidates(app) == [lis, zhaos]


def test_choosing_one_makes_the_order_and_closes_the_rival(open_app):
    lis, zhaos = two_rivals()
    app = open_app(PAGE, OPERATOR)
    answer(app, "approve", lis)
    assert status_of(lis) is ApplicationStatus.APPROVED
    assert status_of(zhaos) is ApplicationStatus.WAITLISTED
    with reading() as session:
        assert session.scalars(select(Order)).one().caregiver_id == LI.id
    assert words("empty.applications") in said(app)


def test_declining_one_leaves_the_other(open_app):
    lis, zhaos = two_rivals()
    app = open_app(PAGE, OPERATOR)
    answer(app, "decline", lis)
    assert status_of(lis) is ApplicationStatus.DECLINED
    assert status_of(zhaos) is ApplicationStatus.SUBMITTED
    assert NAMES[LI] not in said(app)


def test_a_caregiver_who_is_busy_is_refused_in_words(open_app):
    with writing() as session:
        first = factories.make_application(session)
        second = factories.make_application(session)
        applications.approve(session, OPERATOR, first)
    app = open_app(PAGE, OPERATOR)
    answer(app, "approve", second)
    assert [error.value for error in app.error] == [words("error.caregiver_busy")]
    assert status_of(second) is ApplicationStatus.SUBMITTED


def test_a_demand_without_applicants_is_shown_apart(open_app):
    with writing() as session:
        factories.make_demand(session, words="请早点来")
    app = open_app(PAGE, OPERATOR)
    assert words("empty.applications") in said(app)
    app.session_state["unanswered"] = True
    text = said(app.run())
    assert words("applications.unanswered_next") in text
    assert "请早点来" in text


def test_the_page_shows_two_demands_and_more_on_demand(open_app, clock):
    with writing() as session:
        for day in range(1, 8):
            factories.make_application(session, starts_at=clock() + timedelta(days=day))
    app = open_app(PAGE, OPERATOR)
    assert len(candidates(app)) == 2
    app.button(key="more_applications").click().run()
    assert len(candidates(app)) == 7


def test_an_operator_of_another_city_sees_nothing(open_app):
    two_rivals()
    app = open_app(PAGE, FAR_OPERATOR)
    assert words("empty.applications") in said(app)
    assert NAMES[LI] not in said(app)


def test_a_demand_nobody_applied_for_is_pushed_to_a_caregiver_by_name(open_app):
    with writing() as session:
        demand_id = factories.make_demand(session)
    app = open_app(PAGE, OPERATOR)
    app.session_state["unanswered"] = True
    app.session_state[f"invite_for_{demand_id}"] = True
    app.run()
    assert NAMES[LI] in said(app)
    app.session_state["unanswered"] = app.session_state[f"invite_for_{demand_id}"] = True
    app.button(key=f"invite_{demand_id}_{LI.id}").click().run()
    assert not app.exception
    assert successes(app) == [words("invite.done")]
    with reading() as session:
        row = session.scalars(select(Invitation)).one()
    assert (row.demand_id, row.caregiver_id, row.invited_by_id) == (demand_id, LI.id, OPERATOR.id)


def a_plan_li_can_partly_make():
    """A plan of two working weeks that LI and ZHAO want, and LI's first day taken."""
    first = date(2030, 1, 14)
    with writing() as session:
        demand_id = factories.make_demand(
            session,
            starts_at=recurrence.moment(first, 9 * 60),
            rule=recurrence.weekly(range(5), 1, first),
            until_on=first + timedelta(days=13),
        )
        zhaos = factories.make_application(session, demand_id, caregiver=ZHAO)
        lis = factories.make_application(session, demand_id, caregiver=LI)
        factories.make_order(session, caregiver=LI, starts_at=recurrence.moment(first, 10 * 60))
    return lis, zhaos


def test_of_a_plan_each_candidate_says_how_much_of_it_she_can_make(open_app):
    lis, zhaos = a_plan_li_can_partly_make()
    app = open_app(PAGE, OPERATOR)
    assert candidates(app) == [zhaos, lis]
    page = said(app)
    assert words("applications.fits", fitting=10, all=10) in page
    assert words("applications.fits", fitting=9, all=10) in page
    assert f"{words('clash.busy')} × 1" in page


def test_the_days_left_out_are_named_before_the_click_and_skipped(open_app):
    lis, _ = a_plan_li_can_partly_make()
    app = opened(open_app(PAGE, OPERATOR), f"approve_{lis}_ask")
    app.run()
    assert words("applications.left_out", count=1, days="1月14日 周一") in said(app)
    answer(app, "approve", lis)
    assert not app.exception
    with reading() as session:
        visits = select(Visit.starts_at).join(Order, Order.id == Visit.order_id)
        planned = session.scalars(visits.where(Order.kind == OrderKind.MONTHLY)).all()
    days = {clock.in_city(at).date() for at in planned}
    assert (len(days), date(2030, 1, 14) in days) == (9, False)


def test_the_bar_shows_how_full_each_candidates_week_is(open_app):
    with writing() as session:
        demand_id = factories.make_demand(session)
        for caregiver in (LI, ZHAO):
            factories.make_application(session, demand_id, caregiver=caregiver)
        for day in (2, 3):
            starts_at = factories.MONDAY + timedelta(days=day)
            factories.make_order(session, caregiver=LI, starts_at=starts_at)
    page = said(open_app(PAGE, OPERATOR))
    with reading() as session:
        [decision] = applications.waiting(session, OPERATOR)
    loads = {one.caregiver_id: one.load for one in decision.candidates}
    assert loads[LI.id].booked > loads[ZHAO.id].booked == timedelta()
    for load in loads.values():
        hours = [f"{one / timedelta(hours=1):g}" for one in (load.booked, load.works)]
        assert words("applications.hours", booked=hours[0], works=hours[1]) in page
        assert f"**{load.saturation:.0%}**" in page

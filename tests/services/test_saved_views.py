from datetime import timedelta

import pytest
from sqlalchemy import func, select

from data.publications import SavedView
from services import erasure, saved_views
from services.access import SYSTEM, Actor, Role
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from tests.factories import ANALYST, CHONGCHUAN, DESK, LI, NASTY, OPERATOR, ZHOU

QUERY = {"place": CHONGCHUAN, "care": "elderly"}


def save(session, actor=ANALYST, name="崇川老人", page="demand_map", query=QUERY):
    saved_views.save(session, actor, page, name, query)
    session.flush()


def test_a_view_is_kept_with_its_page_and_query_and_listed_by_name(session, clock):
    save(session)
    save(session, name="按月", page="findings", query={})

    views = saved_views.mine(session, ANALYST)

    kept = {view.name: (view.page, view.query) for view in views}
    assert kept == {"崇川老人": ("demand_map", QUERY), "按月": ("findings", {})}


def test_a_name_that_is_used_again_is_the_newer_view(session, clock):
    save(session)
    save(session, name=" 崇川老人\n", page="findings", query={})

    [view] = saved_views.mine(session, ANALYST)

    assert (view.name, view.page, view.query) == ("崇川老人", "findings", {})


def test_what_people_type_comes_back_as_typed(session, clock):
    name = NASTY[: saved_views.LONGEST_NAME].strip()
    save(session, name=name)

    assert saved_views.mine(session, ANALYST)[0].name == name


@pytest.mark.parametrize("name", ["", "   ", "长" * 41])
def test_a_name_is_wanted_and_short(session, clock, name):
    with pytest.raises(Invalid):
        save(session, name=name)


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("customers", {}),
        ("demand_map", {"customer": "12"}),
        ("demand_map", {"place": "x" * 21}),
        ("demand_map", {"place": ""}),
    ],
)
def test_only_pages_of_figures_and_their_filters_are_kept(session, clock, page, query):
    with pytest.raises(Invalid):
        save(session, page=page, query=query)


def test_thirty_are_enough_and_one_of_them_can_still_be_replaced(session, clock):
    for number in range(saved_views.MOST):
        save(session, name=f"view {number}")
    with pytest.raises(Conflict):
        save(session, name="one more")

    save(session, name="view 3", query={})

    assert len(saved_views.mine(session, ANALYST)) == saved_views.MOST


def test_nobody_sees_or_removes_anothers(session, clock):
    save(session)
    [view] = saved_views.mine(session, ANALYST)

    assert saved_views.mine(session, OPERATOR) == []
    with pytest.raises(NotFound):
        saved_views.remove(session, OPERATOR, view.id)
    saved_views.remove(session, ANALYST, view.id)
    assert saved_views.mine(session, ANALYST) == []
    with pytest.raises(NotFound):
        saved_views.remove(session, ANALYST, view.id)


@pytest.mark.parametrize("actor", [ZHOU, LI, DESK])
def test_who_reads_no_figures_keeps_no_views(session, clock, actor):
    with pytest.raises(NotAllowed):
        save(session, actor)


def test_erasure_forgets_them(session, clock):
    save(session, Actor(ZHOU.id, Role.ANALYST))  # Zhou worked here once.
    save(session)
    erasure.ask(session, ZHOU)
    clock.move(to=clock() + timedelta(days=8))

    assert erasure.erase_due(session, SYSTEM) == 1

    left = select(func.count(SavedView.id)).where(SavedView.account_id == ZHOU.id)
    assert session.scalar(left) == 0
    assert len(saved_views.mine(session, ANALYST)) == 1

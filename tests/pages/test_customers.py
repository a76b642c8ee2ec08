import pytest
from sqlalchemy import select

from data.accounts import Account, AccountStatus
from data.database import reading, writing
from data.history import AuditEvent
from services import customers
from services.phones import masked
from tests import factories
from tests.factories import (
    FAR_OPERATOR,
    NAMES,
    NANTONG,
    NASTY,
    OPERATOR,
    STRANGER,
    ZHOU,
    one_person,
    phone_of,
)
from tests.pages.screen import confirm, errors, keys, opened, questions, said, successes, words

PAGE = "pages/operator/customers.py"


@pytest.fixture(autouse=True)
def both(database):
    """Zhou and the stranger both chose Nantong, and may be one person."""
    with writing() as session:
        one_person(session)
        for actor in (ZHOU, STRANGER):
            session.get_one(Account, actor.id).city_code = NANTONG


def names(app):
    return list(app.dataframe[0].value["name"])


def look_for(app, typed):
    return app.text_input(key="customer_search").input(typed).run()


def shown(app, actor=ZHOU):
    """The page with one customer in full, as a link or a click on a row brings it."""
    app.query_params["customer"] = str(actor.id)
    return app.run()


def status_of(actor):
    with reading() as session:
        return session.get_one(Account, actor.id).status


def test_the_customers_of_the_city_stand_in_a_table(open_app):
    app = open_app(PAGE, OPERATOR)

    assert names(app) == [NAMES[STRANGER], NAMES[ZHOU]]
    assert masked(phone_of(ZHOU)) in set(app.dataframe[0].value["phone"])
    assert words("customers.found", count=2) in said(app)


@pytest.mark.parametrize("typed", ["晓燕", "0001", "138 0000 0001"])
def test_one_is_found_by_name_or_phone(open_app, typed):
    assert names(look_for(open_app(PAGE, OPERATOR), typed)) == [NAMES[ZHOU]]


@pytest.mark.parametrize("typed", ["没有这人", NASTY[:40]])
def test_nobody_found_is_said(open_app, typed):
    app = look_for(open_app(PAGE, OPERATOR), typed)

    assert words("empty.customers") in said(app)
    assert not app.exception


def test_half_a_phone_is_refused_in_words(open_app):
    app = look_for(open_app(PAGE, OPERATOR), "13800")

    assert errors(app) == [words("error.phone_invalid")]


def test_many_come_in_pages(open_app):
    with writing() as session:
        for number in range(27):
            family, _ = factories.make_family(session, number)
            session.get_one(Account, family.id).city_code = NANTONG

    assert len(names(open_app(PAGE, OPERATOR))) == 25


def test_one_in_full_shows_recipients_and_orders_but_no_phone(open_app):
    with writing() as session:
        order_id = factories.make_order(session)
    app = shown(open_app(PAGE, OPERATOR))
    links = [link.proto for link in app.get("page_link")]

    assert f"周奶奶，{words('recipient.years', years=81)}" in said(app)
    assert any(f"order={order_id}" in link.query_string for link in links)
    assert phone_of(ZHOU) not in said(app)


def test_opening_the_whole_phone_shows_it_and_is_recorded(open_app):
    app = shown(open_app(PAGE, OPERATOR))
    app.button(key=f"customer_phone_{ZHOU.id}").click().run()

    assert phone_of(ZHOU) in said(app)
    with reading() as session:
        events = session.scalars(select(AuditEvent).where(AuditEvent.action == "open_phone"))
        assert [event.actor_id for event in events] == [OPERATOR.id]


def test_suspending_names_what_it_means_and_needs_a_reason(open_app):
    with writing() as session:
        factories.make_order(session)
        factories.make_demand(session)
    key = f"suspend_customer_{ZHOU.id}"
    app = opened(shown(open_app(PAGE, OPERATOR)), f"{key}_ask").run()
    assert words("customers.suspend_means", orders=1, requests=0, demands=1) in said(app)

    opened(app, f"{key}_ask").button(key=key).click().run()
    assert errors(app) == [words("error.missing", field=words("field.reason"))]
    assert status_of(ZHOU) is AccountStatus.ACTIVE

    opened(app, f"{key}_ask").text_area(key=f"reason_{key}").input("恶意取消")
    app.button(key=key).click().run()
    assert successes(app) == [words("customers.suspended")]
    assert status_of(ZHOU) is AccountStatus.SUSPENDED


def test_a_suspended_one_is_restored(open_app):
    with writing() as session:
        customers.move(session, OPERATOR, ZHOU.id, "suspend", "恶意取消")
    app = confirm(shown(open_app(PAGE, OPERATOR)), f"restore_customer_{ZHOU.id}")

    assert successes(app) == [words("customers.restored")]
    assert status_of(ZHOU) is AccountStatus.ACTIVE


def other_by_phone(app, phone):
    """The two accounts side by side."""
    opened(app, f"merge_{ZHOU.id}_ask").run()
    app.session_state[f"merge_{ZHOU.id}_ask"] = True
    app.text_input(key=f"merge_phone_{ZHOU.id}").input(phone).run()
    app.session_state[f"merge_{ZHOU.id}_ask"] = True
    return app


def test_two_accounts_are_shown_side_by_side_and_merged(open_app):
    app = other_by_phone(shown(open_app(PAGE, OPERATOR)), phone_of(STRANGER)).run()
    assert {words("customers.kept"), words("customers.gone"), words("customers.merge_moves")} <= {
        line for element in (*app.main.caption, *app.main.markdown) for line in [element.value]
    }
    app.session_state[f"merge_{ZHOU.id}_ask"] = True
    app.session_state[f"merge_now_{ZHOU.id}_ask"] = True
    app.run()
    app.session_state[f"merge_{ZHOU.id}_ask"] = True
    app.session_state[f"merge_now_{ZHOU.id}_ask"] = True
    app.button(key=f"merge_now_{ZHOU.id}").click().run()

    assert successes(app) == [words("customers.merged")]
    assert status_of(STRANGER) is AccountStatus.MERGED


@pytest.mark.parametrize(
    ("phone", "key"),
    [
        (phone_of(ZHOU), "merge_with_itself"),
        ("13900009999", "customer_not_found"),
        ("😀", "phone_invalid"),
    ],
)
def test_what_cannot_be_merged_is_refused_in_words(open_app, phone, key):
    app = other_by_phone(shown(open_app(PAGE, OPERATOR)), phone).run()

    assert errors(app) == [words(f"error.{key}")]
    assert f"merge_now_{ZHOU.id}" not in questions(app)


def test_a_merged_account_has_nothing_left_to_do(open_app):
    with writing() as session:
        customers.merge(session, OPERATOR, ZHOU.id, STRANGER.id)
    app = shown(open_app(PAGE, OPERATOR), STRANGER)

    assert not {key for key in keys(app) | questions(app) if str(key).startswith(("rest", "merg"))}


def test_an_operator_of_another_city_sees_nothing(open_app):
    app = open_app(PAGE, FAR_OPERATOR)
    assert words("empty.customers") in said(app)

    assert errors(shown(app)) == [words("error.customer_not_found")]

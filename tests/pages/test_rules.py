"""The rule book: drafting, trying out, deciding."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from data.database import reading, writing
from data.rules import RuleStatus, RuleVersion
from services import clock as service_clock
from services import rule_changes, rules
from tests.factories import (
    COMPANIONSHIP,
    FAR_OPERATOR,
    LI,
    LUZHOU,
    NAMES,
    NANTONG,
    OPERATOR,
    make_operator,
    make_redeemed_visit,
    make_rules,
)
from tests.pages.screen import confirm, errors, keys, opened, said, successes, words

PAGE = "pages/operator/rules.py"
WHY = "周末请不到人"


@pytest.fixture
def second(database):
    with writing() as session:
        return make_operator(session)


@pytest.fixture
def version_id(database):
    with writing() as session:
        found = rule_changes.draft(session, OPERATOR, NANTONG)
        begins = service_clock.today() + timedelta(days=5)
        numbers = {"weekend_bp": 1000}
        rule_changes.revise(session, OPERATOR, found, numbers, valid_from=begins, said=WHY)
        return found


def version(version_id):
    with reading() as session:
        return rules.version(session, OPERATOR, version_id)


def editor(app, version_id):
    return opened(app, f"edit_rules_{version_id}").run()


def test_before_the_first_version_the_usual_numbers_are_shown(open_app):
    shown = said(open_app(PAGE, OPERATOR))

    assert words("rules.usual") in shown
    assert words("rules.alone") in shown
    assert words("rules.step_customer_fees", bound=4, share="50%") in shown
    assert words("rules.no_prices") in shown
    assert NANTONG not in str(keys(open_app(PAGE, FAR_OPERATOR)))


def test_what_is_in_force_is_shown_with_how_many_orders_hang_on_it(open_app):
    with writing() as session:
        make_rules(session, night_bp=4200, prices={str(COMPANIONSHIP): {"junior": [3000, 4500]}})
        make_redeemed_visit(session)

    shown = said(open_app(PAGE, OPERATOR))
    assert words("rules.number", number=1) in shown
    assert "42%" in shown
    assert words("rules.usual") not in shown


def test_a_draft_is_begun_changed_part_by_part_and_says_what_it_changes(open_app):
    app = open_app(PAGE, OPERATOR)
    app.button(key=f"begin_rules_{NANTONG}").click().run()
    assert successes(app) == [words("rules.begun")]
    with reading() as session:
        version_id = session.scalars(select(RuleVersion.id)).one()
    assert words("rules.changes_nothing") in said(app)

    key = f"edit_rules_{version_id}"
    editor(app, version_id)
    app.number_input(key=f"{key}_surcharges_weekend_bp").set_value(12.5)
    app.number_input(key=f"{key}_surcharges_monthly_steps_2_bound").set_value(4)
    app.number_input(key=f"{key}_surcharges_monthly_steps_2_share").set_value(2.0)
    app.button(key=f"{key}_save_surcharges").click().run()
    assert successes(app) == [words("rules.saved")]
    assert version(version_id).changes == {
        "weekend_bp": (0, 1250),
        "monthly_steps": ([[20, 1000], [8, 500]], [[20, 1000], [8, 500], [4, 200]]),
    }


def test_prices_and_shares_of_items_are_set_item_by_item(open_app, version_id):
    app = editor(open_app(PAGE, OPERATOR), version_id)
    key = f"edit_rules_{version_id}"
    app.pills(key=f"{key}_section").set_value("prices").run()
    app.selectbox(key=f"{key}_item").set_value(COMPANIONSHIP).run()
    app.number_input(key=f"{key}_{COMPANIONSHIP}_junior_lowest").set_value(30.0)
    app.number_input(key=f"{key}_{COMPANIONSHIP}_junior_highest").set_value(45.0)
    app.button(key=f"{key}_save_prices").click().run()
    assert successes(app) == [words("rules.saved")]

    editor(app, version_id)
    app.pills(key=f"{key}_section").set_value("commission").run()
    app.number_input(key=f"{key}_commission_commissions_{COMPANIONSHIP}").set_value(8.0)
    app.button(key=f"{key}_save_commission").click().run()
    changed = version(version_id).changes
    assert changed["prices"][1] == {str(COMPANIONSHIP): {"junior": [3000, 4500]}}
    assert changed["commissions"][1] == {str(COMPANIONSHIP): 800}


def test_a_number_out_of_its_range_is_refused_in_words_and_nothing_is_lost(open_app, version_id):
    app = editor(open_app(PAGE, OPERATOR), version_id)
    key = f"edit_rules_{version_id}"
    app.pills(key=f"{key}_section").set_value("commission").run()
    app.number_input(key=f"{key}_commission_commission_bp").set_value(101.0)
    app.button(key=f"{key}_save_commission").click().run()

    label = words("field.commission_bp")
    assert errors(app) == [words("error.number_out_of_range", field=label, fewest="0", most="50")]
    assert app.number_input(key=f"{key}_commission_commission_bp").value == 101.0
    assert "commission_bp" not in version(version_id).changes


def test_alone_it_takes_the_number_typed_and_a_day_and_can_be_withdrawn(open_app, version_id):
    app = open_app(PAGE, OPERATOR)
    key = f"announce_rules_{version_id}"
    app.text_input(key=f"{key}_typed").set_value("7")
    app.button(key=key).click().run()
    assert errors(app) == [words("error.rules_number_typed", number=1)]

    app.text_input(key=f"{key}_typed").set_value("1")
    app.button(key=key).click().run()
    assert successes(app) == [words("rules.announced")]
    assert version(version_id).status is RuleStatus.WAITING
    confirm(app, f"withdraw_rules_{version_id}")
    assert successes(app) == [words("rules.withdrawn")]
    assert version(version_id).status is RuleStatus.WITHDRAWN


def test_a_second_operator_decides(open_app, version_id, second):
    app = open_app(PAGE, OPERATOR)
    assert words("rules.together") in said(app)
    confirm(app, f"propose_rules_{version_id}")
    assert successes(app) == [words("rules.proposed")]
    assert f"approve_rules_{version_id}_ask" not in keys(app)

    app = open_app(PAGE, second)
    confirm(app, f"approve_rules_{version_id}")
    assert successes(app) == [words("rules.published")]
    assert version(version_id).status is RuleStatus.PUBLISHED


def test_and_may_turn_it_down_with_the_reason(open_app, version_id, second):
    with writing() as session:
        rule_changes.propose(session, OPERATOR, version_id)
    app = open_app(PAGE, second)
    key = f"turn_down_rules_{version_id}"
    app.text_area(key=f"reason_{key}").set_value("加得太多")
    app.button(key=key).click().run()

    assert successes(app) == [words("rules.given_back")]
    [warning] = open_app(PAGE, OPERATOR).warning
    assert warning.value == words("rules.turned_down", words="加得太多")


def test_a_draft_is_tried_out_on_days_gone_by(open_app, version_id):
    with writing() as session:
        rule_changes.revise(session, OPERATOR, version_id, {"commission_bp": 2000})
        make_redeemed_visit(session)
    app = opened(open_app(PAGE, OPERATOR), f"replay_{version_id}").run()

    shown = said(app)
    assert words("replays.visits", count=1) in shown
    assert [metric.label for metric in app.metric][:3] == [
        words(f"replays.{one}") for one in ("families", "caregivers", "platform")
    ]
    assert [metric.delta for metric in app.metric][:3] == ["+¥8", "+¥2.40", "+¥5.60"]
    assert words("replays.caregiver_moved", more=1, less=0, same=0) in shown


def test_without_visits_it_says_so_and_still_counts_cases(open_app, version_id):
    with writing() as session:
        rule_changes.revise(session, OPERATOR, version_id, {"appeal_days": 3})
    app = opened(open_app(PAGE, OPERATOR), f"replay_{version_id}").run()

    assert words("replays.no_visits") in said(app)
    assert words("replays.appeals_too_late", now=0, then=0) in said(app)


def test_names_are_shown_only_when_asked_for(open_app, version_id):
    with writing() as session:
        rule_changes.revise(session, OPERATOR, version_id, {"commission_bp": 2000})
        make_redeemed_visit(session)
    key = f"replay_{version_id}"
    app = opened(open_app(PAGE, OPERATOR), key).run()
    assert app.dataframe[1].value["name"].tolist() == [words("replays.caregiver_alias", number=1)]
    app.toggle(key=f"{key}_caregiver_names").set_value(True).run()
    assert app.dataframe[1].value["name"].tolist() == [NAMES[LI]]


def test_another_city_has_a_book_of_its_own(open_app, version_id):
    app = open_app(PAGE, FAR_OPERATOR)

    assert f"begin_rules_{LUZHOU}" in keys(app)
    assert WHY not in said(app)

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from data.catalogue import CareItem
from data.history import AuditEvent
from data.orders import Order, OrderStatus
from services import catalogue, demands
from services.catalogue import CertificateKind, ItemForm, ItemGroup, ItemUse, Unit
from services.errors import Conflict, Invalid, NotFound
from tests.factories import (
    COMPANIONSHIP,
    FAR_OPERATOR,
    HOSPITAL_COMPANION,
    NASTY,
    NOBODY_ID,
    OPERATOR,
    ZHOU,
    demand_form,
    make_demand,
    make_finished_visit,
    make_order,
    price_of,
)

FORM = ItemForm(
    name_zh="夜间陪护",
    name_en="Night watch, at home",
    about_zh="夜里守在床边。",
    about_en="At the bedside through the night.",
    lowest_fen=20000,
    highest_fen=32000,
    fewest_units=1,
    most_units=7,
    required_certificates=(CertificateKind.HEALTH,),
    tasks_zh="睡前洗漱\n夜间巡视",
    tasks_en="Washed before bed\nLooked after at night",
)


def form_of(session, item_id):
    """The item as its form would show it."""
    item = catalogue.view(session.get_one(CareItem, item_id))
    same = {
        name: getattr(item, name)
        for name in ItemForm.__dataclass_fields__
        if not name.startswith("tasks")
    }
    return ItemForm(**same, tasks_zh="\n".join(item.tasks_zh), tasks_en="\n".join(item.tasks_en))


def add(session, operator=OPERATOR, **changes):
    form = replace(FORM, **changes)
    return catalogue.add(session, operator, ItemGroup.ELDERLY, Unit.DAY, 12, form)


def audited(session):
    return [event.action for event in session.scalars(select(AuditEvent).order_by(AuditEvent.id))]


def test_it_has_the_three_groups_and_at_least_ten_items(session):
    items = catalogue.items(session)

    assert {item.group for item in items} == set(catalogue.ItemGroup)
    assert len(items) >= 10
    assert len({item.code for item in items}) == len(items)


def test_every_item_is_told_in_both_languages(session):
    for item in catalogue.items(session):
        assert item.name_zh
        assert item.name_en
        assert item.about_zh
        assert item.about_en
        assert len(item.tasks_zh) == len(item.tasks_en) > 0
        assert item.required_certificates


def test_an_item_no_longer_offered_is_not_listed(session):
    catalogue.named(session, COMPANIONSHIP).active = False
    session.flush()

    assert COMPANIONSHIP not in [item.id for item in catalogue.items(session)]
    assert COMPANIONSHIP in [item.id for item in catalogue.every_item(session)]
    for item_id in (COMPANIONSHIP, NOBODY_ID):
        with pytest.raises(NotFound, match="item_not_found"):
            catalogue.named(session, item_id)


class TestUses:
    def test_they_are_counted_over_all_cities(self, session, clock):
        make_order(session)
        make_demand(session)
        make_demand(session, item_id=HOSPITAL_COMPANION, lowest_fen=4000)
        asked = make_order(session, starts_at=clock() + timedelta(days=3))
        session.get_one(Order, asked).status = OrderStatus.REQUESTED
        session.flush()
        expected = {
            COMPANIONSHIP: ItemUse(orders=1, requests=1, demands=1),
            HOSPITAL_COMPANION: ItemUse(demands=1),
        }

        assert catalogue.uses(session, OPERATOR) == expected
        assert catalogue.uses(session, FAR_OPERATOR) == expected


class TestAdd:
    def test_an_item_is_offered_as_soon_as_it_is_added(self, session):
        item_id = add(session)
        item = catalogue.items(session)[-1]

        assert (item.id, item.code) == (item_id, "night_watch_at_home")
        assert (item.group, item.unit, item.hours_per_unit) == (ItemGroup.ELDERLY, Unit.DAY, 12)
        assert (item.lowest_fen, item.highest_fen) == (20000, 32000)
        assert item.tasks_zh == ("睡前洗漱", "夜间巡视")
        assert form_of(session, item_id) == FORM
        assert audited(session) == ["add_item"]

    def test_codes_made_from_like_names_differ(self, session):
        add(session)
        item_id = add(session, name_zh="夜间陪护（医院）", name_en="Night watch (at home)")

        assert session.get_one(CareItem, item_id).code == "night_watch_at_home_2"

    def test_what_people_type_is_kept_as_typed(self, session):
        item_id = add(session, about_zh=NASTY, about_en=NASTY, name_en="<b>Night</b> 👵🏽")

        item = catalogue.view(session.get_one(CareItem, item_id))
        assert (item.about_zh, item.about_en) == (NASTY, NASTY)
        assert item.code == "b_night_b"

    def test_empty_lines_are_no_tasks(self, session):
        item_id = add(session, tasks_zh="\n 洗漱 \n\n巡视\n", tasks_en="Washed\n\nWatched")

        assert session.get_one(CareItem, item_id).tasks_zh == ["洗漱", "巡视"]

    @pytest.mark.parametrize(
        ("changes", "refusal"),
        [
            ({"name_zh": " "}, "error.missing"),
            ({"name_en": ""}, "error.missing"),
            ({"name_zh": "长" * 41}, "error.too_long"),
            ({"about_en": "x" * 301}, "error.too_long"),
            ({"about_zh": ""}, "error.missing"),
            ({"name_en": "夜间 👵🏽"}, "error.not_english"),
            ({"lowest_fen": 33000}, "error.price_upside_down"),
            ({"lowest_fen": 0}, "error.price_out_of_range"),
            ({"highest_fen": 2_000_100}, "error.price_out_of_range"),
            ({"lowest_fen": 20050}, "error.price_whole_yuan"),
            ({"fewest_units": 8}, "error.units_upside_down"),
            ({"fewest_units": 0}, "error.number_out_of_range"),
            ({"most_units": 61}, "error.number_out_of_range"),
            ({"required_certificates": ()}, "error.missing"),
            ({"tasks_zh": ""}, "error.missing"),
            ({"tasks_zh": "睡前洗漱"}, "error.task_lines_differ"),
            ({"tasks_en": "x" * 61}, "error.too_long"),
            ({"tasks_en": "x\n" * 21}, "error.too_many_lines"),
        ],
    )
    def test_what_cannot_be_is_refused(self, session, changes, refusal):
        with pytest.raises(Invalid, match=refusal):
            add(session, **changes)

        assert audited(session) == []

    def test_a_day_has_24_hours(self, session):
        with pytest.raises(Invalid, match="number_out_of_range"):
            catalogue.add(session, OPERATOR, ItemGroup.ELDERLY, Unit.DAY, 25, FORM)

    @pytest.mark.parametrize("changes", [{"name_zh": "老人陪伴"}, {"name_en": "Companionship"}])
    def test_no_two_items_share_a_name(self, session, changes):
        with pytest.raises(Conflict, match="item_exists"):
            add(session, **changes)


class TestChange:
    def test_orders_keep_their_price_when_the_range_changes(self, session):
        order_id = make_order(session)
        before = price_of(session, order_id)
        form = replace(form_of(session, COMPANIONSHIP), lowest_fen=9000, highest_fen=12000)
        catalogue.change(session, OPERATOR, COMPANIONSHIP, form)
        session.flush()
        session.expire_all()

        assert price_of(session, order_id) == before
        assert form_of(session, COMPANIONSHIP) == form
        assert audited(session)[-1] == "change_item"
        with pytest.raises(Invalid, match="price_out_of_range"):
            make_demand(session)

    def test_nothing_changed_leaves_no_trace(self, session):
        catalogue.change(session, OPERATOR, COMPANIONSHIP, form_of(session, COMPANIONSHIP))

        assert audited(session) == []

    def test_an_item_may_keep_its_own_name_but_not_take_anothers(self, session):
        form = replace(form_of(session, COMPANIONSHIP), about_zh="陪老人说说话。")
        catalogue.change(session, OPERATOR, COMPANIONSHIP, form)
        taken = session.get_one(CareItem, HOSPITAL_COMPANION).name_zh

        with pytest.raises(Conflict, match="item_exists"):
            catalogue.change(session, OPERATOR, COMPANIONSHIP, replace(form, name_zh=taken))

    def test_tasks_may_change_freely_while_no_report_names_them(self, session):
        form = replace(form_of(session, COMPANIONSHIP), tasks_zh="聊天", tasks_en="Talked")
        catalogue.change(session, OPERATOR, COMPANIONSHIP, form)

        assert session.get_one(CareItem, COMPANIONSHIP).tasks_zh == ["聊天"]

    def test_tasks_that_a_report_names_by_number_neither_vanish_nor_move(self, session):
        make_finished_visit(session)
        now = form_of(session, COMPANIONSHIP)
        chinese, english = now.tasks_zh.splitlines(), now.tasks_en.splitlines()
        for zh, en in (
            (chinese[:-1], english[:-1]),
            (chinese[::-1], english[::-1]),
            (["新的一项", *chinese], ["Something new", *english]),
        ):
            form = replace(now, tasks_zh="\n".join(zh), tasks_en="\n".join(en))
            with pytest.raises(Conflict, match="tasks_reported"):
                catalogue.change(session, OPERATOR, COMPANIONSHIP, form)
        longer = replace(
            now, tasks_zh=f"{now.tasks_zh}\n新的一项", tasks_en=f"{now.tasks_en}\nSomething new"
        )
        catalogue.change(session, OPERATOR, COMPANIONSHIP, longer)

    def test_an_item_that_is_not_there_is_refused(self, session):
        with pytest.raises(NotFound, match="item_not_found"):
            catalogue.change(session, OPERATOR, NOBODY_ID, FORM)


class TestWithdraw:
    def test_what_was_asked_for_goes_on_and_nothing_new_begins(self, session):
        make_demand(session)
        catalogue.withdraw(session, OPERATOR, COMPANIONSHIP)
        session.flush()

        assert catalogue.uses(session, OPERATOR)[COMPANIONSHIP].demands == 1
        with pytest.raises(NotFound, match="item_not_found"):
            demands.post(session, ZHOU, demand_form(), "while the form was filled in")
        catalogue.restore(session, OPERATOR, COMPANIONSHIP)
        make_demand(session)
        assert audited(session) == ["withdraw_item", "restore_item"]

    def test_what_somebody_else_did_meanwhile_is_said(self, session):
        with pytest.raises(Conflict, match="changed_meanwhile"):
            catalogue.restore(session, OPERATOR, COMPANIONSHIP)
        catalogue.withdraw(session, OPERATOR, COMPANIONSHIP)
        with pytest.raises(Conflict, match="changed_meanwhile"):
            catalogue.withdraw(session, FAR_OPERATOR, COMPANIONSHIP)

    def test_an_item_that_is_not_there_is_refused(self, session):
        for move in (catalogue.withdraw, catalogue.restore):
            with pytest.raises(NotFound, match="item_not_found"):
                move(session, OPERATOR, NOBODY_ID)

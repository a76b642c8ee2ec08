"""A family posts a demand: what is refused, what is kept, what is posted once."""

from datetime import date, datetime, time, timedelta

import pytest
from sqlalchemy import select, update

from components import location
from data.catalogue import CareItem
from data.cities import City, CityStatus
from data.database import reading, writing
from data.demands import Demand, DemandStatus, Draft
from data.recipients import Recipient
from services import accounts, clock, demands, drafts, places, recurrence, repeats
from services.catalogue import ItemGroup, Skill
from tests.factories import (
    CHONGCHUAN,
    COMPANIONSHIP,
    HOSPITAL_COMPANION,
    HOSPITAL_ID,
    LUZHOU,
    MOTHER_ID,
    NANTONG,
    NASTY,
    STRANGER,
    STRANGERS_FATHER_ID,
    TONGZHOU,
    ZHOU,
    make_case,
    make_demand,
    make_newcomer,
)
from tests.pages.screen import errors, said, speak_english, successes, words
from tests.pages.screen import opened as opened_section

PAGE = "pages/customer/post_demand.py"
ADDRESS = "濠河花园 3 幢 502 室"


def posted():
    with reading() as session:
        return session.scalars(select(Demand).order_by(Demand.id)).all()


def set_cities(status):
    with writing() as session:
        for city in session.scalars(select(City)):
            city.status = status


def press(app):
    return app.button(key="demand_submit").click().run()


def fill(app, address=ADDRESS):
    app.text_input(key="demand_address").set_value(address)
    return app


@pytest.fixture
def newcomer(database):
    """A customer who has not told yet whom they care for."""
    with writing() as session:
        customer = make_newcomer(session)
        make_case(session, customer)
    return customer


def test_a_demand_is_posted_as_it_was_filled_in(open_app, opened):
    app = open_app(PAGE, ZHOU)
    app.segmented_control(key="demand_group").set_value(ItemGroup.ELDERLY).run()
    app.selectbox(key="demand_item_elderly").set_value(COMPANIONSHIP).run()
    app.date_input(key="demand_day").set_value(date(2030, 1, 10))
    app.time_input(key="demand_start").set_value(time(14, 30))
    app.number_input(key=f"demand_units_{COMPANIONSHIP}").set_value(3)
    app.selectbox(key=f"demand_district_{NANTONG}").set_value(CHONGCHUAN)
    app.slider(key=f"demand_price_{COMPANIONSHIP}").set_range(35, 50)
    app.pills(key="demand_skills").set_value([Skill.DIALECT, Skill.COOKING])
    app.text_area(key="demand_words").set_value("妈妈喜欢聊天").run()
    assert "14:30–17:30" in said(app)
    assert words("demand.total", total="¥105–150", amount="3 小时") in said(app)
    press(fill(app))
    assert not app.exception
    assert opened[-1] == "my_orders"
    assert successes(app) == [words("demand.posted")]
    (demand,) = posted()
    assert (demand.customer_id, demand.recipient_id) == (ZHOU.id, MOTHER_ID)
    assert (demand.item_id, demand.units, demand.status) == (COMPANIONSHIP, 3, DemandStatus.OPEN)
    assert demand.starts_at == datetime(2030, 1, 10, 14, 30, tzinfo=clock.CITY_TIME)
    assert (demand.district_code, demand.address) == (CHONGCHUAN, ADDRESS)
    assert (demand.lowest_fen, demand.highest_fen) == (3500, 5000)
    assert set(demand.skills) == {"dialect", "cooking"}
    assert demand.words == "妈妈喜欢聊天"


def test_a_missing_address_is_named_and_nothing_is_posted(open_app):
    app = press(open_app(PAGE, ZHOU))
    assert errors(app) == [words("error.missing", field=words("field.address"))]
    assert not posted()
    press(fill(app))
    assert len(posted()) == 1


def test_a_time_already_past_is_refused(open_app):
    app = fill(open_app(PAGE, ZHOU))
    app.date_input(key="demand_day").set_value(clock.today())
    app.time_input(key="demand_start").set_value(time(8, 45))
    press(app)
    assert errors(app) == [words("error.start_in_past")]
    assert not posted()


def test_days_that_cannot_be_booked_cannot_be_chosen(open_app):
    day = open_app(PAGE, ZHOU).date_input(key="demand_day")
    assert day.min == clock.today()
    assert day.max == clock.today() + timedelta(days=60)


def test_what_people_type_is_kept_and_shown_as_typed(open_app):
    app = fill(open_app(PAGE, ZHOU), NASTY)
    app.text_area(key="demand_words").set_value(NASTY)
    press(app)
    (demand,) = posted()
    assert (demand.address, demand.words) == (NASTY, NASTY)
    assert NASTY in [text.value for text in app.text]
    assert "<script>" not in "".join(str(one.value) for one in [*app.markdown, *app.caption])


def test_a_city_paused_meanwhile_is_refused_in_words(open_app):
    app = fill(open_app(PAGE, ZHOU))
    set_cities(CityStatus.PAUSED)
    press(app)
    assert errors(app) == [words("error.city_not_open")]
    assert not posted()


def test_the_first_recipient_is_added_on_the_spot(open_app, newcomer):
    app = open_app(PAGE, newcomer)
    assert words("recipient.first") in said(app)
    assert app.button(key="demand_submit").disabled
    app.text_input(key="demand_new_name").set_value("吴奶奶")
    app.text_area(key="demand_new_conditions").set_value(NASTY)
    app.button(key="demand_new_save").click().run()
    assert successes(app) == [words("recipient.saved")]
    with reading() as session:
        (added,) = session.scalars(
            select(Recipient).where(Recipient.customer_id == newcomer.id)
        ).all()
    assert (added.name, added.conditions) == ("吴奶奶", NASTY)
    assert app.selectbox(key="demand_recipient").value == added.id
    press(fill(app))
    assert [demand.recipient_id for demand in posted()] == [added.id]


def test_a_recipient_without_a_name_is_refused_and_the_rest_stays(open_app, newcomer):
    app = open_app(PAGE, newcomer)
    app.text_input(key="demand_new_ward").set_value("6 号楼 312 床")
    app.button(key="demand_new_save").click().run()
    assert errors(app) == [words("error.missing", field=words("field.recipient_name"))]
    assert app.text_input(key="demand_new_ward").value == "6 号楼 312 床"


def test_only_ones_own_recipients_can_be_chosen(open_app):
    recipient = open_app(PAGE, ZHOU).selectbox(key="demand_recipient")
    assert len(recipient.options) == 1
    assert recipient.value == MOTHER_ID != STRANGERS_FATHER_ID


def test_a_second_press_before_the_page_has_moved_on_posts_nothing_more(open_app, opened):
    app = fill(open_app(PAGE, ZHOU))
    app.button(key="demand_submit").click()
    sent_with_each_click = app._tree.get_widget_states()
    app.run()
    assert len(posted()) == 1
    app.switch_page(PAGE)._run(sent_with_each_click)
    assert opened[-1] == "my_orders"
    assert successes(app) == [words("demand.posted")]
    assert len(posted()) == 1


def test_the_next_demand_is_another_one(open_app):
    app = press(fill(open_app(PAGE, ZHOU)))
    app.switch_page(PAGE).run()
    press(fill(app))
    assert len(posted()) == 2


def test_everything_typed_survives_a_switch_of_language(open_app):
    app = fill(open_app(PAGE, ZHOU))
    app.date_input(key="demand_day").set_value(date(2030, 1, 12))
    app.time_input(key="demand_start").set_value(time(16, 15))
    app.number_input(key=f"demand_units_{HOSPITAL_COMPANION}").set_value(5)
    app.slider(key=f"demand_price_{HOSPITAL_COMPANION}").set_range(50, 70)
    app.pills(key="demand_skills").set_value([Skill.FEEDING])
    app.selectbox(key=f"demand_district_{NANTONG}").set_value(TONGZHOU)
    app.text_area(key="demand_words").set_value(NASTY).run()
    speak_english(app)
    assert app.title[0].value == "Post a demand"
    assert app.text_input(key="demand_address").value == ADDRESS
    assert app.date_input(key="demand_day").value == date(2030, 1, 12)
    assert app.time_input(key="demand_start").value == time(16, 15)
    assert app.number_input(key=f"demand_units_{HOSPITAL_COMPANION}").value == 5
    assert app.slider(key=f"demand_price_{HOSPITAL_COMPANION}").value == (50, 70)
    assert app.pills(key="demand_skills").value == [Skill.FEEDING]
    assert app.selectbox(key=f"demand_district_{NANTONG}").value == TONGZHOU
    assert app.text_area(key="demand_words").value == NASTY
    press(app)
    assert [(one.units, one.highest_fen, one.words) for one in posted()] == [(5, 7000, NASTY)]


def test_the_form_is_empty_after_a_demand_was_posted(open_app):
    app = fill(open_app(PAGE, ZHOU))
    app.text_area(key="demand_words").set_value("请多一点耐心")
    app.time_input(key="demand_start").set_value(time(16))
    press(app)
    app.switch_page(PAGE).run()
    assert app.text_input(key="demand_address").value == ""
    assert app.text_area(key="demand_words").value == ""
    assert app.time_input(key="demand_start").value == time(9)


def test_a_known_place_brings_its_district_and_cell(open_app):
    app = fill(open_app(PAGE, ZHOU), "住院部 6 号楼 312 床")
    app.selectbox(key=f"demand_place_{NANTONG}").set_value(HOSPITAL_ID).run()
    assert f"demand_district_{NANTONG}" not in {box.key for box in app.selectbox}
    press(app)
    (demand,) = posted()
    assert (demand.place_id, demand.district_code) == (HOSPITAL_ID, CHONGCHUAN)
    assert demand.cell == places.cell_at(120.872, 32.012)


def test_the_browsers_location_chooses_the_district_and_a_neighbourhood(open_app, monkeypatch):
    lng, lat = places.middle(places.cell_of_district(TONGZHOU))
    app = open_app(PAGE, ZHOU)
    app.selectbox(key=f"demand_district_{NANTONG}").set_value(CHONGCHUAN).run()
    answer_locator(monkeypatch, {"lng": lng, "lat": lat})
    app.run()
    answer_locator(monkeypatch, None)
    app.run()
    assert words("place.located") in said(app)
    assert app.selectbox(key=f"demand_district_{NANTONG}").value == TONGZHOU
    press(fill(app))
    assert [(one.district_code, one.cell) for one in posted()] == [
        (TONGZHOU, places.cell_of_district(TONGZHOU))
    ]


@pytest.mark.parametrize(
    ("answer", "warning"),
    [
        ({"refused": True}, words("place.locate_refused")),
        ({"lng": 116.4, "lat": 39.9}, words("place.locate_elsewhere", city="南通市")),
    ],
)
def test_without_a_usable_location_the_district_is_chosen_by_hand(
    open_app, monkeypatch, answer, warning
):
    answer_locator(monkeypatch, answer)
    app = open_app(PAGE, ZHOU)
    assert not app.exception
    assert [one.value for one in app.warning] == [warning]
    assert app.selectbox(key=f"demand_district_{NANTONG}").value


def test_the_form_starts_from_the_region_remembered(open_app):
    with writing() as session:
        accounts.choose_region(session, ZHOU, LUZHOU, "510503")
    app = open_app(PAGE, ZHOU)
    assert app.selectbox(key="demand_city").value == LUZHOU
    assert app.selectbox(key=f"demand_district_{LUZHOU}").value == "510503"


def test_prices_stay_within_the_catalogues(open_app):
    price = open_app(PAGE, ZHOU).slider(key=f"demand_price_{HOSPITAL_COMPANION}")
    assert (price.min, price.max) == (40, 90)


def test_without_an_opened_city_nothing_can_be_posted(open_app):
    set_cities(CityStatus.CLOSED)
    app = open_app(PAGE, ZHOU)
    assert words("place.no_city") in said(app)
    assert app.button(key="demand_submit").disabled


def answer_locator(monkeypatch, found):
    """What the browser answers to the locator's button."""

    class Answer:
        def __init__(self):
            self.found = found

    monkeypatch.setattr(location, "_LOCATOR", lambda **_given: Answer())


def kept(actor=ZHOU):
    with reading() as session:
        return drafts.find(session, actor)


def write(app):
    """Fill in the whole form, leaving one field after another."""
    app.segmented_control(key="demand_group").set_value(ItemGroup.ELDERLY).run()
    app.selectbox(key="demand_item_elderly").set_value(COMPANIONSHIP).run()
    app.date_input(key="demand_day").set_value(date(2030, 1, 10)).run()
    app.time_input(key="demand_start").set_value(time(14, 30)).run()
    app.number_input(key=f"demand_units_{COMPANIONSHIP}").set_value(3).run()
    app.selectbox(key=f"demand_district_{NANTONG}").set_value(TONGZHOU).run()
    app.slider(key=f"demand_price_{COMPANIONSHIP}").set_range(35, 50).run()
    app.pills(key="demand_skills").set_value([Skill.DIALECT]).run()
    app.text_area(key="demand_words").set_value(NASTY).run()
    return fill(app).run()


def shown(app):
    """What the fields of the form show."""
    return (
        app.segmented_control(key="demand_group").value,
        app.selectbox(key="demand_item_elderly").value,
        app.date_input(key="demand_day").value,
        app.time_input(key="demand_start").value,
        app.number_input(key=f"demand_units_{COMPANIONSHIP}").value,
        app.selectbox(key=f"demand_district_{NANTONG}").value,
        app.slider(key=f"demand_price_{COMPANIONSHIP}").value,
        app.pills(key="demand_skills").value,
        app.text_area(key="demand_words").value,
        app.text_input(key="demand_address").value,
    )


WRITTEN = (
    ItemGroup.ELDERLY, COMPANIONSHIP, date(2030, 1, 10), time(14, 30), 3, TONGZHOU, (35, 50),
    [Skill.DIALECT], NASTY, ADDRESS,
)  # fmt: skip


def test_while_nothing_is_entered_nothing_is_kept(open_app):
    app = open_app(PAGE, ZHOU).run()
    speak_english(app)
    assert kept() is None
    assert "discard_draft" not in {button.key for button in app.button}


def test_what_was_written_is_found_again_in_another_browser_and_posted_from_there(open_app):
    write(open_app(PAGE, ZHOU))
    app = open_app(PAGE, ZHOU)
    assert not app.exception
    assert shown(app) == WRITTEN
    assert words("draft.restored", at="今天 09:00") in said(app)
    press(app)
    (demand,) = posted()
    assert (demand.item_id, demand.units, demand.district_code) == (COMPANIONSHIP, 3, TONGZHOU)
    assert (demand.lowest_fen, demand.highest_fen, demand.words) == (3500, 5000, NASTY)
    assert kept() is None
    assert app.switch_page(PAGE).run().text_input(key="demand_address").value == ""


def test_it_is_found_again_after_another_page_was_opened(open_app):
    app = write(open_app(PAGE, ZHOU))
    app.switch_page("pages/customer/my_orders.py").run().switch_page(PAGE).run()
    assert shown(app) == WRITTEN
    assert not app.exception
    assert not app.warning


def write_plan(app):
    """Turn the form to a plan: Tuesday and Thursday afternoons of every second week."""
    app.segmented_control(key="demand_often").set_value("regularly").run()
    app.pills(key="demand_plan_weekdays").set_value([3, 1]).run()
    app.selectbox(key="demand_plan_weeks").set_value(2).run()
    app.time_input(key="demand_plan_at").set_value(time(14, 30)).run()
    app.date_input(key="demand_plan_first").set_value(date(2030, 1, 15)).run()
    app.date_input(key="demand_plan_last").set_value(date(2030, 3, 1)).run()
    return fill(app).run()


def course_shown(app):
    return (
        app.segmented_control(key="demand_often").value,
        app.pills(key="demand_plan_weekdays").value,
        app.selectbox(key="demand_plan_weeks").value,
        app.time_input(key="demand_plan_at").value,
        app.date_input(key="demand_plan_first").value,
        app.date_input(key="demand_plan_last").value,
    )


COURSE = ("regularly", [1, 3], 2, time(14, 30), date(2030, 1, 15), date(2030, 3, 1))


def test_a_plan_is_posted_to_the_hall_with_its_course(open_app, opened):
    app = write_plan(open_app(PAGE, ZHOU))
    assert "14:30–" in said(app)
    press(app)
    assert not app.exception
    assert opened[-1] == "my_orders"
    (demand,) = posted()
    assert demand.status is DemandStatus.OPEN
    assert recurrence.parts(demand.rule) == ((1, 3), 2)
    assert demand.starts_at == datetime(2030, 1, 15, 14, 30, tzinfo=clock.CITY_TIME)
    assert demand.until_on == date(2030, 3, 1)


def test_a_plan_without_days_cannot_be_posted(open_app):
    app = fill(open_app(PAGE, ZHOU))
    app.segmented_control(key="demand_often").set_value("regularly").run()
    app.pills(key="demand_plan_weekdays").set_value([]).run()
    assert words("error.plan_without_days") in said(app)
    assert app.button(key="demand_submit").disabled
    app.pills(key="demand_plan_weekdays").set_value([2]).run()
    assert not app.button(key="demand_submit").disabled


def test_back_to_once_a_single_visit_is_posted(open_app):
    app = write_plan(open_app(PAGE, ZHOU))
    app.segmented_control(key="demand_often").set_value("once").run()
    press(app)
    (demand,) = posted()
    assert (demand.rule, demand.until_on) == (None, None)


def test_a_plan_being_written_is_found_again_and_posted_from_there(open_app):
    write_plan(open_app(PAGE, ZHOU))
    app = open_app(PAGE, ZHOU)
    assert not app.exception
    assert not app.warning
    assert course_shown(app) == COURSE
    assert kept().fields.weekdays == (1, 3)
    speak_english(app)
    assert course_shown(app) == COURSE
    press(app)
    (demand,) = posted()
    assert recurrence.parts(demand.rule) == ((1, 3), 2)
    assert demand.until_on == date(2030, 3, 1)
    assert app.switch_page(PAGE).run().segmented_control(key="demand_often").value == "once"


def test_one_without_days_yet_or_without_end_is_found_again_as_such(open_app):
    app = write_plan(open_app(PAGE, ZHOU))
    app.pills(key="demand_plan_weekdays").set_value([]).run()
    app.selectbox(key="demand_plan_ends").set_value(False).run()
    app = open_app(PAGE, ZHOU)
    assert app.pills(key="demand_plan_weekdays").value == []
    assert app.selectbox(key="demand_plan_ends").value is False
    assert app.time_input(key="demand_plan_at").value == time(14, 30)
    assert app.button(key="demand_submit").disabled


def test_a_plan_whose_first_day_has_passed_begins_later_and_keeps_the_rest(open_app, clock):
    write_plan(open_app(PAGE, ZHOU))
    clock.move(days=10)
    app = open_app(PAGE, ZHOU)
    assert not app.exception
    assert words("draft.lost_time") in said(app)
    assert course_shown(app) == (*COURSE[:4], date(2030, 1, 20), date(2030, 3, 1))


def test_a_discarded_plan_leaves_an_empty_form_for_one_visit(open_app):
    write_plan(open_app(PAGE, ZHOU))
    app = open_app(PAGE, ZHOU)
    app.button(key="discard_draft").click().run()
    assert app.segmented_control(key="demand_often").value == "once"
    app.segmented_control(key="demand_often").set_value("regularly").run()
    assert app.pills(key="demand_plan_weekdays").value == [0, 1, 2, 3, 4]
    assert not app.exception
    assert not app.warning


def test_a_plan_posted_again_begins_a_week_later(open_app):
    press(write_plan(open_app(PAGE, ZHOU)))
    with writing() as session:
        demands.withdraw(session, ZHOU, session.scalars(select(Demand.id)).one())
    app = open_app("pages/customer/my_orders.py", ZHOU)
    app = opened_section(app, "ended_demands")
    again = next(one for one in app.button if str(one.key).startswith("again_demand_"))
    again.click().run()
    assert course_shown(app) == (*COURSE[:4], date(2030, 1, 22), date(2030, 3, 8))


def test_a_rerun_in_which_nothing_changed_saves_nothing(open_app, monkeypatch):
    app = fill(open_app(PAGE, ZHOU)).run()
    monkeypatch.setattr(drafts, "save", None)
    app.run()
    assert not app.exception
    assert kept().fields.address == ADDRESS


def test_of_two_tabs_the_one_written_in_last_is_kept(open_app):
    one, other = open_app(PAGE, ZHOU), open_app(PAGE, ZHOU)
    fill(one, "一号楼").run()
    fill(other, "二号楼").run()
    one.run()
    assert kept().fields.address == "二号楼"
    with reading() as session:
        assert len(session.scalars(select(Draft)).all()) == 1


def test_nobody_elses_form_is_filled_with_it(open_app):
    write(open_app(PAGE, ZHOU))
    assert open_app(PAGE, STRANGER).text_input(key="demand_address").value == ""


def test_a_discarded_draft_is_gone_and_the_form_empty(open_app):
    write(open_app(PAGE, ZHOU))
    app = open_app(PAGE, ZHOU)
    app.button(key="discard_draft").click().run()
    assert successes(app) == [words("draft.discarded")]
    assert kept() is None
    assert app.text_input(key="demand_address").value == ""
    assert app.text_area(key="demand_words").value == ""
    assert app.date_input(key="demand_day").value == date(2030, 1, 8)
    assert app.slider(key=f"demand_price_{COMPANIONSHIP}").value == (30, 60)
    assert "discard_draft" not in {button.key for button in app.button}
    assert not open_app(PAGE, ZHOU).run().text_input(key="demand_address").value


def test_what_no_longer_holds_is_said_and_the_rest_restored(open_app, clock):
    write(open_app(PAGE, ZHOU))
    with writing() as session:
        session.execute(update(CareItem).where(CareItem.id == COMPANIONSHIP).values(active=False))
    clock.move(days=4)
    app = open_app(PAGE, ZHOU)
    assert not app.exception
    assert words("draft.lost_item") in said(app)
    assert words("draft.lost_time") in said(app)
    assert app.text_input(key="demand_address").value == ADDRESS
    assert app.text_area(key="demand_words").value == NASTY
    assert app.time_input(key="demand_start").value == time(14, 30)
    assert app.date_input(key="demand_day").value == date(2030, 1, 12)


def test_the_neighbourhood_of_a_repeated_demand_is_kept(open_app):
    cell = min(places.cells_of_district(TONGZHOU))
    with writing() as session:
        former = make_demand(session, district_code=TONGZHOU, cell=cell)
        demands.withdraw(session, ZHOU, former)
        repeats.repeat(session, ZHOU, former)
    app = open_app(PAGE, ZHOU)
    assert words("place.kept") in said(app)
    press(app)
    assert posted()[-1].cell == cell
    assert posted()[-1].starts_at == datetime(2030, 1, 15, 9, tzinfo=clock.CITY_TIME)

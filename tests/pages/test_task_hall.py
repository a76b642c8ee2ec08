"""The task hall: what a caregiver sees, applying in one click, and what stops them."""

from sqlalchemy import select

from data.caregivers import Certificate
from data.database import reading, writing
from data.demands import Application, ApplicationStatus
from services import applications, demands, invitations
from tests.factories import (
    CHONGCHUAN,
    DRAFT,
    HOSPITAL_COMPANION,
    HOSPITAL_ID,
    LI,
    NASTY,
    NURSING_ONLY,
    OPERATOR,
    STRANGER,
    ZHAO,
    ZHOU,
    make_application,
    make_demand,
    make_visit,
)
from tests.pages.screen import confirm, opened, said, words

PAGE = "pages/caregiver/task_hall.py"


def posted(**changes):
    with writing() as session:
        return make_demand(session, **changes)


def applications_of(demand_id):
    with reading() as session:
        return session.execute(
            select(Application.status, Application.price_fen, Application.words).where(
                Application.demand_id == demand_id
            )
        ).all()


def test_one_click_applies_at_the_middle_price(open_app):
    demand_id = posted()
    app = open_app(PAGE, LI)
    assert "¥45" in app.button(key=f"apply_{demand_id}").label
    app.button(key=f"apply_{demand_id}").click().run()
    assert not app.exception
    assert [notice.value for notice in app.success] == ["已申请\uff0c运营选定后会通知您"]
    assert applications_of(demand_id) == [(ApplicationStatus.SUBMITTED, 4500, "")]
    assert "我的报价 ¥45/小时" in said(app)


def test_price_and_words_can_be_changed_before_applying(open_app):
    demand_id = posted()
    app = open_app(PAGE, LI)
    app.button(key=f"adjust_{demand_id}").click().run()
    app.number_input(key=f"apply_price_{demand_id}").set_value(58)
    app.text_input(key=f"apply_words_{demand_id}").set_value(NASTY).run()
    assert "¥58" in app.button(key=f"apply_{demand_id}").label
    app.button(key=f"apply_{demand_id}").click().run()
    assert applications_of(demand_id) == [(ApplicationStatus.SUBMITTED, 5800, NASTY)]


def test_a_single_price_leaves_nothing_to_choose(open_app):
    demand_id = posted(lowest_fen=4000, highest_fen=4000)
    app = open_app(PAGE, LI)
    app.button(key=f"adjust_{demand_id}").click().run()
    assert not app.number_input
    app.button(key=f"apply_{demand_id}").click().run()
    assert applications_of(demand_id)[0].price_fen == 4000


def test_a_demand_withdrawn_meanwhile_is_gone(open_app):
    demand_id = posted()
    app = open_app(PAGE, LI)
    with writing() as session:
        demands.withdraw(session, ZHOU, demand_id)
    app.button(key=f"apply_{demand_id}").click().run()
    assert not app.exception
    assert not applications_of(demand_id)
    assert f"apply_{demand_id}" not in {button.key for button in app.button}


def test_a_demand_taken_back_at_the_moment_of_the_click_is_refused_in_words(open_app, monkeypatch):
    demand_id = posted()
    app = open_app(PAGE, LI)
    apply = applications.apply

    def too_late(session, actor, demand_id, *offer):
        demands.withdraw(session, ZHOU, demand_id)
        return apply(session, actor, demand_id, *offer)

    monkeypatch.setattr(applications, "apply", too_late)
    app.button(key=f"apply_{demand_id}").click().run()
    assert [error.value for error in app.error] == ["没有找到该需求，可能已被选定或撤回"]
    assert not applications_of(demand_id)


def test_an_application_is_withdrawn_after_asking(open_app):
    with writing() as session:
        demand_id = make_demand(session)
        make_application(session, demand_id)
    app = open_app(PAGE, LI)
    assert f"apply_{demand_id}" not in {button.key for button in app.button}
    confirm(app, f"withdraw_{demand_id}")
    assert applications_of(demand_id)[0].status is ApplicationStatus.WITHDRAWN
    app.button(key=f"apply_{demand_id}").click().run()
    assert applications_of(demand_id)[0].status is ApplicationStatus.SUBMITTED


def test_only_what_fits_is_shown_until_asked_for_more(open_app):
    lacking = posted(item_id=NURSING_ONLY, units=1, lowest_fen=17000, highest_fen=24000)
    app = open_app(PAGE, LI)
    assert "没有符合条件的需求" in said(app)
    app.toggle(key="hall_only_fitting").set_value(False).run()
    assert "缺少护理专业证书" in said(app)
    assert f"apply_{lacking}" not in {button.key for button in app.button}


def test_a_clash_with_a_visit_of_ones_own_is_told(open_app):
    with writing() as session:
        make_visit(session)
        demand_id = make_demand(session, customer=STRANGER)
    app = open_app(PAGE, LI)
    assert "没有符合条件的需求" in said(app)
    app.toggle(key="hall_only_fitting").set_value(False).run()
    assert words("clash.busy") in said(app)
    assert f"apply_{demand_id}" not in {button.key for button in app.button}


def test_groups_and_skills_narrow_the_hall(open_app):
    posted(skills=("dementia",))
    app = open_app(PAGE, LI)
    assert "老人陪伴" in said(app)
    app.pills(key="hall_groups").set_value(["maternity"]).run()
    assert "没有符合条件的需求" in said(app)
    app.pills(key="hall_groups").set_value([]).run()
    opened(app, "hall_more_filters").pills(key="hall_skills").set_value(["dementia"]).run()
    assert "老人陪伴" in said(app)


def test_a_hospital_is_named_but_never_an_address_or_a_person(open_app):
    posted(item_id=HOSPITAL_COMPANION, place_id=HOSPITAL_ID, lowest_fen=4000, highest_fen=9000)
    posted(district_code=CHONGCHUAN, words=NASTY)
    app = open_app(PAGE, LI)
    shown = said(app)
    assert "江海医院" in shown
    assert "濠河花园" not in shown
    assert "周" not in shown.replace("周一", "").replace("周二", "")
    assert NASTY in [text.value for text in app.text]


def test_many_demands_come_six_at_a_time(open_app):
    with writing() as session:
        for number in range(12):
            make_demand(session, request_key=f"many-{number}")
    app = open_app(PAGE, LI)
    drawn = [button.key for button in app.button if button.key.startswith("apply_")]
    assert len(drawn) == 6
    app.button(key="hall_more").click().run()
    drawn = [button.key for button in app.button if button.key.startswith("apply_")]
    assert len(drawn) == 12


def test_a_caregiver_not_yet_approved_reads_why(open_app):
    posted()
    app = open_app(PAGE, DRAFT)
    assert "提交资料并通过审核后就能接单" in said(app)
    assert not app.toggle
    assert app.button(key="open_my_profile").label == "去填写资料"


def test_expired_certificates_count_as_missing(open_app):
    posted()
    with writing() as session:
        for held in session.scalars(select(Certificate).where(Certificate.caregiver_id == ZHAO.id)):
            held.expires_on = held.issued_on.replace(day=2)
    app = open_app(PAGE, ZHAO)
    app.toggle(key="hall_only_fitting").set_value(False).run()
    assert "缺少" in said(app)


def test_the_hall_speaks_english_and_keeps_what_is_typed(open_app):
    demand_id = posted()
    app = open_app(PAGE, LI)
    app.button(key=f"adjust_{demand_id}").click().run()
    app.text_input(key=f"apply_words_{demand_id}").set_value("好").run()
    app.segmented_control(key="language").set_value("en").run()
    assert app.title[0].value == "Task hall"
    assert "Companionship" in said(app)
    assert app.text_input(key=f"apply_words_{demand_id}").value == "好"


def test_one_that_she_is_invited_to_is_marked_and_shown_whatever_her_filters_say(open_app):
    demand_id = posted()
    app = open_app(PAGE, LI)
    opened(app, "hall_more_filters").pills(key="hall_skills").set_value(["dialect"]).run()
    assert f"apply_{demand_id}" not in {button.key for button in app.button}
    with writing() as session:
        invitations.invite(session, ZHOU, demand_id, LI.id)
    app.run()
    assert words("hall.invited") in said(app)
    app.button(key=f"apply_{demand_id}").click().run()
    assert len(applications_of(demand_id)) == 1


def test_whoever_waits_for_a_demand_sees_it_and_can_leave_the_list(open_app):
    demand_id = posted()
    with writing() as session:
        make_application(session, demand_id, caregiver=ZHAO, price_fen=4500)
        applications.approve(session, OPERATOR, make_application(session, demand_id))
    assert "hall_waiting_list" not in said(open_app(PAGE, LI))
    app = opened(open_app(PAGE, ZHAO), "hall_waiting_list")
    key = f"leave_list_{demand_id}"
    app.session_state[f"{key}_ask"] = True
    app.run()
    assert words("hall.waiting_list_about") in said(app)
    assert words("hall.my_offer", price="¥45/小时") in said(app)
    app.session_state["hall_waiting_list"] = True
    app.session_state[f"{key}_ask"] = True
    app.button(key=key).click().run()
    assert not app.exception
    assert words("hall.waiting_list_about") not in said(app)
    assert (ApplicationStatus.WITHDRAWN, 4500, "") in applications_of(demand_id)

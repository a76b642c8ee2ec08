"""A caregiver's own profile: entered, refused, submitted, and seen as families see it."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from data.accounts import AccountRole
from data.caregivers import Caregiver, CaregiverStatus, Certificate
from data.database import reading, writing
from services import caregivers, reviews
from services.access import Actor, Role
from tests.factories import (
    COMPANIONSHIP,
    DRAFT,
    LI,
    NASTY,
    STRANGER,
    ZHOU,
    decide_case,
    make_redeemed_visit,
    make_rules,
)
from tests.pages.screen import opened, said, words

PAGE = "pages/caregiver/my_profile.py"


@pytest.fixture
def newcomer(database, clock):
    """A customer who has just become a caregiver too, without any profile."""
    with writing() as session:
        session.add(
            AccountRole(
                account_id=STRANGER.id,
                created_at=clock(),
                role=Role.CAREGIVER,
                city_code="",
            )
        )
    return Actor(STRANGER.id, Role.CAREGIVER)


def profile_of(actor):
    with reading() as session:
        return session.scalar(
            select(Caregiver)
            .where(Caregiver.id == actor.id)
            .options(selectinload(Caregiver.certificates), selectinload(Caregiver.weekly_hours))
        )


def add_certificate(app, held_before, **fields):
    prefix = f"my_profile_add_{held_before}"
    app.selectbox(key=f"{prefix}_kind").set_value(fields.pop("kind", "health"))
    app.text_input(key=f"{prefix}_issuer").set_value(fields.pop("issuer", "南通市卫生协会"))
    for name, value in fields.items():
        kind = app.text_input if name == "number" else app.date_input
        kind(key=f"{prefix}_{name}").set_value(value)
    app.button(key=f"{prefix}_submit").click().run()


def show(app, view):
    app.segmented_control(key="profile_view").set_value(view).run()


def choose_day(app, day):
    app.segmented_control(key="my_profile_day").set_value(day).run()


def test_a_newcomer_fills_in_an_empty_form_and_is_told_of_the_papers(open_app, newcomer):
    app = open_app(PAGE, newcomer)
    assert "还没有填写证书" in said(app)
    add_certificate(app, 0, issued_on=date(2029, 5, 1), number="JK-0001")
    app.toggle(key="my_profile_works_0").set_value(True).run()
    app.selectbox(key="my_profile_to_0").set_value(24 * 60)
    app.number_input(key="my_profile_worked_since").set_value(2020)
    app.text_area(key="my_profile_about").set_value(NASTY)
    app.button(key="profile_save").click().run()
    assert not app.exception
    assert [notice.value for notice in app.success] == ["资料已保存"]
    assert words("paper.id_front") in said(app)
    saved = profile_of(newcomer)
    assert saved.status is CaregiverStatus.DRAFT
    assert saved.about == NASTY
    assert [(c.kind, c.number) for c in saved.certificates] == [("health", "JK-0001")]
    assert [(h.weekday, h.starts_minute, h.ends_minute) for h in saved.weekly_hours] == [
        (0, 480, 1440)
    ]
    show(app, "preview")
    assert NASTY in [text.value for text in app.text]


def test_submitting_without_papers_is_refused_and_keeps_nothing(open_app, newcomer):
    app = open_app(PAGE, newcomer)
    app.number_input(key="my_profile_worked_since").set_value(2020)
    app.button(key="profile_submit").click().run()
    assert [error.value for error in app.error] == ["请填写：姓名（与身份证一致）"]
    assert profile_of(newcomer) is None
    assert app.number_input(key="my_profile_worked_since").value == 2020


def test_an_incomplete_certificate_is_refused_before_it_joins_the_list(open_app, newcomer):
    app = open_app(PAGE, newcomer)
    add_certificate(app, 0, issuer=" ")
    assert [error.value for error in app.error] == ["请填写：发证单位"]
    add_certificate(app, 0, issued_on=date(2029, 5, 1), expires_on=date(2029, 4, 1))
    assert [error.value for error in app.error] == ["结束须晚于开始"]
    assert "还没有填写证书" in said(app)


def test_a_certificate_can_be_removed_again(open_app, newcomer):
    app = open_app(PAGE, newcomer)
    add_certificate(app, 0, issuer=NASTY)
    assert NASTY in [text.value for text in app.text]
    app.button(key="remove_certificate_0").click().run()
    assert "还没有填写证书" in said(app)


def test_own_certificate_numbers_come_back_into_the_form(open_app):
    with writing() as session:
        held = session.scalars(
            select(Certificate).where(Certificate.caregiver_id == DRAFT.id)
        ).first()
        held.number = "JK-4711"
    app = open_app(PAGE, DRAFT)
    assert "编号 JK-4711" in said(app)
    app.button(key="profile_save").click().run()
    assert [notice.value for notice in app.success] == ["资料已保存"]
    assert "JK-4711" in {c.number for c in profile_of(DRAFT).certificates}


def test_hours_of_a_day_may_have_a_break_but_not_overlap(open_app):
    app = open_app(PAGE, DRAFT)
    app.toggle(key="my_profile_pause_0").set_value(True).run()
    app.selectbox(key="my_profile_to_0").set_value(12 * 60)
    app.selectbox(key="my_profile_second_from_0").set_value(11 * 60)
    app.selectbox(key="my_profile_second_to_0").set_value(18 * 60)
    app.button(key="profile_save").click().run()
    assert [error.value for error in app.error] == ["同一天的时间段有重叠"]
    app.selectbox(key="my_profile_second_from_0").set_value(14 * 60)
    app.button(key="profile_save").click().run()
    assert not app.error
    monday = [h for h in profile_of(DRAFT).weekly_hours if h.weekday == 0]
    assert [(h.starts_minute, h.ends_minute) for h in monday] == [(420, 720), (840, 1080)]
    assert app.selectbox(key="my_profile_second_from_0").value == 14 * 60


def test_a_day_off_and_the_end_before_the_start(open_app):
    app = open_app(PAGE, DRAFT)
    choose_day(app, 6)
    app.toggle(key="my_profile_works_6").set_value(False).run()
    choose_day(app, 5)
    app.selectbox(key="my_profile_to_5").set_value(6 * 60)
    app.button(key="profile_save").click().run()
    assert [error.value for error in app.error] == ["结束须晚于开始"]
    app.selectbox(key="my_profile_to_5").set_value(12 * 60)
    app.button(key="profile_save").click().run()
    assert {h.weekday for h in profile_of(DRAFT).weekly_hours} == {0, 1, 2, 3, 4, 5}


def test_a_changed_day_waits_while_another_is_changed_and_can_be_copied(open_app):
    app = open_app(PAGE, DRAFT)
    app.selectbox(key="my_profile_to_0").set_value(13 * 60).run()
    choose_day(app, 1)
    choose_day(app, 0)
    assert app.selectbox(key="my_profile_to_0").value == 13 * 60
    app.button(key="copy_hours_every_day").click().run()
    assert "周一至周日 07:00–13:00" in said(app)
    choose_day(app, 3)
    assert app.selectbox(key="my_profile_to_3").value == 13 * 60
    app.button(key="profile_save").click().run()
    week = profile_of(DRAFT).weekly_hours
    assert {(h.weekday, h.ends_minute) for h in week} == {(day, 780) for day in range(7)}


def test_a_rejected_caregiver_reads_the_operators_words_and_submits_again(open_app):
    with writing() as session:
        caregivers.move(session, DRAFT, DRAFT.id, "submit")
        decide_case(session, DRAFT, "reject", words=NASTY)
    app = open_app(PAGE, DRAFT)
    assert "运营的意见" in said(app)
    assert NASTY in [text.value for text in app.text]
    app.button(key="profile_submit").click().run()
    assert not app.exception
    assert profile_of(DRAFT).status is CaregiverStatus.SUBMITTED


def test_an_approved_caregiver_saves_without_another_review(open_app):
    app = open_app(PAGE, LI)
    assert "profile_save" not in {button.key for button in app.button}
    show(app, "edit")
    assert "profile_submit" not in {button.key for button in app.button}
    app.slider(key="my_profile_radius_km").set_value(25)
    app.button(key="profile_save").click().run()
    assert profile_of(LI).radius_km == 25
    assert profile_of(LI).status is CaregiverStatus.APPROVED


def test_a_new_certificate_of_an_approved_caregiver_waits_for_its_picture(open_app):
    app = open_app(PAGE, LI)
    show(app, "edit")
    add_certificate(app, 3, kind="first_aid", issued_on=date(2029, 5, 1))
    app.button(key="profile_save").click().run()
    assert not app.exception
    assert profile_of(LI).status is CaregiverStatus.APPROVED
    assert words("certificate.first_aid") in said(app)
    assert words("my_profile.papers") in said(app)


def test_each_kind_of_care_says_which_certificates_it_takes_and_she_lacks(open_app, clock):
    with writing() as session:
        elder, training = (
            session.scalars(
                select(Certificate).where(
                    Certificate.caregiver_id == DRAFT.id, Certificate.kind == kind
                )
            ).one()
            for kind in ("elder_care", "escort_training")
        )
        elder.approved_at = training.approved_at = clock()
        elder.expires_on = clock().date() + timedelta(days=30)
        training.expires_on = clock().date() - timedelta(days=1)
    text = said(opened(open_app(PAGE, DRAFT), "my_profile_what_each_takes").run())

    assert words("my_profile.certificate_in_review", name="健康证") in text
    assert words("my_profile.certificate_lacking", name="护理专业证书") in text
    assert words("my_profile.certificate_ended", name="陪诊培训证明") in text
    assert words("my_profile.certificate_ends", name="养老护理证书", day="2030-02-06") in text


def test_an_unapproved_caregiver_edits_first_and_can_look_at_the_preview(open_app):
    app = open_app(PAGE, DRAFT)
    assert "profile_save" in {button.key for button in app.button}
    show(app, "preview")
    assert "profile_save" not in {button.key for button in app.button}
    assert "还没有评价" in said(app)


def test_own_reviews_stand_beside_the_public_profile(open_app):
    with writing() as session:
        visit_id = make_redeemed_visit(session)
        reviews.write(session, ZHOU, visit_id, reviews.ReviewForm(5, 5, 5, 5, "阿姨很有耐心"))
    app = open_app(PAGE, LI)
    assert "阿姨很有耐心" in said(app)
    assert "周晓燕" not in said(app)


def test_nobody_elses_profile_is_touched(open_app):
    app = open_app(PAGE, DRAFT)
    app.text_area(key="my_profile_about").set_value("我很细心")
    app.button(key="profile_save").click().run()
    assert profile_of(DRAFT).about == "我很细心"
    assert profile_of(LI).about == ""


def test_the_form_keeps_what_is_typed_when_the_language_changes(open_app):
    app = open_app(PAGE, DRAFT)
    app.text_area(key="my_profile_about").set_value("我很细心").run()
    app.segmented_control(key="language").set_value("en").run()
    assert app.title[0].value == "My profile"
    assert app.text_area(key="my_profile_about").value == "我很细心"
    assert "Weekly hours" in [heading.value for heading in app.subheader]


@pytest.mark.parametrize(("asked", "shown"), [(40, "¥45"), (58, "¥55"), (50, "¥50")])
def test_a_price_out_of_the_citys_bounds_is_kept_and_what_families_see_is_said(
    open_app, asked, shown
):
    with writing() as session:
        make_rules(session, prices={str(COMPANIONSHIP): {"intermediate": [4500, 5500]}})
    app = open_app(PAGE, LI)
    show(app, "edit")
    app.number_input(key=f"my_profile_price_{COMPANIONSHIP}").set_value(asked).run()
    assert words("my_profile.bounded", range="¥45–55/小时", price=f"{shown}/小时") in said(app)
    assert app.number_input(key=f"my_profile_price_{COMPANIONSHIP}").value == asked


def test_where_the_city_sets_no_bounds_nothing_is_said_of_them(open_app):
    app = open_app(PAGE, LI)
    show(app, "edit")
    assert app.number_input(key=f"my_profile_price_{COMPANIONSHIP}")
    assert words("my_profile.bounded", range="¥30–60/小时", price="¥40/小时") not in said(app)

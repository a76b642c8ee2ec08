"""A person's own account: name, region, recipients, roles."""

import pytest
from sqlalchemy import delete, select

from components import formats
from data.accounts import Account
from data.consents import Consent
from data.database import reading, writing
from data.policies import Policy
from data.recipients import Mobility, Recipient, Relation
from services import recipients, sessions
from services.access import Role
from tests.factories import (
    ANALYST,
    CHONGCHUAN,
    DESK,
    JIANGYANG,
    LI,
    LUZHOU,
    MOTHER_ID,
    NANTONG,
    NASTY,
    OPERATOR,
    STRANGER,
    ZHOU,
)
from tests.pages.screen import errors, keys, said, speak_english, successes, words

PAGE, POST = "pages/account/profile.py", "pages/customer/post_demand.py"
NICKNAME = "**王** <b>{name}</b> 👵 %s"


def account(actor):
    with reading() as session:
        return session.get_one(Account, actor.id)


def open_recipient(app, recipient_id):
    app.session_state[f"recipient_{recipient_id}"] = True
    return app.run()


@pytest.mark.parametrize("actor", [ZHOU, LI, DESK, OPERATOR, ANALYST])
def test_everybody_who_is_in_has_one(open_app, actor):
    app = open_app(PAGE, actor)
    assert not app.exception
    assert app.title[0].value == words("page.profile")
    assert errors(app) == []
    assert ("profile_new_save" in keys(app)) == (actor is ZHOU)


def test_a_new_name_is_kept_as_typed_and_shown_at_once(open_app):
    app = open_app(PAGE, ZHOU)
    app.text_input(key="rename_name").set_value(f"  {NICKNAME} ")
    app.button(key="rename_save").click().run()
    assert not app.exception
    assert successes(app) == [words("account.saved")]
    assert account(ZHOU).name == NICKNAME
    assert NICKNAME in [text.value for text in app.sidebar.text]


def test_an_empty_name_is_refused_and_the_old_one_stays(open_app):
    app = open_app(PAGE, ZHOU)
    app.text_input(key="rename_name").set_value("   ")
    app.button(key="rename_save").click().run()
    assert errors(app) == [words("error.missing", field=words("field.name"))]
    assert account(ZHOU).name == "周晓燕"


def test_the_phone_is_shown_in_part_and_cannot_be_changed(open_app):
    app = open_app(PAGE, ZHOU)
    assert words("account.phone", phone="138****0001") in said(app)
    assert not [field.key for field in app.text_input if "phone" in str(field.key)]


def test_the_region_is_remembered_and_every_form_starts_from_it(open_app):
    app = open_app(PAGE, ZHOU)
    app.selectbox(key="account_city").set_value(LUZHOU).run()
    app.selectbox(key=f"account_district_{LUZHOU}").set_value(JIANGYANG).run()
    app.button(key="region_save").click().run()
    assert successes(app) == [words("account.saved")]
    assert (account(ZHOU).city_code, account(ZHOU).district_code) == (LUZHOU, JIANGYANG)
    app.switch_page(POST).run()
    assert app.selectbox(key="demand_city").value == LUZHOU
    assert app.selectbox(key=f"demand_district_{LUZHOU}").value == JIANGYANG


def test_the_remembered_region_is_shown_again(open_app):
    with writing() as session:
        zhou = session.get_one(Account, ZHOU.id)
        zhou.city_code, zhou.district_code = NANTONG, CHONGCHUAN
    app = open_app(PAGE, ZHOU)
    assert app.selectbox(key="account_city").value == NANTONG
    assert app.selectbox(key=f"account_district_{NANTONG}").value == CHONGCHUAN


class TestRecipients:
    def test_one_is_changed_in_every_field(self, open_app):
        app = open_recipient(open_app(PAGE, ZHOU), MOTHER_ID)
        prefix = f"profile_{MOTHER_ID}"
        assert app.text_area(key=f"{prefix}_conditions").value == "高血压,按时服药"
        app.text_input(key=f"{prefix}_name").set_value(NICKNAME)
        app.selectbox(key=f"{prefix}_relation").set_value(Relation.GRANDPARENT)
        app.selectbox(key=f"{prefix}_mobility").set_value(Mobility.WHEELCHAIR)
        app.text_area(key=f"{prefix}_conditions").set_value(NASTY)
        app.button(key=f"{prefix}_save").click().run()
        assert not app.exception
        assert successes(app) == [words("recipient.saved")]
        with reading() as session:
            kept = recipients.details(session, ZHOU, MOTHER_ID)
        assert (kept.name, kept.conditions) == (NICKNAME, NASTY)
        assert (kept.relation, kept.mobility) == (Relation.GRANDPARENT, Mobility.WHEELCHAIR)
        assert kept.ward == "6 号楼 312 床"

    def test_health_notes_ask_for_the_consent_once(self, open_app):
        with writing() as session:
            session.execute(delete(Consent).where(Consent.policy == Policy.SENSITIVE_DATA))
        app = open_app(PAGE, ZHOU)
        assert app.checkbox(key="profile_new_agreed").label == words("recipient.agree")
        app.text_input(key="profile_new_name").set_value("周爷爷")
        app.text_area(key="profile_new_conditions").set_value("糖尿病")
        app.button(key="profile_new_save").click().run()
        assert errors(app) == [words("error.health_notes_consent")]
        assert app.text_area(key="profile_new_conditions").value == "糖尿病"
        app.checkbox(key="profile_new_agreed").check()
        app.button(key="profile_new_save").click().run()
        assert successes(app) == [words("recipient.saved")]
        assert not [one for one in app.checkbox if one.key == "profile_new_agreed"]

    def test_names_are_shown_as_typed(self, open_app):
        with writing() as session:
            session.get_one(Recipient, MOTHER_ID).name = NICKNAME
        labels = [one.label for one in open_app(PAGE, ZHOU).expander]
        # A label is Markdown: every sign of it must be escaped.
        assert labels[0].startswith(formats.plain(NICKNAME))
        assert "**" not in labels[0]

    def test_another_is_added_and_the_form_is_empty_again(self, open_app):
        app = open_app(PAGE, ZHOU)
        app.text_input(key="profile_new_name").set_value("周爷爷")
        app.button(key="profile_new_save").click().run()
        assert successes(app) == [words("recipient.saved")]
        assert [one.label[:3] for one in app.expander] == ["周奶奶", "周爷爷"]
        assert app.text_input(key="profile_new_name").value == ""

    def test_without_a_name_none_is_added(self, open_app):
        app = open_app(PAGE, ZHOU)
        app.button(key="profile_new_save").click().run()
        assert errors(app) == [words("error.missing", field=words("field.recipient_name"))]
        assert len(app.expander) == 1

    def test_a_strangers_are_invisible(self, open_app):
        with writing() as session:
            session.get_one(Recipient, MOTHER_ID).name = "只有一家知道"
        app = open_app(PAGE, STRANGER)
        assert "只有一家知道" not in said(app) + "".join(one.label for one in app.expander)
        assert len(app.expander) == 1


class TestRoles:
    def test_a_customer_becomes_a_caregiver_too(self, open_app, menu):
        app = open_app(PAGE, ZHOU)
        app.button(key="become_caregiver").click().run()
        assert successes(app) == [words("account.role_added")]
        assert "become_caregiver" not in keys(app)
        # AppTest, unlike server.py, gives the sidebar other ids in the rerun after a deed.
        app.run().button(key="switch_caregiver").click().run()
        assert words("page.task_hall") in menu

    def test_staff_can_be_a_customer_besides(self, open_app):
        app = open_app(PAGE, OPERATOR)
        app.button(key="become_customer").click().run()
        with reading() as session:
            found = sessions.resume(session, app.session_state["session_token"])
        assert found is not None
        assert found.roles == (Role.OPERATOR, Role.CUSTOMER)

    def test_no_staff_role_can_be_taken_up(self, open_app):
        offered = {key for key in keys(open_app(PAGE, ZHOU)) if str(key).startswith("become_")}
        assert offered == {"become_caregiver"}


def test_the_page_speaks_english(open_app):
    app = speak_english(open_app(PAGE, ZHOU))
    assert app.title[0].value == "My account"
    app.text_input(key="rename_name").set_value("")
    app.button(key="rename_save").click().run()
    assert errors(app) == ["Please fill in: Name"]


def test_two_people_never_see_each_others_account(open_app):
    with reading() as session:
        names = session.scalars(select(Account.name).where(Account.id != STRANGER.id)).all()
    app = open_app(PAGE, STRANGER)
    shown = said(app) + "".join(str(field.value) for field in app.text_input)
    assert "生面人" in shown
    assert not [name for name in names if name in shown]

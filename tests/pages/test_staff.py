import pytest
from sqlalchemy import select

from data.accounts import Account, AccountRole
from data.database import reading, writing
from services import staff
from services.access import Role
from services.phones import masked
from tests.factories import DESK, FAR_OPERATOR, NAMES, NANTONG, NASTY, OPERATOR, phone_of
from tests.pages.screen import errors, opened, said, successes, words

PAGE = "pages/operator/staff.py"
NEW_PHONE = "+8613912345678"


def roles_of(account_id):
    with reading() as session:
        held = select(AccountRole.role).where(AccountRole.account_id == account_id)
        return list(session.scalars(held.order_by(AccountRole.id)))


def invite(app, name="新同事", phone=NEW_PHONE, role=Role.DESK):
    opened(app, "invite_ask")
    app.text_input(key="invite_name").input(name)
    app.text_input(key="invite_phone").input(phone)
    app.selectbox(key="invite_role").set_value(str(role))
    return app.button(key="invite_send").click().run()


def test_who_works_here_stands_with_roles_and_masked_phone(open_app):
    listed = said(open_app(PAGE, OPERATOR))

    assert NAMES[DESK] in listed
    assert masked(phone_of(DESK)).replace("*", "\\*") in listed
    assert words("staff.never_seen") in listed
    assert NAMES[FAR_OPERATOR] not in listed


def test_somebody_new_is_invited(open_app):
    app = invite(open_app(PAGE, OPERATOR), NASTY[:40])

    assert successes(app) == [words("staff.invited")]
    with reading() as session:
        made = session.scalars(select(Account).order_by(Account.id.desc()).limit(1)).one()
    assert (made.name, roles_of(made.id)) == (NASTY[:40].strip(), [Role.DESK])


@pytest.mark.parametrize(
    ("name", "phone", "refusal"),
    [
        (" ", NEW_PHONE, words("error.missing", field=words("field.name"))),
        ("新同事", "12345", words("error.phone_invalid")),
        ("新同事", phone_of(OPERATOR), words("error.own_roles")),
        ("新同事", phone_of(DESK), words("error.staff_role_held")),
    ],
)
def test_what_cannot_be_is_refused_in_words(open_app, name, phone, refusal):
    assert errors(invite(open_app(PAGE, OPERATOR), name, phone)) == [refusal]


def test_a_role_is_given_and_taken(open_app):
    ask = f"change_{DESK.id}_ask"
    app = opened(open_app(PAGE, OPERATOR), ask)
    app.selectbox(key=f"give_{DESK.id}_role").set_value(str(Role.ANALYST))
    app.button(key=f"give_{DESK.id}_send").click().run()
    assert successes(app) == [words("staff.given")]
    assert roles_of(DESK.id) == [Role.DESK, Role.ANALYST]

    take = f"take_{DESK.id}_{Role.DESK}_{NANTONG}"
    app.session_state[f"{take}_ask"] = True
    opened(app, ask)
    app.session_state[f"{take}_ask"] = True
    app.button(key=take).click().run()
    assert successes(app) == [words("staff.taken")]
    assert roles_of(DESK.id) == [Role.ANALYST]


def test_nobody_is_offered_their_own_roles(open_app):
    app = open_app(PAGE, OPERATOR)
    offered = [expander.label for expander in app.expander]

    assert offered.count(words("staff.change")) == 2  # The desk's and the analyst's.


def test_an_operator_of_another_city_sees_their_own(open_app):
    with writing() as session:
        staff.invite(session, OPERATOR, "新同事", NEW_PHONE, Role.DESK, NANTONG)
    listed = said(open_app(PAGE, FAR_OPERATOR))

    assert "新同事" not in listed
    assert NAMES[DESK] not in listed
    assert NAMES[FAR_OPERATOR] in listed

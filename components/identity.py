"""Coming in: the sign-in screen, and the script that has the server set the cookie."""

import streamlit as st
from streamlit.components.v2 import component

from components import consents, formats, icons, providers, security, session
from components.i18n import t
from services import accounts, passwords, sessions, settings
from services.access import Role
from services.accounts import CodePurpose
from services.consents import NEEDED

# A script cannot set an HttpOnly cookie; it takes a one-time ticket to a route that can.
_COOKIE_SETTER = component(
    "cookie_setter",
    html="<span></span>",
    js="""
export default function (component) {
  const { data, setTriggerValue } = component
  if (window.carepilotTicket === data.ticket) return
  window.carepilotTicket = data.ticket
  window.carepilotCookie = fetch(new URL("auth/session", document.baseURI), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ticket: data.ticket }),
  })
    .then((answer) => answer.ok || setTriggerValue("refused", true))
    .catch(() => setTriggerValue("refused", true))
}
""",
)


_PHONE_HINT = "138 0000 0000"


def set_cookie() -> None:
    """After signing in: have the browser fetch its cookie, once."""
    ticket = session.pending_ticket()
    if ticket is None:
        return
    # It speaks only when refused: a run of its own would wipe what the person does meanwhile.
    if _COOKIE_SETTER(
        data={"ticket": ticket}, key="cookie_setter", on_refused_change=lambda: None, height=1
    ).refused:
        session.drop_ticket()
        st.info(t("sign_in.this_tab_only"), icon=":material/tab:")


def sign_in_screen(*, deep_link: bool) -> None:
    """Everything a visitor needs to come in; drawn in place of a page that needs it."""
    _, middle, _ = st.columns([1, 2, 1])
    with middle:
        st.title(t("sign_in.title"))
        if deep_link:
            st.info(t("sign_in.then_on"), icon=":material/lock_open:")
        if session.has_ended():
            st.warning(t("sign_in.ended"), icon=":material/refresh:")
        if settings.settings().demo:
            _demo_buttons()
        providers.provider_buttons()
        way = st.segmented_control(
            t("sign_in.way"),
            ["password", "code", "sign_up"],
            format_func=lambda one: t(f"sign_in.{one}"),
            default="password",
            required=True,
            key="sign_in_way",
            label_visibility="collapsed",
            width="stretch",
        )
        {"password": _with_password, "code": _with_code, "sign_up": _sign_up}[way]()


def _demo_buttons() -> None:
    with st.container(border=True, key="demo_sign_in"):
        st.markdown(f"**{t('sign_in.demo')}**")
        st.caption(t("sign_in.demo_about"))
        for role in Role:
            if st.button(
                t(f"sign_in.demo_{role}"),
                icon=icons.ROLE[role],
                key=f"demo_sign_in_{role}",
                width="stretch",
            ):
                session.enter(lambda db, role=role: sessions.open_demo(db, role, session.client()))


def _with_password() -> None:
    with st.form("sign_in", border=True):
        phone = phone_field("sign_in")
        password = st.text_input(
            t("field.password"),
            type="password",
            key="sign_in_password",
            max_chars=passwords.LONGEST,
        )
        if st.form_submit_button(
            t("sign_in.submit"), type="primary", width="stretch", key="sign_in_submit"
        ):
            session.sign_in(phone, password)
    with st.expander(
        t("sign_in.forgotten"), icon=":material/lock_reset:", key="reset_ask", on_change="rerun"
    ) as opened:
        if opened.open:
            _reset()


def _reset() -> None:
    """A new password for whoever holds the phone."""
    st.caption(t("sign_in.reset_about"))
    phone = phone_field("reset")
    _ask_for_code(phone, CodePurpose.RESET, "reset")
    with st.form("reset", border=False):
        code = st.text_input(t("field.one_time_code"), key="reset_code", max_chars=6)
        password, again = security.password_fields("reset")
        if st.form_submit_button(
            t("sign_in.reset"), type="primary", width="stretch", key="reset_submit"
        ):
            session.reset_password(phone, code, password, again)


def _with_code() -> None:
    with st.container(border=True):
        phone = phone_field("code")
        _ask_for_code(phone, CodePurpose.SIGN_IN, "code")
        with st.form("sign_in_by_code", border=False):
            code = st.text_input(t("field.one_time_code"), key="code_code", max_chars=6)
            if st.form_submit_button(
                t("sign_in.submit"), type="primary", width="stretch", key="code_submit"
            ):
                session.enter(
                    lambda db: accounts.sign_in_by_code(db, phone, code, session.client())
                )


def phone_field(key: str) -> str:
    """Where a phone number is typed."""
    return st.text_input(
        t("field.phone"), key=f"{key}_phone", max_chars=20, type="phone", placeholder=_PHONE_HINT
    )


def role_choice(key: str) -> Role:
    """Whether a newcomer looks for care or gives it."""
    return st.segmented_control(
        t("sign_up.i_am"),
        list(accounts.SELF_SERVICE),
        format_func=lambda one: t(f"sign_up.{one}"),
        default=Role.CUSTOMER,
        required=True,
        key=f"{key}_role",
        width="stretch",
    )


def agreed(key: str, role: Role) -> bool:
    """The yes to all that a newcomer's role asks for."""
    named = formats.listed(t(f"policy.{one}") for one in NEEDED[role])
    return st.checkbox(t("sign_up.agree", documents=named), key=f"{key}_agreed")


def terms(key: str, role: Role) -> None:
    """What a newcomer says yes to, to be read where the yes is asked."""
    for policy in NEEDED[role]:
        consents.document(policy, key)


def _sign_up() -> None:
    with st.container(border=True):
        role = role_choice("sign_up")
        phone = phone_field("sign_up")
        _ask_for_code(phone, CodePurpose.SIGN_UP, "sign_up")
        with st.form("sign_up", border=False):
            code = st.text_input(t("field.one_time_code"), key="sign_up_code", max_chars=6)
            name = st.text_input(t("field.name"), key="sign_up_name", max_chars=40)
            password, again = security.password_fields("sign_up")
            yes = agreed("sign_up", role)
            if st.form_submit_button(
                t("sign_up.submit"), type="primary", width="stretch", key="sign_up_submit"
            ):
                form = accounts.SignUp(name, phone, code, Role(role), yes)
                session.sign_up(form, password, again)
        terms("sign_up", role)


def _ask_for_code(phone: str, purpose: CodePurpose, key: str) -> None:
    asked = f"{key}_asked"
    if st.button(t("sign_in.send_code"), key=f"{key}_send", icon=":material/sms:"):
        sent = session.attempt(accounts.request_code, phone, purpose, session.client())
        st.session_state[asked] = phone if sent else None
    if st.session_state.get(asked) == phone and phone:
        quiet = purpose is not CodePurpose.SIGN_UP
        st.caption(t("sign_in.code_sent_if_known" if quiet else "sign_in.code_sent"))
        if settings.settings().demo:
            console_inbox(phone)


@st.fragment(run_every=1.0)
def console_inbox(phone: str) -> None:
    """The demo's stand-in for a telephone: shows the text that would have been sent."""
    text = session.public(accounts.console_inbox, phone)
    shown = t("sign_in.console_inbox", text=text) if text else t("sign_in.console_waiting")
    st.info(shown, icon=":material/mark_chat_unread:")

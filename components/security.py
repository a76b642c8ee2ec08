"""Signing in and its safety: open sessions, the password, the second factor."""

import streamlit as st

from components import formats, icons, layout, qr, session
from components.i18n import t
from services import accounts, passwords, second_factors, sessions
from services.devices import Browser, Device, System
from services.second_factors import Secret, Standing
from services.sessions import Awaited, OpenSession, Visitor

# Names that are other words in other languages.
NAMED_BROWSERS = tuple(one for one in Browser if one.islower())
NAMED_SYSTEMS = (System.HARMONY, System.OTHER)
_AT_ONCE = 8
_SECRET, _CODES = "factor_secret", "factor_codes"


def sessions_card() -> None:
    """Every browser this person is signed in with, and how to end what is not theirs."""
    found = session.fetch(sessions.mine, session.this_token())
    st.subheader(t("security.sessions"), anchor=False)
    st.caption(t("security.sessions_about"))
    with st.container(border=True, gap="small", key="sessions"):
        for one in layout.first_of(found, "sessions", _AT_ONCE):
            _session(one)
        layout.more_button(found, "sessions", _AT_ONCE)
        if len(found) > 1 and layout.confirmed(
            t("security.end_others"),
            t("security.end_others_means"),
            "end_others",
            icon=":material/logout:",
        ):
            session.perform("security.others_ended", sessions.end_others, session.this_token())


def _session(one: OpenSession) -> None:
    seen = t("security.now") if one.is_this else formats.ago(one.last_seen_at)
    facts = [t("security.seen", ago=seen), t("security.opened", ago=formats.ago(one.opened_at))]
    if one.address_prefix:
        facts.insert(1, t("security.near", prefix=one.address_prefix))
    badges = f" :gray-badge[{icons.ROLE[one.role]} {t(f'role.{one.role}')}]"
    if one.is_this:
        badges += f" :green-badge[{t('security.this')}]"
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    ):
        st.markdown(
            f"**{device_name(one.device)}**{badges}  \n:small[{' · '.join(facts)}]", width="stretch"
        )
        if not one.is_this and st.button(
            t("security.end"), key=f"end_session_{one.id}", icon=":material/logout:"
        ):
            session.perform("security.ended", sessions.end_one, one.id)


def device_name(device: Device) -> str:
    """A device in plain words: the browser, then the system."""
    browser, system = str(device.browser), str(device.system)
    if device.browser in NAMED_BROWSERS:
        browser = t(f"browser.{device.browser}")
    if device.system in NAMED_SYSTEMS:
        system = t(f"system.{device.system}")
    return f"{browser} · {system}"


def password_card() -> None:
    """A new password; it ends every other session."""
    st.subheader(t("account.password"), anchor=False)
    has_one = session.fetch(accounts.view).has_password
    with st.form("password", border=True, clear_on_submit=True):
        old = ""
        if has_one:
            old = st.text_input(
                t("field.old_password"),
                type="password",
                key="old_password",
                max_chars=passwords.LONGEST,
                autocomplete="current-password",
            )
        password, again = password_fields("new")
        st.caption(t("account.password_ends_sessions"))
        if st.form_submit_button(t("account.change_password"), key="password_save"):
            session.change_password(old, password, again)


def password_fields(key: str) -> tuple[str, str]:
    """A new password, typed twice."""
    rule = t("sign_up.password_rule", fewest=passwords.SHORTEST)
    password = st.text_input(
        t("field.new_password"),
        type="password",
        key=f"{key}_password",
        max_chars=passwords.LONGEST,
        help=rule,
        autocomplete="new-password",
    )
    again = st.text_input(
        t("field.password_again"),
        type="password",
        key=f"{key}_password_again",
        max_chars=passwords.LONGEST,
        autocomplete="new-password",
    )
    return password, again


def factor_card() -> None:
    """An operator's second factor: set up, shown once, taken off."""
    standing = session.fetch(second_factors.standing)
    if not (standing.for_them or standing.confirmed):
        return
    st.subheader(t("factor.title"), anchor=False)
    with st.container(border=True, key="factor"):
        if (codes := st.session_state.get(_CODES)) is not None:
            _recovery_codes(codes)
        elif standing.confirmed:
            _confirmed(standing)
        else:
            _not_yet(standing)


def _confirmed(standing: Standing) -> None:
    st.markdown(f":material/verified_user: {t('factor.on', left=standing.recovery_left)}")
    with st.expander(
        t("factor.disable"), icon=":material/no_encryption:", key="disable_ask", on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        if (code := _code_form("disable", t("factor.disable"))) is not None:
            session.perform("factor.disabled", second_factors.disable, code, forget=("disable_",))


def _not_yet(standing: Standing) -> None:
    st.markdown(t("factor.must" if standing.required else "factor.about"))
    secret = st.session_state.get(_SECRET)
    if secret is None:
        if st.button(t("factor.begin"), key="factor_begin", icon=":material/qr_code_2:"):
            session.perform("factor.begun", second_factors.begin, keep=_SECRET)
        return
    _show_secret(secret)
    if (code := _code_form("factor", t("factor.confirm"), spare=False)) is not None:
        session.perform(
            "factor.confirmed",
            second_factors.confirm,
            session.this_token(),
            code,
            keep=_CODES,
            forget=(_SECRET, "factor_code"),
        )


def factor_screen(visitor: Visitor) -> None:
    """Stands in place of every page until an operator's session has its second factor."""
    _, middle, _ = st.columns([1, 2, 1])
    with middle:
        st.title(t("factor.title"))
        if visitor.awaits_factor is Awaited.CODE:
            _at_door()
        else:
            _set_up_at_door()


def _at_door() -> None:
    st.caption(t("factor.enter"))
    code = _code_form("door", t("factor.enter_submit"))
    if code is not None and session.attempt(second_factors.pass_door, session.this_token(), code):
        st.rerun()
    st.caption(t("factor.lost"))


def _set_up_at_door() -> None:
    st.markdown(t("factor.must"))
    secret = st.session_state.get(_SECRET)
    if secret is None:
        if st.button(
            t("factor.begin"), key="factor_begin", icon=":material/qr_code_2:", type="primary"
        ):
            st.session_state[_SECRET] = session.at_door(second_factors.begin_at_door)
            st.rerun()
        return
    _show_secret(secret)
    code = _code_form("factor", t("factor.confirm"), spare=False)
    if code is None:
        return
    if (codes := session.at_door(second_factors.confirm_at_door, code)) is not None:
        del st.session_state[_SECRET]
        st.session_state[_CODES] = codes
        session.open_next("security")


def _show_secret(secret: Secret) -> None:
    st.markdown(t("factor.scan"))
    st.image(qr.image(secret.address), width=220, alt=t("factor.qr_alt"))
    st.caption(t("factor.by_hand"))
    st.code(secret.text, language=None, width="content")


def _recovery_codes(codes: tuple[str, ...]) -> None:
    st.markdown(f"**{t('factor.recovery')}**")
    st.caption(t("factor.recovery_about"))
    st.code("\n".join(codes), language=None, width="content")
    if st.button(t("factor.written_down"), key="factor_written_down", type="primary"):
        del st.session_state[_CODES]
        st.rerun()


def _code_form(key: str, label: str, *, spare: bool = True) -> str | None:
    """A field for a code, or for one that replaces it; what was typed once it is sent."""
    field = t("field.factor_code" if spare else "field.app_code")
    with st.form(f"{key}_form", border=False):
        code = st.text_input(field, key=f"{key}_code", max_chars=12, autocomplete="one-time-code")
        sent = st.form_submit_button(label, type="primary", key=f"{key}_submit")
    return (code or "") if sent else None

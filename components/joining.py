"""First sign-ins through a provider, linked sign-ins, and one's own second account."""

from urllib.parse import parse_qsl, urlsplit

import streamlit as st

from components import formats, identity, layout, navigation, session
from components import providers as ways
from components.i18n import t
from services import joining, providers, settings
from services.access import Role
from services.joining import JoinForm, LinkedIdentity, Pending

_SECURITY = "/security"


def join_screen() -> None:
    """Ask a person nobody knows yet for what the provider did not tell, and let them in."""
    if session.visitor() is not None:
        _go_on()
        return
    _, middle, _ = st.columns([1, 2, 1])
    with middle:
        st.title(t("page.join"))
        browser = _browser()
        waiting = session.public(joining.pending, browser) if browser else None
        if waiting is None:
            st.info(t("joining.nobody_waits"), icon=":material/hourglass_disabled:")
            navigation.button("sign_in", t("joining.to_sign_in"), icon=":material/login:")
            return
        _join_form(browser, waiting)


def linked_card() -> None:
    """The providers somebody can sign in through, to be linked and unlinked."""
    st.subheader(t("linked.title"), anchor=False)
    st.caption(t("linked.about"))
    with st.container(border=True, gap="small", key="linked"):
        ways.show_problem()
        mine = session.fetch(joining.linked)
        for one in mine:
            _linked_row(one)
        _other_account()
        held = {one.kind for one in mine}
        for offer in ways.reachable():
            if providers.kinds_of(offer, ways.user_agent()).isdisjoint(held):
                ways.link_button(offer, _SECURITY)


def merge_card() -> None:
    """A family with two accounts makes them one; whoever works here asks an operator."""
    visitor = session.visitor()
    if visitor is None or visitor.roles != (Role.CUSTOMER,):
        return
    with st.expander(
        t("merging.title"), icon=":material/merge:", key="merge_mine", on_change="rerun"
    ) as opened:
        if opened.open:
            _merge_by_phone()


def _join_form(browser: str, waiting: Pending) -> None:
    provider = ways.name_of(providers.label_of(waiting.kind))
    if waiting.given_name:
        st.text(t("joining.greeting", name=waiting.given_name))
    st.caption(t("joining.about", provider=provider))
    with st.container(border=True):
        role = identity.role_choice("join")
        phone = identity.phone_field("join")
        if st.button(t("sign_in.send_code"), key="join_send", icon=":material/sms:"):
            sent = session.attempt(joining.send_code, browser, phone, session.client())
            st.session_state["join_sent"] = phone if sent else None
        if phone and st.session_state.get("join_sent") == phone:
            st.caption(t("sign_in.code_sent"))
            _telephone(phone)
        with st.form("join", border=False):
            code = st.text_input(t("field.one_time_code"), key="join_code", max_chars=6)
            name = waiting.given_name or st.text_input(
                t("field.name"), key="join_name", max_chars=40
            )
            agreed = identity.agreed("join", role)
            if st.form_submit_button(
                t("joining.submit"), type="primary", width="stretch", key="join_submit"
            ):
                form = JoinForm(name, phone, code, Role(role), agreed)
                session.enter(lambda db: joining.join(db, browser, form, session.client()))
        identity.terms("join", role)


def _go_on() -> None:
    """Whoever is in goes on to the page they wanted, or to their own first one."""
    browser = _browser()
    wanted = urlsplit((session.fetch(joining.onward, browser) if browser else None) or "/")
    name = wanted.path.strip("/")
    if name in {entry.name for entry in navigation.PAGES} - {"join", "sign_in"}:
        navigation.go(name, **dict(parse_qsl(wanted.query)))
    navigation.go("landing")


def _linked_row(one: LinkedIdentity) -> None:
    provider = ways.name_of(providers.label_of(one.kind))
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    ):
        used = t("linked.used", since=formats.ago(one.since), last=formats.ago(one.last_used_at))
        st.markdown(
            f":material/link: **{formats.plain(provider)}**  \n:small[{used}]", width="stretch"
        )
        if layout.confirmed(
            t("linked.unlink"),
            t("linked.unlink_warning", provider=formats.plain(provider)),
            f"unlink_{one.id}",
        ):
            session.perform("linked.unlinked", joining.unlink, one.id)


def _other_account() -> None:
    """An identity just proved is another account's: both are this person's, so offer to merge."""
    browser = _browser()
    kind = session.fetch(joining.mergeable, browser) if browser else None
    if kind is None:
        return
    provider = formats.plain(ways.name_of(providers.label_of(kind)))
    st.info(t("merging.found", provider=provider), icon=":material/merge:")
    if layout.confirmed(
        t("merging.submit"), t("merging.warning"), "merge_found", icon=":material/merge:"
    ):
        session.perform("merging.done", joining.merge_mine, browser)


def _merge_by_phone() -> None:
    st.caption(t("merging.about"))
    phone = identity.phone_field("merge")
    if st.button(t("sign_in.send_code"), key="merge_send", icon=":material/sms:"):
        session.perform(
            "sign_in.code_sent", joining.send_merge_code, phone, session.client(), keep="merge_sent"
        )
    if "merge_sent" in st.session_state:
        _telephone(phone)
    with st.form("merge", border=False):
        code = st.text_input(t("field.one_time_code"), key="merge_code", max_chars=6)
        st.markdown(t("merging.warning"))
        sure = st.checkbox(t("merging.sure"), key="merge_sure")
        if not st.form_submit_button(t("merging.submit"), key="merge_submit"):
            return
        if not sure:
            st.error(t("merging.not_sure"))
            return
        client = session.client()
        session.perform(
            "merging.done", joining.merge_by_phone, phone, code, client, forget=("merge_",)
        )


def _telephone(phone: str) -> None:
    """The demo's stand-in for the telephone a code was sent to."""
    if settings.settings().demo and phone:
        identity.console_inbox(phone)


def _browser() -> str:
    """The secret that binds a trip to this browser; empty without one."""
    kept = st.context.cookies.get(joining.FLOW_COOKIE)
    return kept if isinstance(kept, str) else ""  # In Streamlit's own tests nothing is.

"""Chat for visitors who are not signed in: a phone, then words."""

import streamlit as st
from streamlit.components.v2 import component

from components import chat_thread, identity, live, places, session
from components.i18n import t
from services import cities, clock, credentials, guests, sessions
from services.news import Topic
from services.talks import TalkStatus

_TOKEN, _TICKET = "guest_token", "guest_ticket"
_NAME = "live_guest"
# As with sign-in: the browser takes a one-time ticket to a route that can set the cookie.
_COOKIE_SETTER = component(
    "guest_cookie",
    html="<span></span>",
    js="""
export default function (component) {
  const { data } = component
  if (window.carepilotGuest === data.ticket) return
  window.carepilotGuest = data.ticket
  fetch(new URL("auth/guest", document.baseURI), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ticket: data.ticket }),
  }).then(() => {
    const news = window.carepilotNews
    if (news?.source?.readyState === EventSource.CLOSED) news.source.onerror()
  })
}
""",
)


def panel() -> None:
    """The button of a visitor without account."""
    _panel()


@st.fragment
def _panel() -> None:
    token = _token()
    if token is not None:
        live.woken(_NAME, (Topic.CHAT,), token)
    with session.catching():
        _draw(token)


def _draw(token: str | None) -> None:
    known = session.public(guests.standing, token) if token else None
    with st.popover(
        t("chat.open"), icon=":material/chat:", type="primary", key="guest_panel", on_change="rerun"
    ) as opened:
        if opened.open:
            if token is None or known is None:
                _arrive()
            else:
                _talk(token, known)
    if known is not None and known.unread and not opened.open:
        st.badge(t("chat.unread", count=known.unread), color="red")
    ticket, until = st.session_state.get(_TICKET, ("", None))
    if until is not None and clock.now() < until and not session.without_routes():
        _COOKIE_SETTER(data={"ticket": ticket}, key="guest_cookie", height=1)


def _token() -> str | None:
    """The guest's token: of this tab, or in the cookie as it was when the tab connected."""
    cookie = st.context.cookies.get(guests.COOKIE_NAME)
    return st.session_state.get(_TOKEN) or (credentials.token_of(cookie) if cookie else None)


def _arrive() -> None:
    st.caption(t("chat.guest_about"))
    opened = [city.code for city in session.public(cities.opened)]
    if not opened:
        st.info(t("chat.no_city"), icon=":material/location_off:")
        return
    with st.form("guest_chat", border=False):
        phone = identity.phone_field("guest")
        name = st.text_input(t("chat.guest_name"), key="guest_name", max_chars=40)
        code = st.selectbox(t("field.city"), opened, format_func=places.city_path, key="guest_city")
        if st.form_submit_button(t("chat.begin"), type="primary", key="guest_begin"):
            came = session.outside(guests.arrive, name or "", phone, code, session.client())
            if came is not None:
                st.session_state[_TOKEN] = came.token
                st.session_state[_TICKET] = came.ticket, clock.now() + sessions.TICKET_LIFETIME
                st.rerun(scope="fragment")


def _talk(token: str, known: guests.GuestStanding) -> None:
    chat_thread.head(known.talk)
    found = session.public(guests.thread, token)
    if known.unread:
        session.attempt(guests.mark_read, token, chat_thread.newest(found))
    chat_thread.thread(found, "guest", None)
    if known.talk.status is TalkStatus.SETTLED and known.talk.score is None:
        chat_thread.stars(
            lambda score, said: session.outside(guests.rate, token, score, said), "guest"
        )
    chat_thread.writing(
        lambda said: session.outside(guests.say, token, said.words, said.key),
        "guest",
        t("chat.hint"),
        pictures=False,
    )

"""The ways in through providers: their buttons, and what went wrong on the way."""

import html
from urllib.parse import urlencode, urlsplit

import streamlit as st

from components import session
from components.i18n import t
from services import providers
from services.providers import Offer, Problem

# Pages that somebody only passes on the way to another.
_PASSED = ("", "sign_in", "join")


def provider_buttons() -> None:
    """One button per provider this browser can use; it comes back to the page it was pressed on."""
    show_problem()
    offers = reachable()
    if not offers:
        return
    with st.container(key="providers", gap="small"):
        for offer in offers:
            _way_in(offer, t("joining.sign_in_with", provider=name_of(offer)), back_to=_here())
        st.caption(t("joining.or"), text_alignment="center")


def reachable() -> tuple[Offer, ...]:
    """The providers this browser can use; says in one line when nobody serves their addresses."""
    offers = providers.offered(user_agent())
    if offers and session.without_routes():
        st.caption(t("joining.make_run"))
        return ()
    return offers


def link_button(offer: Offer, back_to: str) -> None:
    """A button that links the provider to the account that is signed in."""
    label = t("linked.link", provider=name_of(offer))
    _way_in(offer, label, link="1", back_to=back_to)


def show_problem() -> None:
    """Why coming in through a provider did not work, and what to do."""
    problem = st.query_params.get("problem", "")
    if problem in set(Problem):
        st.warning(t(f"provider_problem.{problem}"), icon=":material/link_off:")


def name_of(offer: Offer) -> str:
    """What people call the provider."""
    return offer.label or t(f"provider.{offer.name}")


def user_agent() -> str:
    """The browser of this visit, as it calls itself."""
    return st.context.headers.get("User-Agent", "")


def _way_in(offer: Offer, label: str, **query: str) -> None:
    # Not st.link_button: it opens a new tab, and the old one would stay signed out.
    address = html.escape(f"/auth/{offer.name}/start?{urlencode(query)}")
    look = offer.name if offer.name in (providers.WECHAT, providers.DEMO) else "oidc"
    st.html(f'<a class="way-in way-in-{look}" href="{address}">{html.escape(label)}</a>')


def _here() -> str:
    """This page's own path and query, or those it was itself told to go back to."""
    path = urlsplit(st.context.url or "").path
    if path.strip("/") in _PASSED:
        return st.query_params.get("back_to", "/")
    query = urlencode(
        [(key, one) for key in st.query_params for one in st.query_params.get_all(key)]
    )
    return f"{path}?{query}" if query else path

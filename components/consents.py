"""The documents people say yes to: read, and asked for when they have changed."""

from pathlib import Path

import streamlit as st

from components import layout, session
from components.i18n import language, t
from services import consents
from services.access import Role
from services.consents import Policy
from services.sessions import Visitor

_DOCUMENTS = Path(__file__).parent / "documents"
_SETTLED = "consents_settled"


def words_of(policy: Policy) -> str:
    """The newest version of a document, Markdown."""
    return (_DOCUMENTS / f"{policy}.{language()}.md").read_text("utf-8")


def document(policy: Policy, key: str) -> None:
    """A document, drawn once it is opened."""
    with st.expander(
        t(f"policy.{policy}"),
        icon=":material/description:",
        key=f"{key}_{policy}",
        on_change="rerun",
    ) as opened:
        if opened.open:
            st.markdown(words_of(policy))


def ask_again() -> None:
    """Above every page, what this person has not accepted yet; nothing waits for the answer."""
    visitor = session.visitor()
    # Asked of the database until nothing is due: then not again in this tab.
    if visitor is None or st.session_state.get(_SETTLED) == _whose(visitor):
        return
    due = session.fetch(consents.due)
    if not due:
        st.session_state[_SETTLED] = _whose(visitor)
        return
    with st.container(border=True, key="consents_due"):
        st.markdown(f":material/description: **{t('consents.due')}**")
        st.caption(t("consents.due_about"))
        for policy in due:
            document(policy, "due")
        with layout.row():
            for policy in due:
                label = t("consents.agree", policy=t(f"policy.{policy}"))
                if st.button(label, key=f"agree_{policy}", icon=":material/check:"):
                    session.perform("consents.agreed", consents.give, policy)


def _whose(visitor: Visitor) -> tuple[int | None, Role | None]:
    return visitor.actor.id, visitor.actor.role

"""The documents people say yes to: read, and asked for when they have changed."""

import streamlit as st

from components import formats, layout, policies, session
from components.i18n import t
from services import consents, renewals
from services import policies as services
from services.access import Role
from services.consents import ConsentView, Policy
from services.policies import Version
from services.sessions import Visitor

_SETTLED = "consents_settled"


def document(policy: Policy, key: str, *, number: int | None = None) -> None:
    """A document, drawn once it is opened; in the version in force or the one asked for."""
    with st.expander(
        t(f"policy.{policy}"),
        icon=":material/description:",
        key=f"{key}_{policy}",
        on_change="rerun",
    ) as opened:
        if not opened.open:
            return
        version = in_force(policy)
        if number is not None and number != version.number:
            version = session.public(services.of_number, policy, number)
        st.caption(policies.since(version))
        st.markdown(policies.words_of(version))


def in_force(policy: Policy) -> Version:
    """The version of a document in force now."""
    return session.public(services.in_force, policy)[policy]


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
        _to_read(due, "due")
        with layout.row():
            for view in due:
                label = t("consents.agree", policy=t(f"policy.{view.policy}"))
                if st.button(label, key=f"agree_{view.policy}", icon=":material/check:"):
                    session.perform("consents.agreed", consents.give, view.policy, view.newest)


def ask_caller(customer_id: int) -> None:
    """On the desk's card of a caller, what has changed since they said yes, to be read to them."""
    due = session.fetch(renewals.of_caller, customer_id)
    if not due:
        return
    with st.container(border=True, gap="small", key="caller_consents"):
        st.markdown(f":material/description: **{t('consents.caller')}**")
        _to_read(due, "caller")
        with layout.row():
            for view in due:
                label = t("consents.caller_agrees", policy=t(f"policy.{view.policy}"))
                if st.button(label, key=f"renew_{view.policy}", icon=":material/check:"):
                    session.perform(
                        "consents.caller_agreed",
                        renewals.take_down, customer_id, view.policy, view.newest,
                    )  # fmt: skip


def _to_read(due: list[ConsentView], key: str) -> None:
    """Each document due, what changed in it, and folded the lines that differ."""
    found = session.public(services.in_force, *(view.policy for view in due))
    for view in due:
        document(view.policy, key)
        if view.version is not None and view.outdated:
            _changed(found[view.policy], view.version, key)


def _changed(version: Version, accepted: int, key: str) -> None:
    changes = formats.plain(policies.changes_of(version))
    st.markdown(t("consents.changed", number=version.number, changes=changes))
    with st.expander(
        t("consents.compare"),
        icon=":material/difference:",
        key=f"{key}_{version.policy}_compare",
        on_change="rerun",
    ) as opened:
        if opened.open:
            old = session.public(services.of_number, version.policy, accepted)
            policies.what_changed(old, version)


def _whose(visitor: Visitor) -> tuple[int | None, Role | None]:
    return visitor.actor.id, visitor.actor.role

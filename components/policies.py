"""The documents of the rule book as everybody reads them."""

import streamlit as st

from components import differences, formats, icons, layout, navigation, session
from components.i18n import chinese, t
from services import policies
from services.policies import History, Policy, Version


def chosen() -> Policy | None:
    """The document the address names, such as ?of=privacy."""
    typed = st.query_params.get("of", "")
    return Policy(typed) if typed in list(Policy) else None


def reading() -> None:
    """The version the address asks for, or the one in force; without a document, all of them."""
    policy = chosen()
    if policy is None:
        _every_document()
        return
    history = session.public(policies.history, policy)
    number = navigation.asked_number("version") or history.in_force
    layout.page_head("policy", title=t(f"policy.{policy}"))
    version = next((one for one in history.versions if one.number == number), None)
    if version is None:
        layout.empty("policy", icon=":material/description:")
    else:
        _version(version, history)
    _other_versions(history, number)


def words_of(version: Version) -> str:
    """The words of a version in the visitor's language, Markdown."""
    return version.words_zh if chinese() else version.words_en


def changes_of(version: Version) -> str:
    """What changed with a version, in a line of the visitor's language."""
    return version.changes_zh if chinese() else version.changes_en


def since(version: Version) -> str:
    """第 2 版 · 7月1日 周二起施行."""
    return t("policies.since", number=version.number, day=formats.day(version.effective_on))


def what_changed(old: Version, new: Version) -> None:
    """Two versions of a document side by side where they differ."""
    names = (t("policies.number", number=one.number) for one in (old, new))
    differences.difference(words_of(old), words_of(new), *names)


def _every_document() -> None:
    layout.page_head("policy", subtitle=t("policies.all_subtitle"))
    found = session.public(policies.in_force, *Policy)
    for policy in Policy:
        with st.container(border=True, key=f"policy_{policy}"):
            _link(found[policy], t(f"policy.{policy}"))
            st.caption(f"{since(found[policy])} · {formats.plain(changes_of(found[policy]))}")


def _version(version: Version, history: History) -> None:
    standing = history.standing(version)
    with layout.row():
        layout.badge(icons.POLICY[standing], t(f"policy_standing.{standing}"))
        st.caption(since(version), width="content")
    st.markdown(t("policies.what_changed", changes=formats.plain(changes_of(version))))
    with st.container(border=True, key="policy_words"):
        st.markdown(words_of(version))
    if (before := history.before(version)) is None:
        return
    with st.expander(
        t("policies.compare", number=before.number),
        icon=":material/difference:",
        key="policy_compare",
        on_change="rerun",
    ) as opened:
        if opened.open:
            what_changed(before, version)


def _other_versions(history: History, number: int) -> None:
    others = [one for one in history.versions if one.number != number]
    if others:
        st.subheader(t("policies.other_versions"), anchor=False)
    for version in others:
        standing = t(f"policy_standing.{history.standing(version)}")
        _link(version, f"{since(version)} · {standing}")
    navigation.link("policy", t("policies.all"), icon=":material/menu_book:")


def _link(version: Version, label: str) -> None:
    navigation.link(
        "policy",
        label,
        icon=":material/description:",
        of=version.policy,
        version=str(version.number),
    )

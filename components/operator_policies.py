"""The documents of the rule book as operators keep them: written, compared, published."""

from collections.abc import Sequence
from datetime import timedelta

import streamlit as st

from components import differences, formats, icons, layout, navigation, policies, session
from components.i18n import t
from services import clock, policy_drafts
from services.policies import Standing, Version
from services.policy_drafts import LONGEST, LONGEST_CHANGES, Draft, PolicyForm, Shelf

_HEIGHT = 360
# People should have heard of it before it begins.
_AHEAD = timedelta(days=7)
_LANGUAGES = ("zh", "en")


def shelves(found: Sequence[Shelf]) -> None:
    """Every document: what is in force, what comes, what is being written, who said yes."""
    with st.grid(2, min_column_width=300):
        for shelf in found:
            with st.container(border=True, height="stretch", key=f"shelf_{shelf.policy}"):
                _head(shelf)
                _said_yes(shelf)
                navigation.link(
                    "policies",
                    t("policies.open"),
                    icon=":material/arrow_forward:",
                    of=shelf.policy,
                )


def standing(shelf: Shelf) -> None:
    """One document: how it stands, and the way to its public page."""
    navigation.link("policies", t("policies.back"), icon=":material/arrow_back:")
    with st.container(border=True, key=f"shelf_{shelf.policy}"):
        _head(shelf)
        _said_yes(shelf)
        navigation.link(
            "policy", t("policies.read"), icon=":material/description:", of=shelf.policy
        )


def _head(shelf: Shelf) -> None:
    with layout.row():
        st.markdown(f"**{t(f'policy.{shelf.policy}')}**", width="content")
        for version in reversed(shelf.history.versions):
            stands = shelf.history.standing(version)
            if stands is not Standing.REPLACED:
                layout.badge(icons.POLICY[stands], policies.since(version))
        if shelf.draft is not None:
            layout.badge(icons.POLICY[Standing.DRAFT], t("policy_standing.draft"))


def _said_yes(shelf: Shelf) -> None:
    """How many of those asked have accepted the version in force, as a bar."""
    if not shelf.asked:
        st.caption(t("policies.nobody_asked"))
        return
    said = t(
        "policies.said_yes",
        accepted=shelf.accepted,
        asked=shelf.asked,
        number=shelf.history.in_force,
    )
    st.progress(shelf.accepted / shelf.asked, text=said)


def draft(shelf: Shelf) -> None:
    """The draft with its preview and the way to publish it, or a button that begins one."""
    st.subheader(t("policies.draft"), anchor=False)
    if shelf.draft is None:
        st.caption(t("policies.no_draft"))
        if st.button(
            t("policies.begin"), type="primary", icon=":material/edit_note:", key="policy_begin"
        ):
            session.perform("policies.begun", policy_drafts.begin, shelf.policy)
        return
    key = f"draft_{shelf.draft.id}_"
    # The edition these fields were filled with: a colleague may keep another meanwhile.
    edition = st.session_state.setdefault(f"{key}edition", shelf.draft.edition)
    with st.container(border=True, key="policy_draft"):
        st.caption(t("policies.written_by", name=formats.plain(shelf.draft.written_by)))
        form = _fields(shelf.draft, key)
        with layout.row():
            if st.button(t("policies.save"), icon=":material/save:", key=f"{key}save"):
                session.perform(
                    "policies.saved",
                    policy_drafts.save, shelf.draft.id, form, edition, forget=(key,),
                )  # fmt: skip
            if layout.confirmed(
                t("policies.discard"),
                t("policies.discard_warning"),
                f"{key}discard",
                icon=":material/delete:",
            ):
                session.perform("policies.discarded", policy_drafts.discard, shelf.draft.id)
    _publication(shelf, shelf.draft.id, form, edition, key)


def _fields(now: Draft, key: str) -> PolicyForm:
    """Both languages side by side, each with what it will look like."""
    st.caption(t("policies.markdown_help"))
    typed: dict[str, str] = {}
    for column, language in zip(st.columns(2), _LANGUAGES, strict=True):
        with column:
            words, changes = f"words_{language}", f"changes_{language}"
            changed = st.text_input(
                t(f"field.policy_{changes}"),
                getattr(now.form, changes),
                key=f"{key}{changes}",
                max_chars=LONGEST_CHANGES,
                placeholder=t("policies.changes_hint"),
            )
            said = st.text_area(
                t(f"field.policy_{words}"),
                getattr(now.form, words),
                key=f"{key}{words}",
                max_chars=LONGEST,
                height=_HEIGHT,
            )
            typed[changes], typed[words] = changed or "", said or ""
            with st.container(border=True, key=f"{key}preview_{language}"):
                st.caption(t("policies.preview"))
                st.markdown(typed[words])
    return PolicyForm(**typed)


def _publication(shelf: Shelf, draft_id: int, form: PolicyForm, edition: int, key: str) -> None:
    """What changes, from when on and whom it is asked of, before it is published."""
    with st.expander(
        t("policies.to_publish"),
        icon=":material/campaign:",
        key=f"{key}publication",
        on_change="rerun",
    ) as opened:
        if not opened.open:
            return
        newest = shelf.history.versions[0]
        for language in _LANGUAGES:
            st.markdown(f"**{t(f'field.policy_words_{language}')}**")
            differences.difference(
                getattr(newest, f"words_{language}"),
                getattr(form, f"words_{language}"),
                t("policies.number", number=newest.number),
                t("policies.new"),
            )
        day = st.date_input(
            t("field.effective_on"),
            max(clock.today(), newest.effective_on) + _AHEAD,
            key=f"{key}day",
            help=t("policies.day_help"),
        )
        if layout.confirmed(
            t("policies.publish"),
            t("policies.publish_warning", day=formats.day(day), count=shelf.asked),
            f"{key}publish",
            icon=":material/campaign:",
            main=True,
        ):
            session.perform(
                "policies.published",
                policy_drafts.publish, draft_id, form, edition, day, forget=(key,),
            )  # fmt: skip


def versions(shelf: Shelf) -> None:
    """Every published version, who wrote and published it; one that comes can be taken back."""
    st.subheader(t("policies.versions"), anchor=False)
    for version in shelf.history.versions:
        stands = shelf.history.standing(version)
        with st.container(border=True, key=f"version_{version.number}", gap="small"):
            with layout.row():
                layout.badge(icons.POLICY[stands], t(f"policy_standing.{stands}"))
                st.markdown(f"**{policies.since(version)}**", width="content")
            st.text(policies.changes_of(version))
            st.caption(_by(shelf, version))
            with layout.row():
                navigation.link(
                    "policy",
                    t("policies.read"),
                    icon=":material/description:",
                    of=shelf.policy,
                    version=str(version.number),
                )
                if stands is Standing.COMING and layout.confirmed(
                    t("policies.withdraw"),
                    t("policies.withdraw_warning"),
                    f"withdraw_{version.number}",
                    icon=":material/undo:",
                ):
                    session.perform("policies.withdrawn", policy_drafts.withdraw, version.id)


def _by(shelf: Shelf, version: Version) -> str:
    hands = shelf.hands[version.number]
    if hands.written_by is None or hands.published_by is None:
        return t("policies.shipped")
    return t(
        "policies.by",
        written_by=formats.plain(hands.written_by),
        published_by=formats.plain(hands.published_by),
        at=formats.moment(version.published_at),
    )

"""What is kept of a person: in plain words, with consents, openings and the way out."""

from dataclasses import fields

import streamlit as st

from components import consents, formats, layout, navigation, session
from components.i18n import t
from services import audit, documents, erasure
from services import consents as services
from services.access import Permission
from services.consents import ConsentView, Policy
from services.erasure import Open, Standing

_KEPT = ("account", "care", "papers", "orders", "traces")
_ACTIONS = (
    "open_phone",
    "open_contact",
    "open_recipient",
    "open_id_number",
    "open_document",
    "open_report_photo",
    "open_evidence",
    "open_attachment",
    "read_order_talk",
    "open_statement",
    "open_income",
    "open_proof",
    "open_invoice",
)
_OPENINGS_SHOWN = 20


def kept(standing: Standing) -> None:
    """What we keep, what for and how long, in plain words."""
    with st.container(border=True, gap="small"):
        for what in _KEPT:
            st.markdown(f"**{t(f'my_data.{what}')}**  \n{t(f'my_data.{what}_about')}")
        st.caption(
            t(
                "my_data.days_kept",
                rejected=_how_long(standing.rejected_days),
                approved=_how_long(standing.approved_days),
            )
        )


def _how_long(days: int) -> str:
    """90 天, 3 年: whole years are said as years."""
    years, rest = divmod(days, 365)
    return t("my_data.years", count=years) if years and not rest else t("my_data.days", count=days)


def consents_card() -> None:
    """Which documents the person accepted, and when; the sensitive one can be taken back."""
    st.subheader(t("my_data.consents"), anchor=False)
    st.caption(t("my_data.withdraw_is_leaving"))
    with st.container(border=True, gap="small", key="consents"):
        for view in session.fetch(services.mine):
            _consent(view)


def _consent(view: ConsentView) -> None:
    consents.document(view.policy, "read", number=view.version)
    with layout.row():
        st.caption(_told(view), width="content")
        if view.version is not None:
            navigation.link(
                "policy", t("my_data.read_version"), of=view.policy, version=str(view.version)
            )
        if (
            view.policy is Policy.SENSITIVE_DATA
            and view.holds
            and layout.confirmed(
                t("my_data.withdraw"),
                t("my_data.withdraw_means"),
                "withdraw_sensitive_data",
                icon=":material/undo:",
            )
        ):
            session.perform("my_data.withdrawn", erasure.forget_sensitive)


def _told(view: ConsentView) -> str:
    if view.version is None or view.given_at is None:
        return t("my_data.never_given")
    if view.withdrawn_at is not None:
        return t("my_data.was_withdrawn", at=formats.moment(view.withdrawn_at))
    return t("my_data.given", version=view.version, at=formats.moment(view.given_at))


def openings() -> None:
    """Who looked at the person's phone, address, number and papers: in which role, when."""
    st.subheader(t("my_data.openings"), anchor=False)
    looks = [(one.action, one.role, one.at, one.is_me) for one in session.fetch(audit.looks)]
    if session.actor().may(Permission.HAND_IN_CASE):
        looks += [
            ("open_document", one.role, one.at, one.is_me)
            for one in session.fetch(documents.openings)
        ]
    if not looks:
        st.caption(t("my_data.no_openings"))
        return
    looks.sort(key=lambda look: look[2], reverse=True)
    st.dataframe(
        [
            {
                t("my_data.when"): formats.moment(at),
                t("my_data.what"): t(f"opened.{action}"),
                t("my_data.who"): t("my_data.me") if is_me else t(f"role.{role}") if role else "",
            }
            for action, role, at, is_me in looks[:_OPENINGS_SHOWN]
        ],
        key="openings",
        hide_index=True,
    )


def leaving(standing: Standing) -> None:
    """Ask to be erased, with the word typed; until it is done, take that back."""
    st.subheader(t("my_data.leaving"), anchor=False)
    with st.container(border=True, key="leaving"):
        if standing.due_at is not None:
            st.warning(
                t("my_data.leaving_asked", at=formats.moment(standing.due_at)),
                icon=":material/hourglass_top:",
            )
            if st.button(t("my_data.stay"), key="withdraw_erasure", icon=":material/undo:"):
                session.perform("my_data.staying", erasure.withdraw)
        st.markdown(t("my_data.leaving_means"))
        if standing.open.anything:
            st.markdown(f"**{t('my_data.still_open')}**\n\n{_listed(standing.open)}")
        elif standing.due_at is None:
            _ask()


def _listed(found: Open) -> str:
    """A list of what keeps the person from leaving yet."""
    return "\n".join(
        f"- {t(f'still_open.{field.name}', count=_said(field.name, value))}"
        for field in fields(found)
        if (value := getattr(found, field.name))
    )


def _said(name: str, value: int) -> str:
    return formats.money(value) if name.endswith("_fen") else str(value)


def _ask() -> None:
    with st.expander(
        t("my_data.leave"), icon=":material/delete_forever:", key="leave", on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        word = t("my_data.leave_word")
        with st.form("leave_form", border=False):
            st.markdown(t("my_data.leave_warning"))
            typed = st.text_input(t("my_data.type_word", word=word), key="leave_typed")
            if not st.form_submit_button(t("my_data.leave_sure"), key="ask_erasure"):
                return
        if (typed or "").strip().casefold() != word.casefold():
            st.error(t("my_data.word_differs", word=word))
            return
        session.perform("my_data.leaving_noted", erasure.ask, forget=("leave",))

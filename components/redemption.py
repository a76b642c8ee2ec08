"""Redeeming: the family types or opens the caregiver's code."""

import streamlit as st

from components import catalogue, formats, layout, session
from components.i18n import t
from services import calls, clock, redemption
from services.redemption import Redeemable


def link_outcome(waiting: list[Redeemable]) -> None:
    """Say so when the opened link's visit does not wait for this person's click."""
    linked = _linked_visit()
    if linked is not None and linked not in {visit.visit_id for visit in waiting}:
        st.info(t("redeem.link_done"), icon=":material/info:")


def redeem_form(waiting: list[Redeemable], *, then: str | None = "landing") -> None:
    """Choose the visit, enter its code, close it; a link brings both, the click is the person's."""
    items = catalogue.items()
    by_id = {visit.visit_id: visit for visit in waiting}
    linked = _linked_visit()
    ids = list(by_id)
    visit_id = st.radio(
        t("redeem.which"),
        ids,
        index=ids.index(linked) if linked in by_id else 0,
        format_func=lambda one: _described(
            by_id[one], catalogue.item_name(items, by_id[one].item_id)
        ),
        key="redeem_visit",
    )
    visit = by_id[visit_id]
    if visit.locked_until is not None and visit.locked_until > clock.now():
        st.warning(
            t("error.redemption_locked", until=formats.moment(visit.locked_until)),
            icon=":material/lock:",
        )
    with st.form("redeem", border=True):
        code = st.text_input(
            t("field.code"),
            st.query_params.get("code", "") if visit_id == linked else "",
            key=f"redeem_code_{visit_id}",
            max_chars=20,
            placeholder="ABCD-EFGH",
            help=t("redeem.help"),
        )
        with layout.row():
            st.caption(t("redeem.pays", total=formats.money(visit.total_fen)), width="content")
            pressed = st.form_submit_button(
                t("redeem.submit"), type="primary", icon=":material/verified:", key="redeem_submit"
            )
    if pressed:
        session.perform(
            "redeem.done",
            redemption.redeem,
            visit_id,
            code,
            then=then,
            forget=("redeem_",),
        )


def call_back_form(waiting: list[Redeemable]) -> None:
    """Whom the desk called, what they said of the visit, and the code they read out."""
    items = catalogue.items()
    by_id = {visit.visit_id: visit for visit in waiting}
    visit_id = st.radio(
        t("redeem.which"),
        list(by_id),
        format_func=lambda one: _described(
            by_id[one], catalogue.item_name(items, by_id[one].item_id)
        ),
        key="redeem_visit",
    )
    with st.form("redeem", border=True):
        spoke_with = st.text_input(
            t("field.spoke_with"), key=f"redeem_spoke_{visit_id}", max_chars=40
        )
        said = st.text_input(
            t("field.call_words"),
            key=f"redeem_words_{visit_id}",
            max_chars=500,
            placeholder=t("redeem.said_hint"),
        )
        code = st.text_input(
            t("field.code"),
            key=f"redeem_code_{visit_id}",
            max_chars=20,
            placeholder="ABCD-EFGH",
        )
        with layout.row():
            total = formats.money(by_id[visit_id].total_fen)
            st.caption(t("redeem.pays", total=total), width="content")
            pressed = st.form_submit_button(
                t("redeem.submit"), type="primary", icon=":material/verified:", key="redeem_submit"
            )
    if pressed:
        session.perform(
            "redeem.done", calls.redeem, visit_id, code, spoke_with, said, forget=("redeem_",)
        )


def _described(visit: Redeemable, item: str) -> str:
    when = formats.span(visit.starts_at, visit.ends_at)
    who = f"{visit.caregiver_name} → {visit.recipient_name}"
    return f"{item} · {when} · {formats.plain(who)}"


def _linked_visit() -> int | None:
    given = st.query_params.get("visit", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 12 else None

"""Complaints on the cards of orders and visits: lodged, taken back, and closed."""

from datetime import datetime

import streamlit as st

from components import formats, layout, navigation, session
from components.i18n import t
from services import complaints, no_shows
from services.access import Permission
from services.complaints import ComplaintCategory, ComplaintView
from services.orders import OrderView

_ICON = ":material/feedback:"


def complaint_button(visit: OrderView) -> None:
    """The way to complain of a visit, for those who may and as long as one can."""
    if not session.actor().may(Permission.COMPLAIN) or not complaints.opens_for(
        visit.visit_status, visit.starts_at, visit.ends_at
    ):
        return
    key = f"complain_{visit.visit_id}"
    kinds = complaints.categories(session.actor(), visit.end_reason, visit.ended_by)
    contests = ComplaintCategory.NO_SHOW in kinds
    with st.popover(
        t("complaint.contest" if contests else "complaint.button"),
        icon=_ICON,
        type="tertiary",
        key=f"{key}_ask",
        on_change="rerun",
    ) as asked:
        if not asked.open:
            return
        st.caption(t("complaint.contest_rules" if contests else "complaint.rules"))
        navigation.link(
            "policy", t("complaint.handling"), icon=":material/gavel:", of="complaint_handling"
        )
        with st.form(f"{key}_form", border=False):
            category = st.selectbox(
                t("field.complaint_category"),
                kinds,
                format_func=lambda one: t(f"complaint_category.{one}"),
                key=f"{key}_category",
            )
            said = st.text_area(
                t("field.complaint_words"),
                key=f"{key}_words",
                max_chars=500,
                placeholder=t("complaint.hint"),
            )
            sent = st.form_submit_button(t("complaint.send"), type="primary", key=key)
        if sent:
            session.perform(
                "complaint.lodged",
                complaints.lodge,
                visit.visit_id,
                category,
                said or "",
                forget=(f"{key}_words", f"{key}_ask"),
            )


def complaint_card(one: ComplaintView) -> None:
    """How a complaint stands, and what this person may do about it."""
    with st.container(border=True, gap="small", key=f"complaint_{one.id}"):
        st.markdown("  \n".join(_told(one)))
        with layout.row():
            if "take_back" in one.moves and layout.confirmed(
                t("move.take_back"),
                t("complaint.take_back_warning"),
                f"take_back_{one.id}",
                icon=":material/undo:",
            ):
                session.perform("complaint.taken_back", complaints.take_back, one.id)
            if "close" in one.moves:
                _evidence(one)
            if "close" in one.moves and one.category is ComplaintCategory.NO_SHOW:
                _take_back_no_show(one)
            if "close" in one.moves and (outcome := outcome_form(f"complaint_{one.id}")):
                session.perform(
                    "complaint.closed",
                    complaints.close,
                    one.id,
                    outcome[0],
                    forget=(f"outcome_complaint_{one.id}",),
                )


def _evidence(one: ComplaintView) -> None:
    """How the visit was planned and went, for whoever decides."""
    key = f"evidence_{one.id}"
    with st.popover(
        t("evidence.button"), icon=":material/fact_check:", key=f"{key}_ask", on_change="rerun"
    ) as asked:
        if not asked.open:
            return
        found = session.fetch(no_shows.evidence, one.visit_id)
        planned = formats.span(found.starts_at, found.ends_at)
        lines = [
            t("evidence.planned", when=planned),
            _happened("in", found.checked_in_at),
            _happened("out", found.checked_out_at),
        ]
        if found.checked_in_near:
            near = t(f"distance.{found.checked_in_near}")
            lines.append(t("orders_page.checked_in_near", near=near))
        elif found.checked_in_at:
            lines.append(t("evidence.no_place"))
        if found.missed_at and found.missed_by:
            lines.append(
                t(
                    "evidence.missed",
                    party=t(f"party.{found.missed_by}"),
                    at=formats.moment(found.missed_at),
                    fee=formats.money(found.owed_fen),
                )
            )
        st.markdown("  \n".join(lines))
        if found.words:
            layout.field(t("evidence.words"), found.words)


def _happened(way: str, at: datetime | None) -> str:
    """When she checked in or out, or that she did not."""
    return t(f"evidence.checked_{way}", at=formats.moment(at)) if at else t(f"evidence.not_{way}")


def _take_back_no_show(one: ComplaintView) -> None:
    """Hold the no-show against nobody any more; both sides read why."""
    key = f"take_back_no_show_{one.id}"
    with st.popover(
        t("evidence.take_back"), icon=":material/undo:", key=f"{key}_ask", on_change="rerun"
    ) as asked:
        if not asked.open:
            return
        st.markdown(t("evidence.take_back_warning"))
        said = layout.reason_form(key, t("evidence.take_back"), t("complaint.outcome_hint"))
        if said is not None:
            session.perform(
                "evidence.taken_back",
                no_shows.take_back,
                one.visit_id,
                said,
                forget=(f"reason_{key}",),
            )


def outcome_form(key: str) -> tuple[str] | None:
    """Words on what came of it, that both sides will read; None until they are sent."""
    with st.popover(
        t("complaint.close"),
        icon=":material/task_alt:",
        type="primary",
        key=f"outcome_{key}_ask",
        on_change="rerun",
    ) as asked:
        if not asked.open:
            return None
        with st.form(f"outcome_{key}_form", border=False):
            said = st.text_area(
                t("field.outcome_words"),
                key=f"outcome_{key}_words",
                max_chars=500,
                placeholder=t("complaint.outcome_hint"),
                help=t("complaint.outcome_help"),
            )
            sent = st.form_submit_button(
                t("complaint.close_now"), type="primary", key=f"outcome_{key}"
            )
    return (said or "",) if sent else None


def _told(one: ComplaintView) -> list[str]:
    """Who complained of what, what was said, and how it ended."""
    who = t("complaint.by_caregiver" if one.by_caregiver else "complaint.by_family")
    category = t(f"complaint_category.{one.category}")
    colour, state = ("orange", "open") if one.closed_at is None else ("gray", "ended")
    lines = [
        f":{colour}-badge[{_ICON} {t(f'complaint.{state}')}] **{who}{category}**",
        f":small[:gray[{formats.moment(one.opened_at)} · "
        f"{t('complaint.of_visit', at=formats.moment(one.starts_at))}]]",
    ]
    if one.words:
        lines.append(formats.plain(one.words))
    if one.closed_at is None:
        lines.append(f":small[{t('complaint.pay_rests')}]")
    elif one.outcome_words:
        lines.append(f"**{t('complaint.outcome')}** {formats.plain(one.outcome_words)}")
    else:
        lines.append(t("complaint.was_taken_back"))
    return lines

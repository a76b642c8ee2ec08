"""Incidents on the cards of visits: told in a few taps, and closed by the operator."""

import streamlit as st

from components import formats, session
from components.i18n import t
from services import incidents
from services.access import Permission
from services.incidents import IncidentKind, IncidentView
from services.orders import OrderView

_ICON = ":material/emergency:"


def incident_button(visit: OrderView) -> None:
    """One wide button while a visit goes on or has just been made."""
    if not session.actor().may(Permission.WORK_VISIT) or not incidents.opens_for(
        visit.visit_status
    ):
        return
    key = f"incident_{visit.visit_id}"
    with st.popover(
        t("incident.button"), icon=_ICON, key=f"{key}_ask", on_change="rerun", width="stretch"
    ) as asked:
        if not asked.open:
            return
        st.warning(t("incident.first"), icon=":material/call:")
        st.caption(t("incident.who_reads"))
        with st.form(f"{key}_form", border=False):
            kind = st.pills(
                t("field.incident_kind"),
                list(IncidentKind),
                default=IncidentKind.FALL,
                format_func=lambda one: t(f"incident_kind.{one}"),
                required=True,
                key=f"{key}_kind",
            )
            said = st.text_area(
                t("field.incident_words"),
                key=f"{key}_words",
                max_chars=500,
                placeholder=t("incident.hint"),
            )
            sent = st.form_submit_button(
                t("incident.send"), type="primary", icon=_ICON, key=key, width="stretch"
            )
        if sent:
            session.perform(
                "incident.reported",
                incidents.report,
                visit.visit_id,
                kind,
                said or "",
                forget=(f"{key}_words", f"{key}_ask"),
            )


def incident_card(one: IncidentView) -> None:
    """How an incident stands; the operator closes it here."""
    with st.container(border=True, gap="small", key=f"incident_card_{one.id}"):
        st.markdown("  \n".join(_told(one)))
        if "close" in one.moves and (outcome := _outcome_form(f"incident_{one.id}")):
            session.perform(
                "incident.closed",
                incidents.close,
                one.id,
                outcome[0],
                forget=(f"outcome_incident_{one.id}",),
            )


def _outcome_form(key: str) -> tuple[str] | None:
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


def _told(one: IncidentView) -> list[str]:
    """What happened when, what the caregiver said, and what was done."""
    colour, state = ("red", "open") if one.closed_at is None else ("gray", "ended")
    lines = [
        f":{colour}-badge[{_ICON} {t(f'incident.{state}')}] **{t(f'incident_kind.{one.kind}')}**",
        f":small[:gray[{formats.moment(one.reported_at)} · "
        f"{t('complaint.of_visit', at=formats.moment(one.starts_at))}]]",
    ]
    if one.words:
        lines.append(formats.plain(one.words))
    if one.closed_at is None and not one.moves:
        lines.append(f":small[{t('incident.seen_to')}]")
    if one.closed_at is not None:
        lines.append(f"**{t('complaint.outcome')}** {formats.plain(one.outcome_words)}")
    return lines

"""Complaints on the cards of orders and visits, as both sides and the desk meet them."""

from collections.abc import Sequence

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from components import complaint_thread, formats, icons, layout, navigation, session, words
from components.i18n import t
from services import complaint_views, complaints, rulings, scans
from services.access import Permission, Role
from services.complaint_views import Appeal, ComplaintStatus, ComplaintView, Exclusive, Measures
from services.complaints import ComplaintCategory
from services.orders import OrderView
from services.scans import Page

_ICON = ":material/feedback:"
_TYPES = ("jpg", "jpeg", "png", "webp", "heic", "heif", "pdf")


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
            given = evidence_field(f"{key}_files")
            sent = st.form_submit_button(t("complaint.send"), type="primary", key=key)
        if sent and (pages := pages_of(given)) is not None:
            session.perform(
                "complaint.lodged",
                complaints.lodge,
                visit.visit_id,
                category,
                said or "",
                pages,
                forget=(f"{key}_words", f"{key}_files", f"{key}_ask"),
            )


def evidence_field(key: str) -> list[UploadedFile]:
    """Where photos and papers are chosen; the files themselves are kept nowhere."""
    return st.file_uploader(
        t("complaint.evidence", most=complaints.MOST_PAGES),
        type=list(_TYPES),
        accept_multiple_files=True,
        max_upload_size=scans.MOST_BYTES // 1024 // 1024,
        key=key,
    )


def pages_of(given: Sequence[UploadedFile]) -> list[Page] | None:
    """Pictures of our own making of what was chosen; None and words if one cannot be read."""
    if len(given) > complaints.MOST_PAGES:
        st.error(t("error.evidence_full", most=complaints.MOST_PAGES))
        return None
    pages = list[Page]()
    for one in given:
        with st.spinner(t("verification.preparing")):
            made = words.unless_refused(scans.pages_of, one.getvalue())
        if made is None:
            return None
        pages += made
    return pages


def my_complaints() -> None:
    """Complaints of one's own visits that are not over yet, above all else."""
    found = session.fetch(complaint_views.current)
    if not found:
        return
    st.subheader(t("complaint.mine"), anchor=False)
    for one in found:
        _card(one)


def complaint_card(one: ComplaintView) -> None:
    """A complaint beside its order; for the sides one that is not over stands above in full."""
    if one.current and session.actor().role in (Role.CUSTOMER, Role.CAREGIVER):
        with st.container(border=True, gap="small", key=f"complaint_line_{one.id}"):
            st.markdown("  \n".join(told(one)))
            st.caption(t("complaint.above"))
        return
    _card(one)


def _card(one: ComplaintView) -> None:
    """How a complaint stands, and what this person may do about it."""
    with st.container(border=True, gap="small", key=f"complaint_{one.id}"):
        st.markdown("  \n".join(told(one)))
        if session.actor().role is Role.OPERATOR:
            navigation.link(
                "complaints",
                t("complaint.to_case", number=one.id),
                icon=":material/arrow_forward:",
                case=str(one.id),
            )
            return
        with layout.row():
            if "take_back" in one.moves and layout.confirmed(
                t("move.take_back"),
                t("complaint.take_back_warning"),
                f"take_back_{one.id}",
                icon=":material/undo:",
            ):
                session.perform("complaint.taken_back", complaints.take_back, one.id)
            if "appeal" in one.moves:
                _appeal_button(one)
        with st.expander(
            t("complaint.thread"),
            icon=":material/forum:",
            key=f"complaint_thread_{one.id}",
            on_change="rerun",
        ) as opened:
            if opened.open:
                complaint_thread.side_thread(one, evidence_field, pages_of)


def _appeal_button(one: ComplaintView) -> None:
    key = f"appeal_{one.id}"
    with st.popover(
        t("complaint.appeal"), icon=":material/balance:", key=f"{key}_ask", on_change="rerun"
    ) as asked:
        if not asked.open or one.appeal_until is None:
            return
        st.markdown(t("complaint.appeal_means", until=formats.moment(one.appeal_until)))
        with st.form(f"{key}_form", border=False):
            said = st.text_area(
                t("field.appeal_words"),
                key=f"{key}_words",
                max_chars=500,
                placeholder=t("complaint.appeal_hint"),
            )
            sent = st.form_submit_button(t("complaint.appeal_send"), type="primary", key=key)
        if sent:
            session.perform(
                "complaint.appealed", rulings.appeal, one.id, said or "", forget=(f"{key}_",)
            )


def told(one: ComplaintView) -> list[str]:
    """Who complained of what, what was said, and how it stands or ended."""
    category = t(f"complaint_category.{one.category}")
    icon, colour = icons.COMPLAINT[one.status]
    lines = [
        f":{colour}-badge[{icon} {t(f'complaint_status.{one.status}')}] "
        f"**{t(f'complaint.by_{one.by}')}{category}**",
        f":small[:gray[{formats.moment(one.opened_at)} · "
        f"{t('complaint.of_visit', at=formats.moment(one.starts_at))}]]",
    ]
    if one.words:
        lines.append(formats.plain(one.words))
    if one.status is ComplaintStatus.OPEN:
        return [*lines, _awaited(one)]
    if not one.outcome_words:
        return [*lines, t("complaint.was_taken_back")]
    lines.append(f"**{t('complaint.outcome')}** {formats.plain(one.outcome_words)}")
    lines += [f":small[{line}]" for line in measured(one.measures)]
    if one.appeal is not None:
        lines += _appealed(one.appeal)
    return [*lines, _awaited(one)] if one.undecided else lines


def _awaited(one: ComplaintView) -> str:
    """By when it is decided, and what rests until then."""
    due = t("complaint.due", at=formats.soon(one.due_at))
    late = f":red[:material/alarm: {t('complaint.late')}]" if one.escalated else ""
    return f":small[:material/schedule: {due} {t('complaint.pay_rests')} {late}]".strip()


def measured(measures: Measures) -> list[str]:
    """What came of it besides words."""
    said = list[str]()
    if measures.refund_fen:
        hers = session.actor().role is Role.CAREGIVER
        amount = formats.money(measures.refund_fen)
        key = "complaint.refunded_by_you" if hers else "complaint.refunded"
        said.append(f":material/currency_yuan: {t(key, amount=amount)}")
    if measures.apology:
        said.append(f":material/handshake: {t('complaint.apologised')}")
    if measures.points:
        said.append(f":material/gavel: {t('complaint.points_given', count=measures.points)}")
    return said + [f":material/block: {_excluded(one)}" for one in measures.exclusions]


def _excluded(one: Exclusive) -> str:
    word = t(f"exclusion_scope.{one.scope}")
    if one.lifted:
        return t("complaint.exclusion_lifted", scope=word)
    return f"{word} · {term(one)}"


def term(one: Exclusive) -> str:
    """Until which day it holds."""
    if one.last_day is None:
        return t("exclusions.for_good")
    return t("exclusions.until", day=formats.day(one.last_day))


def _appealed(appeal: Appeal) -> list[str]:
    said = [f"**{t(f'complaint.appeal_by_{appeal.by}')}** {formats.plain(appeal.words)}".strip()]
    if appeal.upheld is not None:
        outcome = t("complaint.upheld" if appeal.upheld else "complaint.amended")
        said.append(f"**{outcome}** {formats.plain(appeal.outcome_words)}")
        if appeal.same_judge:
            said.append(f":small[{t('complaint.same_judge')}]")
    return said

"""What was written and handed in about a complaint, and the fields to add to it."""

from collections.abc import Callable, Sequence

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from components import formats, icons, layout, session, wishes
from components.i18n import t
from components.report_photos import gallery
from services import complaint_evidence, complaint_messages
from services.access import Role
from services.complaint_evidence import EvidenceView
from services.complaint_messages import Audience, MessageView
from services.complaint_views import ComplaintView, Party
from services.pictures import PictureKind
from services.scans import Page


def side_thread(
    one: ComplaintView,
    field: Callable[[str], list[UploadedFile]],
    pages_of: Callable[[Sequence[UploadedFile]], list[Page] | None],
) -> None:
    """A side's own words, what the platform wrote to it, its evidence and what was shared."""
    messages(session.fetch(complaint_messages.of, one.id))
    pages = session.fetch(complaint_evidence.of, one.id)
    desk = session.actor().role is Role.DESK
    evidence(pages, one.id, "complaint" if desk else "own")
    if not one.undecided:
        return
    message_form(one.id, None)
    key = f"evidence_add_{one.id}"
    with st.form(f"{key}_form", border=False):
        given = field(f"{key}_files_{len(pages)}")
        sent = st.form_submit_button(t("complaint.hand_in"), key=key)
    if sent and (made := pages_of(given)) is not None:
        session.perform(
            "complaint.handed_in", complaint_evidence.add, one.id, made, forget=(f"{key}_files_",)
        )


def messages(found: Sequence[MessageView]) -> None:
    """What was written, oldest first; who reads a message stands beside it for operators."""
    if not found:
        st.caption(t("complaint.no_messages"))
    for one in found:
        with st.container(border=True, gap=None, key=f"complaint_message_{one.id}"):
            who = t(f"complaint_author.{one.by}")
            if one.author_name:
                who = f"{who} · {formats.plain(one.author_name)}"
            if one.by is Party.PLATFORM and one.author_name:
                who = f"{who} → {t(f'audience.{one.audience}')}"
            st.markdown(f"{icons.PARTY[one.by]} **{who}** :gray[:small[{formats.moment(one.at)}]]")
            st.text(one.words)


def message_form(complaint_id: int, readers: Sequence[Audience] | None) -> None:
    """Words to the platform, or from it to those who are chosen."""
    key = f"message_{complaint_id}"
    with st.form(f"{key}_form", border=False):
        audience = None
        if readers is not None:
            audience = st.segmented_control(
                t("field.audience"),
                list(readers),
                default=readers[0],
                required=True,
                format_func=lambda one: t(f"audience.{one}"),
                key=f"{key}_audience",
                wrap=True,
            )
        said = st.text_area(
            t("field.message_words"),
            key=f"{key}_words",
            max_chars=500,
            placeholder=t("complaint.message_hint" if readers is None else "complaint.ask_hint"),
        )
        sent = st.form_submit_button(t("complaint.send_message"), icon=":material/send:", key=key)
    request_key = wishes.request_key(key, pressed=sent)
    if sent:
        session.perform(
            "complaint.message_sent",
            complaint_messages.write,
            complaint_id,
            said or "",
            request_key,
            audience,
            forget=(f"{key}_words",),
        )


def evidence(pages: Sequence[EvidenceView], complaint_id: int, purpose: str) -> None:
    """The pages that are still there, small; each opens larger."""
    there = [one.id for one in pages if not one.shredded]
    if not there:
        return
    st.markdown(f"**{t('complaint.pages', count=len(there))}**")
    if purpose == "complaint":
        st.caption(f":material/policy: {t('complaint.audited')}")
    gallery(PictureKind.EVIDENCE, there, purpose, f"evidence_{complaint_id}")


def sharing(pages: Sequence[EvidenceView]) -> None:
    """Which pages the other side may see, and the way to let it."""
    for one in pages:
        with layout.row():
            st.markdown(
                f":small[{t(f'complaint.page_by_{one.by}', number=one.number)}]",
                width="content",
            )
            if one.shared:
                st.badge(t("complaint.shared"), icon=":material/visibility:", color="green")
            elif not one.shredded and layout.confirmed(
                t("complaint.share"), t("complaint.share_warning"), f"share_{one.id}"
            ):
                session.perform("complaint.shared_now", complaint_evidence.share, one.id)

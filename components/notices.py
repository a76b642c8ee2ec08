"""The inbox."""

from datetime import date, datetime
from typing import Any

import streamlit as st

from components import catalogue, chat, formats, layout, live, navigation, session
from components.drafts import again_button
from components.i18n import t
from services import notices, redemption
from services.access import Permission
from services.news import Topic
from services.notices import NoticeKind, NoticeView

_SHOWN_AT_ONCE = 15
_PAGE_OF = {
    NoticeKind.DEMAND_POSTED: "task_hall",
    NoticeKind.APPLICATION_RECEIVED: "applications",
    NoticeKind.APPLICATION_DECLINED: "task_hall",
    NoticeKind.APPLICATION_CLOSED: "task_hall",
    NoticeKind.APPLICATION_WAITLISTED: "task_hall",
    NoticeKind.APPLICATION_RETURNED: "task_hall",
    NoticeKind.ORDER_CONFIRMED: "my_orders",
    NoticeKind.CODE_ISSUED: "my_visits",
    NoticeKind.REQUEST_RECEIVED: "my_visits",
    NoticeKind.REQUEST_PLACED: "orders",
    NoticeKind.REQUEST_TO_APPROVE: "orders",
    NoticeKind.REQUEST_REFUSED: "my_orders",
    NoticeKind.REQUEST_EXPIRED: "my_orders",
    NoticeKind.REQUEST_LAPSED: "my_orders",
    NoticeKind.YES_LAPSED: "my_visits",
    NoticeKind.APPROVAL_DUE: "orders",
    NoticeKind.REQUEST_BLOCKED: "my_orders",
    NoticeKind.REDEEM_REMINDER: "redeem",
    NoticeKind.PAY_RELEASED: "income",
    NoticeKind.PAID_OUT: "income",
    NoticeKind.PAYOUT_FAILED: "income",
    NoticeKind.PAYOUT_ACCOUNT_CHANGED: "income",
    NoticeKind.RULES_PROPOSED: "rules",
    NoticeKind.RULES_TURNED_DOWN: "rules",
    NoticeKind.RULES_PUBLISHED: "rules",
    NoticeKind.RULES_WITHDRAWN: "rules",
    NoticeKind.INVOICE_ASKED: "invoices",
    NoticeKind.INVOICE_ISSUED: "my_bill",
    NoticeKind.INVOICE_REFUSED: "my_bill",
    NoticeKind.INVOICE_CANCELLED: "my_bill",
    NoticeKind.BREACHES_FOUND: "compliance",
    NoticeKind.VISIT_FINISHED: "redeem",
    NoticeKind.VISIT_REDEEMED: "my_visits",
    NoticeKind.REDEMPTION_LOCKED: "orders",
    NoticeKind.REVIEW_RECEIVED: "my_profile",
    NoticeKind.CAREGIVER_SUBMITTED: "caregivers",
    NoticeKind.CAREGIVER_APPROVED: "task_hall",
    NoticeKind.CAREGIVER_REJECTED: "my_profile",
    NoticeKind.CAREGIVER_SUSPENDED: "my_visits",
    NoticeKind.CAREGIVER_RESTORED: "task_hall",
    NoticeKind.ROLE_GRANTED: "profile",
    NoticeKind.VERIFICATION_SUBMITTED: "verifications",
    NoticeKind.VERIFICATION_APPROVED: "verification",
    NoticeKind.VERIFICATION_REJECTED: "verification",
    NoticeKind.VERIFICATION_EXPIRED: "verification",
    NoticeKind.CERTIFICATE_EXPIRING: "my_profile",
    NoticeKind.CERTIFICATE_EXPIRED: "my_profile",
    NoticeKind.IDENTITY_LINKED: "security",
    NoticeKind.SECOND_FACTOR_RESET: "security",
    NoticeKind.ERASURE_ASKED: "my_data",
    NoticeKind.ERASURE_CLOSED: "my_data",
    NoticeKind.PASSWORD_CHANGED: "security",
    NoticeKind.PASSWORD_RESET: "security",
    NoticeKind.SECOND_FACTOR_ADDED: "security",
    NoticeKind.SECOND_FACTOR_REMOVED: "security",
    NoticeKind.VISIT_MOVED: "my_visits",
    NoticeKind.VISIT_CANCELLED: "my_orders",
    NoticeKind.SUBSTITUTE_ASKED: "my_visits",
    NoticeKind.SUBSTITUTE_COMES: "my_orders",
    NoticeKind.SUBSTITUTE_REFUSED: "orders",
    NoticeKind.SUBSTITUTE_WANTED: "today",
    NoticeKind.SUBSTITUTE_UNWANTED: "orders",
    NoticeKind.SUBSTITUTE_NOT_FOUND: "my_orders",
    NoticeKind.DEMAND_EXPIRED: "my_orders",
    NoticeKind.DEMAND_INVITED: "task_hall",
    NoticeKind.DEMAND_IDLE: "my_orders",
    NoticeKind.DEMAND_PUSHED: "task_hall",
    NoticeKind.PUSH_GONE: "task_hall",
    NoticeKind.PUSH_EXHAUSTED: "applications",
    NoticeKind.DISPATCH_SUGGESTED: "dispatch",
    NoticeKind.DISPATCH_ASSIGNED: "dispatch",
    NoticeKind.INCIDENT_REPORTED: "today",
    NoticeKind.EXTRA_TIME_ASKED: "my_orders",
    NoticeKind.EXTRA_TIME_AGREED: "income",
    NoticeKind.EXTRA_TIME_REFUSED: "my_visits",
    NoticeKind.LEAVE_TAKEN: "today",
    NoticeKind.LEVEL_CHANGED: "my_profile",
    NoticeKind.PRICES_BOUNDED: "my_profile",
    NoticeKind.CHAT_ASKED: "chats",
    NoticeKind.LEAVE_ENTERED: "my_calendar",
    NoticeKind.LEAVE_WITHDRAWN: "my_calendar",
    NoticeKind.POLICY_ANNOUNCED: "policy",
    NoticeKind.POLICY_WITHDRAWN: "policy",
    NoticeKind.COMPLAINT_HANDED_OVER: "complaints",
    NoticeKind.COMPLAINT_DUE: "complaints",
    NoticeKind.COMPLAINT_OVERDUE: "complaints",
    NoticeKind.POINTS_GIVEN: "my_profile",
    NoticeKind.POINTS_CONTESTED: "complaints",
    NoticeKind.POINTS_DECIDED: "my_profile",
}

# Of these operators are led to the complaints, not to the order.
_OF_COMPLAINTS = {
    NoticeKind.COMPLAINT_OPENED,
    NoticeKind.COMPLAINT_MESSAGE,
    NoticeKind.COMPLAINT_APPEALED,
}
_ABOUT_BOTH = {
    NoticeKind.VISIT_REMINDER,
    NoticeKind.VISIT_CONFIRMED,
    NoticeKind.COMPLAINT_CLOSED,
    NoticeKind.INCIDENT_CLOSED,
    NoticeKind.NO_SHOW_TAKEN_BACK,
    NoticeKind.VISIT_MISSED,
}
# The family's bill, the caregiver's income.
_ABOUT_MONEY = {
    NoticeKind.REFUND_GRANTED,
    NoticeKind.REFUND_TAKEN_BACK,
    NoticeKind.RECEIPT_RECORDED,
    NoticeKind.RECEIPT_REVERSED,
    NoticeKind.MONEY_REPAID,
    NoticeKind.REPAYMENT_TAKEN_BACK,
}


@live.part(Topic.INBOX)
def inbox() -> None:
    """The person's notices, unread ones marked, newest first; new ones come by themselves."""
    found = session.fetch(notices.inbox)
    if not found:
        layout.empty("inbox", icon=":material/notifications_off:")
        return
    if any(not notice.read for notice in found) and st.button(
        t("inbox.read_all"), key="read_all", icon=":material/done_all:"
    ):
        session.perform("inbox.all_read", notices.mark_read)
    items = catalogue.items()
    may_see_codes = session.actor().may(Permission.WORK_VISIT)
    codes = session.fetch(redemption.codes) if may_see_codes else {}
    for notice in layout.first_of(found, "inbox", _SHOWN_AT_ONCE):
        item = catalogue.item_name(items, notice.facts.get("item_id", 0))
        _notice(notice, item, codes)
    layout.more_button(found, "inbox", _SHOWN_AT_ONCE)


def _notice(notice: NoticeView, item: str, codes: dict[int, str]) -> None:
    mark = "" if notice.read else ":primary[:material/circle:] "
    facts = notice.facts
    blanks = {
        "item": item,
        "pay": formats.money(facts.get("pay_fen", 0)),
        "days": facts.get("days", 0),
        "count": facts.get("count", 0),
        "number": facts.get("number", 0),
        "policy": t(f"policy.{facts['policy']}") if "policy" in facts else "",
        "price": formats.money(facts.get("price_fen", 0)),
        "level": t(f"caregiver_level.{facts['level']}") if "level" in facts else "",
        "date": formats.day(datetime.fromisoformat(facts["due_at"])) if "due_at" in facts else "",
    }
    said = f"{mark}{t(f'notice_text.{notice.kind}', **blanks)}"
    if notice.kind is NoticeKind.VISIT_CONFIRMED and "pay_fen" in facts:
        said = f"{said} {t('inbox.booked', pay=blanks['pay'])}"
    if notice.kind is NoticeKind.REFUND_GRANTED and "pay_fen" in facts:
        said = f"{said} {t('inbox.refund_yours', pay=blanks['pay'])}"
    if days := facts.get("skipped"):
        named = formats.listed(formats.day(date.fromisoformat(day)) for day in days)
        said = f"{said} {t('inbox.skipped', days=named)}"
    reopened = bool(facts.get("reopened")) and session.actor().may(Permission.ORDER_CARE)
    if reopened:
        said = f"{said} {t('inbox.reopened')}"
    code = codes.get(notice.facts.get("visit_id", 0))
    if notice.kind is NoticeKind.CODE_ISSUED and code:
        said = f"{said} `{code}`"
    with st.container(
        border=True,
        horizontal=True,
        vertical_alignment="center",
        gap="small",
        key=f"notice_{notice.id}",
    ):
        st.markdown(f"{said}  \n:small[{formats.ago(notice.created_at)}]")
        # Links are drawn for those they open for: the family, the caregiver or the staff.
        pages = ("my_orders", "my_visits", "orders") if notice.kind in _ABOUT_BOTH else ()
        pages = ("my_bill", "income") if notice.kind in _ABOUT_MONEY else pages
        if notice.kind in _OF_COMPLAINTS:
            pages = ("my_orders", "my_visits", "complaints")
        own = "my_orders" if reopened else _PAGE_OF.get(notice.kind)
        for page in pages or filter(None, [own]):
            query = _version(facts) if page == "policy" else {}
            navigation.link(page, t("inbox.open"), icon=":material/arrow_forward:", **query)
        if notice.kind is NoticeKind.CHAT_ANSWERED and session.actor().may(Permission.CHAT):
            _to_chat(notice.id)
        expired = notice.kind is NoticeKind.DEMAND_EXPIRED and "demand_id" in facts
        if expired and session.actor().may(Permission.ORDER_CARE):
            again_button(facts["demand_id"], f"notice_{notice.id}")
        if not notice.read and st.button(
            t("inbox.mark_read"), key=f"read_{notice.id}", type="tertiary"
        ):
            session.perform("inbox.marked", notices.mark_read, notice.id)


def _version(facts: dict[str, Any]) -> dict[str, str]:
    """Which version of a document a notice is about."""
    return {"of": facts["policy"], "version": str(facts["number"])}


def _to_chat(notice_id: int) -> None:
    """The answer itself, at the corner of this page; who reads it there knows of it."""
    if st.button(t("chat.open"), key=f"to_chat_{notice_id}", icon=":material/chat:"):
        session.disclose(notices.mark_read, notice_id)
        chat.open_panel()

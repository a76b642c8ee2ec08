"""Every page of the app in menu order, with the permission that opens it."""

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from components import bell, consents, identity, security, session
from components.i18n import t
from services.access import GRANTS, Permission, Role
from services.sessions import Visitor

_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class PageEntry:
    """A page: its folder (who opens it), its name (also its address) and its permission."""

    folder: str
    name: str
    icon: str
    permission: Permission | None = None
    in_menu: bool = True

    @property
    def file(self) -> str:
        return str(_ROOT / "pages" / self.folder / f"{self.name}.py")

    def opens_for(self, role: Role | None) -> bool:
        """Public pages open for everybody, the others for roles with their permission."""
        if self.permission is None:
            return True
        return role is not None and self.permission in GRANTS[role]


PAGES = (
    PageEntry("desk", "take_call", "phone_in_talk", Permission.ACT_FOR_CUSTOMER),
    PageEntry("desk", "chats", "forum", Permission.ANSWER_CHAT),
    PageEntry("desk", "to_call", "call", Permission.ACT_FOR_CUSTOMER),
    PageEntry("customer", "find_caregivers", "person_search", Permission.ORDER_CARE),
    PageEntry("customer", "book", "event", Permission.ORDER_CARE, in_menu=False),
    PageEntry("customer", "post_demand", "add_circle", Permission.ORDER_CARE),
    PageEntry("customer", "my_orders", "receipt_long", Permission.ORDER_CARE),
    PageEntry("customer", "my_bill", "receipt", Permission.READ_BILL),
    PageEntry("customer", "redeem", "qr_code_scanner", Permission.ORDER_CARE),
    PageEntry("caregiver", "task_hall", "storefront", Permission.BROWSE_HALL),
    PageEntry("caregiver", "my_visits", "calendar_month", Permission.WORK_VISIT),
    PageEntry("caregiver", "my_calendar", "edit_calendar", Permission.KEEP_CAREGIVER_PROFILE),
    PageEntry("caregiver", "income", "payments", Permission.READ_INCOME),
    PageEntry("caregiver", "my_profile", "badge", Permission.KEEP_CAREGIVER_PROFILE),
    PageEntry("operator", "today", "checklist", Permission.SEE_TO_DO),
    PageEntry("operator", "verifications", "fact_check", Permission.DECIDE_CASE),
    PageEntry("operator", "applications", "how_to_reg", Permission.DECIDE_APPLICATION),
    PageEntry("operator", "dispatch", "route", Permission.DISPATCH),
    PageEntry("operator", "orders", "list_alt", Permission.FOLLOW_CITY_ORDERS),
    PageEntry("operator", "complaints", "feedback", Permission.DECIDE_COMPLAINT),
    PageEntry("operator", "receipts", "point_of_sale", Permission.RECORD_RECEIPT),
    PageEntry("operator", "invoices", "request_quote", Permission.ISSUE_INVOICE),
    PageEntry("operator", "customers", "groups", Permission.KEEP_CUSTOMERS),
    PageEntry("operator", "caregivers", "badge", Permission.DECIDE_CAREGIVER),
    PageEntry("operator", "calendars", "edit_calendar", Permission.DECIDE_CAREGIVER, in_menu=False),
    PageEntry("operator", "payouts", "account_balance", Permission.SETTLE_PAY),
    PageEntry("operator", "month_end", "calendar_month", Permission.CLOSE_MONTH),
    PageEntry("operator", "unmet", "search_off", Permission.READ_UNMET_NEEDS),
    PageEntry("operator", "fairness", "balance", Permission.DISPATCH),
    PageEntry("operator", "catalogue", "menu_book", Permission.KEEP_CATALOGUE),
    PageEntry("operator", "compliance", "policy", Permission.DECIDE_COMPLAINT),
    PageEntry("operator", "rules", "gavel", Permission.KEEP_RULES),
    PageEntry("operator", "policies", "contract", Permission.KEEP_POLICIES),
    PageEntry("operator", "places", "pin_drop", Permission.KEEP_PLACES),
    PageEntry("operator", "cities", "location_city", Permission.KEEP_CITIES),
    PageEntry("operator", "staff", "manage_accounts", Permission.KEEP_STAFF),
    PageEntry("operator", "deliveries", "outgoing_mail", Permission.SEE_DELIVERIES),
    PageEntry("operator", "jobs", "schedule", Permission.SEE_JOBS),
    PageEntry("analyst", "demand_map", "map", Permission.READ_FIGURES),
    PageEntry("analyst", "findings", "lightbulb", Permission.READ_FIGURES),
    PageEntry("analyst", "demand", "trending_up", Permission.READ_FIGURES),
    PageEntry("analyst", "family_figures", "family_restroom", Permission.READ_FIGURES),
    PageEntry("analyst", "caregiver_figures", "monitoring", Permission.READ_FIGURES),
    PageEntry("analyst", "funnel", "filter_alt", Permission.READ_FIGURES),
    PageEntry("account", "inbox", "notifications", Permission.READ_NOTICES),
    PageEntry("account", "profile", "account_circle", Permission.KEEP_ACCOUNT),
    PageEntry("account", "verification", "verified_user", Permission.HAND_IN_CASE),
    PageEntry("account", "security", "lock", Permission.KEEP_ACCOUNT),
    PageEntry("account", "my_data", "shield_person", Permission.KEEP_ACCOUNT),
    PageEntry("public", "welcome", "home"),
    PageEntry("public", "policy", "description", in_menu=False),
    PageEntry("account", "sign_in", "login", in_menu=False),
    PageEntry("account", "join", "how_to_reg", in_menu=False),
)
LANDING = {
    Role.CUSTOMER: "my_orders",
    Role.CAREGIVER: "task_hall",
    Role.DESK: "take_call",
    Role.OPERATOR: "today",
    Role.ANALYST: "demand_map",
}


def open_page(visitor: Visitor | None) -> None:
    """Draw the menu this visitor may see and run the chosen page, or what must come before it."""
    acting = None if visitor is None or visitor.awaits_factor is not None else visitor
    role = acting.actor.role if acting else None
    reachable = PAGES if acting is None else tuple(p for p in PAGES if p.opens_for(role))
    # Signed out, every page has its address, so that a deep link survives signing in; none runs.
    pages = {entry.name: _page(entry, acting) for entry in reachable}
    start = copy(_made(_entry("welcome"), t("page.welcome"), shown=False, start=True))
    # One flat list: the section headers of Streamlit's menu break the list for screen readers.
    chosen = st.navigation([start, *pages.values(), *_closed_door(pages)], expanded=True)
    if visitor is not None and acting is None:
        security.factor_screen(visitor)
        return
    if (wanted := session.next_page()) is not None:
        st.switch_page(pages[LANDING[role] if wanted == "landing" and role else wanted])
    entry = next((e for e in reachable if pages[e.name] == chosen), None)
    if role is not None and (chosen == start or (entry is not None and entry.name == "sign_in")):
        st.switch_page(pages[LANDING[role]])
    if entry is not None and visitor is None and entry.permission is not None:
        identity.sign_in_screen(deep_link=True)
        return
    if acting is not None:
        bell.bell(pages["inbox"])
    session.show_notice()  # Only now: opening another page above would have lost it.
    consents.ask_again()
    chosen.run()


def _entry(name: str) -> PageEntry:
    return next(entry for entry in PAGES if entry.name == name)


def _page(entry: PageEntry, visitor: Visitor | None) -> StreamlitPage:
    shown = entry.in_menu and visitor is not None
    title = t(f"page.{entry.name}")
    if entry.name == "inbox" and visitor is not None and visitor.unread:
        title = f"{title} ({visitor.unread})"
    return copy(_made(entry, title, shown=shown))


@lru_cache(maxsize=1000)
def _made(entry: PageEntry, title: str, *, shown: bool, start: bool = False) -> StreamlitPage:
    """A page that no run has opened: each gets a copy, for making one asks the disk at length."""
    return st.Page(
        entry.file,
        title=title,
        icon=f":material/{entry.icon}:",
        url_path="start" if start else entry.name,
        default=start,
        visibility="visible" if shown else "hidden",
    )


def _closed_door(pages: Iterable[str]) -> list[StreamlitPage]:
    """An address that opens nothing for this visitor gets a page that says so in words."""
    wanted = urlsplit(st.context.url or "").path.strip("/")
    if not wanted or wanted in pages or not wanted.replace("_", "").isalnum():
        return []
    known = any(entry.name == wanted for entry in PAGES)

    def say_so() -> None:
        st.title(t("closed_door.title"))
        st.info(t("closed_door.other_role" if known else "closed_door.unknown"))
        link("landing", t("closed_door.back"))

    return [st.Page(say_so, title=t("closed_door.title"), url_path=wanted, visibility="hidden")]


def link(name: str, label: str, *, icon: str | None = None, **query: str) -> None:
    """A link to a page, drawn only for those it opens for."""
    if (entry := _reachable(name)) is not None:
        # A page, for its file would be looked for on the disk; and not its icon, if none is wanted.
        page = _made(entry, t(f"page.{entry.name}"), shown=entry.in_menu)
        st.page_link(page, label=label, icon=icon or "", width="content", query_params=query)


def asked_number(name: str) -> int | None:
    """The number a link gave the page, such as ?customer=12; None without one."""
    typed = st.query_params.get(name, "")[:9]
    return int(typed) if typed.isascii() and typed.isdigit() else None


def button(name: str, label: str, *, icon: str | None = None, of: int | None = None) -> None:
    """The main step of the page, or of one thing on it, when that is to open another page."""
    entry = _reachable(name)
    key = f"open_{name}" if of is None else f"open_{name}_{of}"
    if entry is not None and st.button(label, type="primary", icon=icon, key=key):
        st.switch_page(entry.file)


def go(name: str, **query: str) -> None:
    """Open a page that takes its subject from the address."""
    if (entry := _reachable(name)) is not None:
        st.switch_page(entry.file, query_params=query)


def _reachable(name: str) -> PageEntry | None:
    visitor = session.visitor()
    role = visitor.actor.role if visitor else None
    if name == "landing":
        name = LANDING[role] if role else "welcome"
    entry = _entry(name)
    return entry if visitor is None or entry.opens_for(role) else None

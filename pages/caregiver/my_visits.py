"""A caregiver's visits, with what to do next and what each one pays."""

from components import catalogue, layout, navigation
from components.i18n import t
from components.session import fetch
from components.visits import OPEN, PAST, PAST_SHOWN, open_sections, past_section
from services import orders, redemption

layout.page_head("my_visits", subtitle=t("visits.subtitle"))
items = catalogue.items()
codes = fetch(redemption.codes)
waiting = fetch(orders.listing, visit_statuses=OPEN, soonest_first=True)
past = fetch(orders.listing, visit_statuses=PAST, limit=PAST_SHOWN)
if not (waiting or past):
    layout.empty("my_visits", icon=":material/calendar_month:")
    navigation.button("task_hall", t("visits.to_hall"), icon=":material/storefront:")
open_sections(waiting, items, codes)
past_section(past, items)

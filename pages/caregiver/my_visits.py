"""A caregiver's visits, with what to do next and what each one pays."""

from components import catalogue, layout, navigation
from components.i18n import t
from components.session import fetch
from components.visits import COMING, FINISHED, PAST, PAST_SHOWN, past_section, visit_section
from services import orders, redemption

layout.page_head("my_visits", subtitle=t("visits.subtitle"))
items = catalogue.items()
codes = fetch(redemption.codes)
coming = fetch(orders.listing, visit_statuses=COMING, soonest_first=True)
finished = fetch(orders.listing, visit_statuses=FINISHED, soonest_first=True)
past = fetch(orders.listing, visit_statuses=PAST, limit=PAST_SHOWN)
if not (coming or finished or past):
    layout.empty("my_visits", icon=":material/calendar_month:")
    navigation.button("task_hall", t("visits.to_hall"), icon=":material/storefront:")
visit_section("coming", coming, items, codes)
visit_section("to_redeem", finished, items, codes)
past_section(past, items)

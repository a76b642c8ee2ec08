"""A family follows its demands and orders."""

from components import catalogue, layout, navigation
from components.complaints import my_complaints
from components.demands import demand_section
from components.i18n import t
from components.orders import COMING, MOST_SHOWN, PAST, beside, order_section, plan_section
from components.session import fetch
from services import demands, orders
from services.orders import OrderKind

layout.page_head("my_orders")
items = catalogue.items()
posted = fetch(demands.mine)
running = fetch(orders.listing, kind=OrderKind.MONTHLY, limit=MOST_SHOWN)
coming = fetch(orders.listing, visit_statuses=COMING, soonest_first=True, limit=MOST_SHOWN)
past = fetch(orders.listing, visit_statuses=PAST, limit=MOST_SHOWN)
if not (posted or running or coming or past):
    layout.empty("my_orders", icon=":material/receipt_long:")
navigation.button("post_demand", t("demand.post_another"), icon=":material/add_circle:")
my_complaints()
told = beside(coming=coming, plans=running, past=past)
order_section("coming", coming, items, told)
plan_section(running, items, told)
demand_section(posted, items)
order_section("past", past, items, told)

"""A family posts what care it needs."""

from components import demands, layout, verification
from components.i18n import t

layout.page_head("post_demand", subtitle=t("demand.subtitle"))
verification.asked_for()
demands.demand_form()

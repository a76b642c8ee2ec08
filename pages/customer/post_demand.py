"""A family posts what care it needs."""

from components import demands, layout
from components.i18n import t

layout.page_head("post_demand", subtitle=t("demand.subtitle"))
demands.demand_form()

"""The operator sees what was looked for in the last 30 days and not got, and why."""

from components import catalogue, layout, unmet_needs
from components.i18n import t

layout.page_head("unmet", subtitle=t("unmet.subtitle"))
unmet_needs.last_month(catalogue.items())

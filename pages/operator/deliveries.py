"""What became of texts, WeChat messages and calls; what was given up is sent again."""

from components import deliveries, layout
from components.i18n import t

layout.page_head("deliveries", subtitle=t("deliveries.subtitle"))
deliveries.report()

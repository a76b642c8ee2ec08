"""The operator sees how evenly work is spread, how many faces families see, and who may leave."""

from components import fairness, layout
from components.i18n import t

layout.page_head("fairness", subtitle=t("fairness.subtitle"))
fairness.fairness()

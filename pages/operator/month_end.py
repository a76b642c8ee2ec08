"""The operator ends a month: its totals, tied to the ledger, and the workbook to take along."""

from components import layout, month_end
from components.i18n import t
from components.session import fetch
from services import month_end as services

layout.page_head("month_end", subtitle=t("month_end.subtitle"))
month_end.month_in_full(fetch(services.of, *month_end.chosen()))

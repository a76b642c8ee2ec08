"""The operator issues the invoices that families ask for, or says why not."""

from components import invoices, layout
from components.i18n import t

layout.page_head("invoices", subtitle=t("invoices.subtitle"))
invoices.queue(invoices.status())

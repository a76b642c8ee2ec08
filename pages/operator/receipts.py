"""The staff of a city record what families paid, and read what each of them owes."""

from components import catalogue, layout, people, receipts, repayments
from components.i18n import t
from components.session import fetch
from services import receipts as services

layout.page_head("receipts", subtitle=t("receipts.subtitle"))
payer = receipts.chosen_payer(people.search("payer_search"))
if payer is not None:
    receipts.payer_card(payer, catalogue.items())
    shown = fetch(services.listing, customer_id=payer.id)
else:
    repayments.queue()
    first, last = receipts.days()
    shown = fetch(services.listing, first=first, last=last)
receipts.receipt_list(shown)

"""The operator pays caregivers out: what is due, batch by batch, and the bank's answers."""

from components import layout, payouts
from components.i18n import t
from components.session import actor

layout.page_head("payouts", subtitle=t("payouts.subtitle"))
payouts.take_file()
for city_code in sorted(actor().cities):
    payouts.city_payouts(city_code)
payouts.batches()

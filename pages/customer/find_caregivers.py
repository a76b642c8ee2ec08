"""A family finds a caregiver who can come."""

from components import catalogue, layout, verification
from components.i18n import t
from components.search import results, wish

layout.page_head("find_caregivers", subtitle=t("find.subtitle"))
verification.asked_for()
items = catalogue.items()
wanted = wish(items)
if wanted is not None:
    results(wanted, items)

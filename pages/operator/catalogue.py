"""The operator keeps the catalogue: what care there is, at which prices, with which proofs."""

from components import catalogue, layout, operator_catalogue
from components.i18n import t
from components.session import fetch
from services import catalogue as services

layout.page_head("catalogue", subtitle=t("catalogue_page.subtitle"))
uses = fetch(services.uses)
chosen = operator_catalogue.item_table(catalogue.items(), uses)
if chosen is not None:
    operator_catalogue.item_in_full(chosen, uses)
operator_catalogue.new_item()

"""The operator sees and sets what prices and cancelling hang on."""

from components import layout, price_bounds, tariffs
from components.i18n import t
from components.session import fetch
from services import price_bounds as bound_services
from services import tariffs as services

layout.page_head("tariffs", subtitle=t("tariffs.subtitle"))
for kept in fetch(services.mine):
    tariffs.city_tariffs(kept)
for prices in fetch(bound_services.mine):
    price_bounds.city_prices(prices)

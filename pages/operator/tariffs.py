"""The operator sees and sets what prices and cancelling hang on."""

from components import base_prices, layout, tariffs
from components.i18n import t
from components.session import fetch
from services import base_prices as base_price_services
from services import tariffs as services

layout.page_head("tariffs", subtitle=t("tariffs.subtitle"))
for kept in fetch(services.mine):
    tariffs.city_tariffs(kept)
for prices in fetch(base_price_services.mine):
    base_prices.city_prices(prices)

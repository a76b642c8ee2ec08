"""The operator sees and sets what prices and cancelling hang on."""

from components import layout, tariffs
from components.i18n import t
from components.session import fetch
from services import tariffs as services

layout.page_head("tariffs", subtitle=t("tariffs.subtitle"))
for kept in fetch(services.mine):
    tariffs.city_tariffs(kept)

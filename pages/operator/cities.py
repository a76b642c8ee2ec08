"""The operator opens cities, sets their rules, pauses and closes them."""

from components import cities, layout
from components.i18n import t
from components.session import fetch
from services import cities as services

layout.page_head("cities", subtitle=t("cities.subtitle"))
cities.city_cards(fetch(services.mine))
cities.new_city()

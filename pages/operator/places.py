"""The operator keeps the places everybody in a city knows."""

from components import layout, operator_places
from components.i18n import t
from components.session import fetch
from services import places

layout.page_head("places", subtitle=t("places_page.subtitle"))
city_code = operator_places.city_choice()
known = fetch(places.kept, city_code)
operator_places.place_map(city_code, known)
chosen = operator_places.place_table(known)
if chosen is not None:
    operator_places.place_in_full(chosen, known)
operator_places.new_place(city_code, known)

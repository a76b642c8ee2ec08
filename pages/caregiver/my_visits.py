"""A caregiver's visits: what is asked, what goes on, and the week."""

from components import catalogue, layout, navigation, visits
from components.bookings import requests
from components.complaints import my_complaints
from components.i18n import t
from components.session import fetch
from components.substitutes import offers
from services import orders, redemption

layout.page_head("my_visits", subtitle=t("visits.subtitle"))
items = catalogue.items()
codes = fetch(redemption.codes)
week = visits.week()
waiting = fetch(orders.visits_of, visits.WAITING)
done = fetch(orders.visits_of, visits.DONE, between=week)
if not (waiting or done):
    layout.empty("my_visits", icon=":material/calendar_month:")
    navigation.button("task_hall", t("visits.to_hall"), icon=":material/storefront:")
my_complaints()
requests(waiting, items)
offers(items)
told = visits.beside([*waiting, *done])
visits.now_section(waiting, items, codes, told)
visits.week_section(week, waiting, done, items, codes, told)

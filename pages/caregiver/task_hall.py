"""A caregiver looks for work and applies for it."""

from components import hall, layout
from components.i18n import t
from components.session import fetch
from services import caregivers, waiting_lists

layout.page_head("task_hall", subtitle=t("hall.subtitle"))
standing = fetch(caregivers.standing)
if standing is None or not standing.may_work:
    hall.not_yet(standing)
else:
    hall.waiting_list(fetch(waiting_lists.mine))
    hall.open_demands(hall.filters(), standing.city_code)

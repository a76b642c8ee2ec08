"""A caregiver looks for work and applies for it."""

from components import hall, layout
from components.i18n import t
from components.session import fetch
from services import caregivers, waiting_lists
from services import hall as hall_services

layout.page_head("task_hall", subtitle=t("hall.subtitle"))
standing = fetch(caregivers.standing)
if standing is None or not standing.may_work:
    hall.not_yet(standing)
else:
    hall.waiting_list(fetch(waiting_lists.mine))
    wanted = hall.filters()
    hall.task_list(fetch(hall_services.tasks, wanted), standing.city_code)

"""The operator chooses a caregiver for each demand."""

from components import applications, catalogue, layout
from components.i18n import t
from components.session import fetch
from services import applications as services
from services import pushes

layout.page_head("applications", subtitle=t("applications.subtitle"))
items = catalogue.items()
waiting = fetch(services.waiting, limit=applications.shown())
unanswered = fetch(services.unanswered)
if waiting:
    applications.decisions(waiting, items)
    applications.more_button(fetch(services.are_waiting, more_than=len(waiting)))
else:
    layout.empty("applications", icon=":material/how_to_reg:")
applications.unanswered(unanswered, items, fetch(pushes.under_way))

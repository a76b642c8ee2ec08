"""The operator chooses a caregiver for each demand."""

from components import applications, catalogue, layout
from components.i18n import t
from components.session import fetch
from services import applications as services

layout.page_head("applications", subtitle=t("applications.subtitle"))
items = catalogue.items()
waiting = fetch(services.waiting, limit=applications.shown() + 1)
unanswered = fetch(services.unanswered)
if waiting:
    applications.decisions(waiting, items)
else:
    layout.empty("applications", icon=":material/how_to_reg:")
applications.unanswered(unanswered, items)

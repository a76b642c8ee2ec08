"""What the worker does by itself: a lamp for every job, and the queue of long tasks."""

from components import jobs, layout
from components.i18n import t
from components.session import fetch
from services import audit, tasks
from services import jobs as services

layout.page_head("jobs", subtitle=t("jobs.subtitle"))
jobs.lamps(fetch(services.board))
jobs.chain(fetch(audit.tail))
jobs.queue(fetch(tasks.queue))

"""The operators of a city decide who works there, and as what."""

from components import layout, staff
from components.i18n import t
from components.session import fetch
from services import staff as services

layout.page_head("staff", subtitle=t("staff.subtitle"))
staff.invitation()
staff.members(fetch(services.listing))

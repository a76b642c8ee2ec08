"""The region at a glance, from released figures only."""

from components import layout, overview
from components.i18n import t
from components.session import fetch
from services import releases

layout.page_head("overview", subtitle=t("overview.subtitle"))
dimension = overview.dimension_choice()
release = fetch(releases.orders_by, dimension)
overview.charts(release, dimension)
overview.withheld_words(release)

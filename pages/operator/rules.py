"""The operator reads the rule book, tries changes out on the past, and publishes them."""

from components import layout, rules
from components.i18n import t
from components.session import fetch
from services import rules as services

layout.page_head("rules", subtitle=t("rules.subtitle"))
for kept in fetch(services.mine):
    rules.city_rules(kept)

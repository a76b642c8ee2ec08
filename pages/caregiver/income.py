"""A caregiver's income."""

from components import catalogue, layout
from components.i18n import t
from components.income import income
from components.income_statements import my_month
from components.session import fetch
from services import income as services

layout.page_head("income", subtitle=t("income.subtitle"))
income(fetch(services.mine), fetch(services.by_month), catalogue.items())
my_month()

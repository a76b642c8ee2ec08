"""The operators of a city review who people are and what they may do."""

from components import layout
from components.i18n import t
from components.verifications import review_desk

layout.page_head("verifications", subtitle=t("verifications.subtitle"))
review_desk()

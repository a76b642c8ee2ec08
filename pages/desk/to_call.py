"""The desk calls those who are told by telephone."""

from components import call_list, layout
from components.i18n import t

layout.page_head("to_call", subtitle=t("to_call.subtitle"))
call_list.calls()

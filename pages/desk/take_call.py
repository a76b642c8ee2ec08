"""The desk takes a call: finds or enters the caller, and does what they ask for."""

from components import catalogue, desk, layout, read_back
from components.i18n import t

layout.page_head("take_call", subtitle=t("desk.subtitle"))
number = desk.chosen()
if number is None:
    desk.find_caller()
else:
    items = catalogue.items()
    caller = desk.caller_head(number)
    read_back.agreed(caller, items)
    desk.serve(caller, items)

"""A family closes a finished visit with the caregiver's code."""

from components import layout
from components.i18n import t
from components.redemption import link_outcome, redeem_form
from components.session import fetch
from services import redemption

layout.page_head("redeem", subtitle=t("redeem.subtitle"))
waiting = fetch(redemption.waiting)
link_outcome(waiting)
if waiting:
    redeem_form(waiting)
else:
    layout.empty("redeem", icon=":material/qr_code_scanner:")

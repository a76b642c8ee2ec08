"""A family or a caregiver shows who they are: consent, name and number, photos."""

from components import layout, verification
from components.i18n import t
from components.session import fetch
from services import verifications

layout.page_head("verification", subtitle=t("verification.subtitle"))
verification.case(fetch(verifications.mine, verification.kind()))

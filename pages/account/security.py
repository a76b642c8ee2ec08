"""How a person signs in, where they are signed in, and what keeps others out."""

from components import joining, layout, security
from components.i18n import t

layout.page_head("security", subtitle=t("security.subtitle"))
security.factor_card()
security.password_card()
joining.linked_card()
security.sessions_card()
joining.merge_card()

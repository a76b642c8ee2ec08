"""The operator keeps the documents of the rule book: all of them, or one in full."""

from components import layout, operator_policies, policies
from components.i18n import t
from components.session import fetch
from services import policy_drafts

layout.page_head("policies", subtitle=t("policies.subtitle"))
chosen = policies.chosen()
if chosen is None:
    operator_policies.shelves(fetch(policy_drafts.shelves))
else:
    shelf = fetch(policy_drafts.shelf, chosen)
    operator_policies.standing(shelf)
    operator_policies.draft(shelf)
    operator_policies.versions(shelf)

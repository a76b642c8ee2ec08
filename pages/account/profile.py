"""A person's own account."""

from components import accounts, layout, preferences

layout.page_head("profile")
accounts.identity_card()
accounts.region_card()
preferences.preference_card()
accounts.recipients_card()
accounts.roles_card()

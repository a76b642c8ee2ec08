"""A person's own account."""

from components import accounts, exclusions, layout, preferences

layout.page_head("profile")
accounts.identity_card()
accounts.region_card()
preferences.preference_card()
accounts.recipients_card()
exclusions.my_wishes()
accounts.roles_card()

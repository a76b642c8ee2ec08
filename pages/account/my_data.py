"""What is kept of a person, who looked at it, and the way out."""

from components import layout, my_data
from components.i18n import t
from components.session import fetch
from services import erasure

layout.page_head("my_data", subtitle=t("my_data.subtitle"))
standing = fetch(erasure.standing)
my_data.kept(standing)
my_data.consents_card()
my_data.openings()
my_data.leaving(standing)

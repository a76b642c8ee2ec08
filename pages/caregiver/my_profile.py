"""A caregiver's own profile: entered, submitted for review, and seen as families see it."""

from components import layout, profile_form, qualifications
from components.caregivers import own_preview
from components.i18n import t
from components.points import my_points
from components.session import fetch
from services import caregivers, points, verifications
from services.verifications import CaseKind

layout.page_head("my_profile", subtitle=t("my_profile.subtitle"))
mine = fetch(caregivers.own_profile)
profile_form.status_line(mine)
my_points(fetch(points.mine))
qualifications.papers(fetch(verifications.mine, CaseKind.CAREGIVER))
if profile_form.editing(mine):
    profile_form.draw(fetch(caregivers.own_form), mine)
elif mine is not None:
    own_preview(mine)

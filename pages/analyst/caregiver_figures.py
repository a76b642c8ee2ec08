"""Caregivers: what they do and how they are spread in it; for operators, who did what."""

from components.figures import caregivers, views
from services.analytics.figures import Frame

view = views.choose("caregiver_figures", of=Frame.CAREGIVERS)
caregivers.headline(view)
caregivers.spreads(view)
caregivers.league(view)
views.small_print(view)

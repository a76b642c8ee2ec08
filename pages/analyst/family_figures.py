"""Families: who comes, who comes back, and what they spend."""

from components.figures import families, views
from services.analytics.figures import Frame

view = views.choose("family_figures", of=Frame.FAMILIES)
families.headline(view)
families.by_month(view)
families.by_place(view)
families.cohorts(view)
families.traits(view)
views.small_print(view)

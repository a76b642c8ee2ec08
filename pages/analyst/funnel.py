"""The way of families from the front door to the review, stage by stage, by city and week."""

from components.figures import funnels, views
from services.analytics.figures import Frame

view = views.choose("funnel", of=Frame.FUNNEL)
funnels.stages(view)
funnels.by_city(view)
funnels.by_week(view)
views.small_print(view)

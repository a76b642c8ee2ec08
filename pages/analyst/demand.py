"""How demand goes from week to week, what may come, and of whom, when and how it is made."""

from components.figures import demand, demand_map, views

view = views.choose("demand")
demand_map.headline(view)
demand.trend(view)
demand.when_and_what(view)
demand.who_and_how(view)
views.small_print(view)

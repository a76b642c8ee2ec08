"""Where care is wanted, found and missing: the map of a nation, a province or a city."""

from components.figures import demand_map, views

view = views.choose("demand_map")
look = demand_map.choose(view)
demand_map.headline(view)
demand_map.finding(view)
demand_map.show(view, look)
demand_map.behind(view)
views.small_print(view)

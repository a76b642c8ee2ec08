"""The front door: what CarePilot is, where it works, what care costs. No people."""

from components import catalogue, welcome

welcome.hero()
welcome.how_it_works()
welcome.opened_cities()
catalogue.price_list(catalogue.items())
welcome.documents()
welcome.count_opening()

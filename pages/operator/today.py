"""The operator's morning: the day's figures, what waits, who wants to join."""

from components import layout, today
from components.session import fetch
from services import caregivers, to_do

figures = fetch(to_do.figures)
layout.page_head("today", title=today.greeting(), subtitle=today.where_and_when(figures))
today.figure_row(figures)
today.to_do_list(fetch(to_do.today))
today.caregivers_in_review(fetch(caregivers.waiting))

"""The operator's morning: the day's figures, and what waits."""

from components import layout, today
from components.session import fetch
from services import day_figures, to_do

figures = fetch(day_figures.figures)
layout.page_head("today", title=today.greeting(), subtitle=today.where_and_when(figures))
today.figure_row(figures)
today.to_do_list(fetch(to_do.today))

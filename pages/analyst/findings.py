"""What stands out in the figures, the most serious first, with what to do about it."""

from components.figures import findings, views

view = views.choose("findings", by_period=False, tables=findings.table)
findings.show(view)
views.small_print(view)

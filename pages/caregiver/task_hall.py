"""To be written."""

from components import layout

layout.page_head("task_hall")

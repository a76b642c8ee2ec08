"""To be written."""

from components import layout

layout.page_head("applications")

"""What CarePilot has told this person."""

from components import layout, notices

layout.page_head("inbox")
notices.inbox()

"""Customer service: who waits, the talk, and the one it is with."""

from components import chats, layout

layout.page_head("chats")
chats.figures()
chats.desk()
chats.canned_replies()

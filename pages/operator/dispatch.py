"""The operator has open work dispatched, reads why, changes it, and accepts it."""

from components import board, layout
from components.i18n import t

layout.page_head("dispatch", subtitle=t("board.subtitle"))
board.board()

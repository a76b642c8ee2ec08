"""Papers: a title, facts and a table as a PDF that any printer draws alike, Chinese and all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from fpdf import FPDF, FontFace
from fpdf.enums import Align, TableBordersLayout, TableCellFillMode, XPos, YPos

from components.i18n import t
from services import clock

# Noto Sans CJK SC; of it, a file holds only the characters it shows.
_FONT = Path(__file__).parent / "fonts" / "NotoSansCJKsc-GBK.otf"
_FAMILY = "noto"
_INK, _FAINT, _BAND, _LINE = (28, 37, 41), (96, 110, 116), (233, 240, 240), (200, 210, 212)


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its title, its part of the width, and whether it holds amounts."""

    title: str
    part: int
    amounts: bool = False


class _Sheet(FPDF):
    """A4, with the number of the page and who made it below."""

    def footer(self) -> None:
        self.set_y(-14)
        self.set_font(_FAMILY, size=8)
        self.set_text_color(_FAINT)
        made = t("papers.made", at=moment(clock.now()))
        self.cell(0, 6, made, align=Align.L)
        self.set_x(self.l_margin)
        self.cell(0, 6, f"{self.page_no()} / {{nb}}", align=Align.R)


def moment(at: datetime) -> str:
    """A moment as it reads on any day: 2030-01-07 09:00."""
    return f"{clock.in_city(at):%Y-%m-%d %H:%M}"


def paper(
    title: str,
    facts: Sequence[tuple[str, str]],
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    notes: Sequence[str] = (),
) -> bytes:
    """The PDF; what people wrote is drawn as it is."""
    sheet = _Sheet()
    sheet.add_font(_FAMILY, fname=_FONT)
    sheet.set_title(title)
    sheet.set_creation_date(clock.now())
    sheet.set_margins(16, 16)
    sheet.set_auto_page_break(auto=True, margin=18)
    sheet.add_page()
    _head(sheet, title, facts)
    _table(sheet, columns, rows)
    for note in notes:
        _text(sheet, note, 9, _FAINT)
    return bytes(sheet.output())


def _head(sheet: FPDF, title: str, facts: Sequence[tuple[str, str]]) -> None:
    _text(sheet, t("frame.name"), 9, _FAINT)
    _text(sheet, title, 17, _INK)
    sheet.ln(2)
    for label, value in facts:
        sheet.set_font(_FAMILY, size=10)
        sheet.set_text_color(_FAINT)
        sheet.cell(52, 6, label)
        sheet.set_text_color(_INK)
        sheet.multi_cell(0, 6, value, new_x=XPos.LMARGIN, new_y=YPos.NEXT, align=Align.L)
    sheet.ln(3)


def _table(sheet: FPDF, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    sheet.set_font(_FAMILY, size=8.5)
    sheet.set_text_color(_INK)
    sheet.set_draw_color(_LINE)
    with sheet.table(
        col_widths=tuple(one.part for one in columns),
        text_align=tuple(Align.R if one.amounts else Align.L for one in columns),
        borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        headings_style=FontFace(emphasis="", fill_color=_BAND),
        cell_fill_mode=TableCellFillMode.NONE,
        line_height=5,
        padding=(1, 1),
    ) as table:
        table.row([one.title for one in columns])
        for row in rows:
            table.row(row)
    sheet.ln(3)


def _text(sheet: FPDF, words: str, size: float, colour: tuple[int, int, int]) -> None:
    sheet.set_font(_FAMILY, size=size)
    sheet.set_text_color(colour)
    sheet.multi_cell(0, size * 0.55, words, new_x=XPos.LMARGIN, new_y=YPos.NEXT, align=Align.L)

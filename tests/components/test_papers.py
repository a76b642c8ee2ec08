"""Papers: a PDF that carries its own font, draws Chinese, and shows what people wrote as it is."""

import pypdfium2

from components import papers
from components.papers import Column
from tests.factories import NASTY

COLUMNS = (Column("说明", 3), Column("金额", 1, amounts=True))


def drawn(rows, title="月结单"):
    made = papers.paper(title, [("姓名", "王秀英")], COLUMNS, rows, ["以系统账本为准"])
    return made, pypdfium2.PdfDocument(made)


def test_it_says_in_chinese_what_it_was_given():
    made, opened = drawn([("陪诊服务", "¥1,234.50")])
    with opened:
        said = opened[0].get_textpage().get_text_range()
        shown = opened[0].render(scale=2).to_pil().convert("L")

    assert b"FontFile3" in made
    for words in ("月结单", "王秀英", "陪诊服务", "¥1,234.50", "以系统账本为准"):
        assert words in said
    title = shown.crop((60, 100, 400, 180))
    assert sum(title.histogram()[:128]) > 500


def test_a_long_table_goes_on_with_its_head_on_every_page():
    _, opened = drawn([(f"第{number}行", "¥1") for number in range(120)])
    with opened:
        assert len(opened) > 2
        for page in opened:
            assert "说明" in page.get_textpage().get_text_range()


def test_what_people_wrote_is_drawn_as_it_is():
    _, opened = drawn([(NASTY, "**粗** <b>体</b>")])
    with opened:
        said = "".join(opened[0].get_textpage().get_text_range().split())

    for words in ("<script>alert('x')</script>", "**粗**<b>体</b>", '{name}%s&"引号"'):
        assert words in said

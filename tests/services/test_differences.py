from services import differences
from services.differences import Fate, Line, Part


def changed(old, new):
    return [line for line in differences.between(old, new) if line.changed]


def test_equal_texts_differ_nowhere():
    text = "**标题**\n\n1. 头一条。\n2. 第二条。"
    assert changed(text, text) == []
    assert len(differences.between(text, text)) == 3


def test_the_words_that_changed_are_told_from_those_that_stayed():
    [line] = changed("服务开始前取消不收费。", "服务开始前取消按标准收费。")
    assert [part.words for part in line.old if part.fate is Fate.REMOVED] == ["不"]
    assert [part.words for part in line.new if part.fate is Fate.ADDED] == ["按标准"]
    assert "".join(part.words for part in line.new) == "服务开始前取消按标准收费。"


def test_english_is_compared_by_words_and_not_by_letters():
    [line] = changed("Cancelling costs nothing.", "Cancelling costs something.")
    assert Part(Fate.REMOVED, "nothing") in line.old
    assert Part(Fate.ADDED, "something") in line.new


def test_an_item_put_between_others_leaves_them_alike_but_for_their_numbers():
    old = "1. 先求助。\n2. 再报告。\n3. 写下经过。"
    new = "1. 先求助。\n2. 通知家属。\n3. 再报告。\n4. 写下经过。"
    added, *renumbered = changed(old, new)
    assert added == Line((), (Part(Fate.ADDED, "2. 通知家属。"),))
    for number, line in zip("34", renumbered, strict=True):
        assert [part.words for part in line.new if part.fate is Fate.ADDED] == [number]


def test_lines_with_nothing_in_common_are_one_gone_and_one_come():
    gone, come = changed("每天八点开门。", "Pictures are shredded.")
    assert gone == Line((Part(Fate.REMOVED, "每天八点开门。"),), ())
    assert come == Line((), (Part(Fate.ADDED, "Pictures are shredded."),))


def test_all_of_both_texts_is_there():
    old, new = "a b c\nd e f\nx", "a c b\n\nd f\ny z"
    lines = differences.between(old, new)
    for side, text in (("old", old), ("new", new)):
        kept = ["".join(part.words for part in getattr(line, side)) for line in lines]
        assert [one for one in kept if one] == [one for one in text.splitlines() if one]

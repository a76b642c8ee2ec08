"""Differences between two texts: line by line, and in the lines that changed word by word."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import zip_longest

# A Chinese sign is a word, for nothing stands between them.
_WORD = re.compile(r"[A-Za-z0-9]+|\s+|.", re.DOTALL)
_ITEM = re.compile(r"^\s*(\d+[.、)]|[-*])\s*")
# Two lines with less in common are one that went and one that came.
ALIKE = 0.35


class Fate(StrEnum):
    """What became of a part of the older text."""

    KEPT = "kept"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Part:
    fate: Fate
    words: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line in both texts; one that went has no new parts, one that came no old ones."""

    old: tuple[Part, ...]
    new: tuple[Part, ...]

    @property
    def changed(self) -> bool:
        return any(part.fate is not Fate.KEPT for part in (*self.old, *self.new))


def between(old: str, new: str) -> list[Line]:
    """The lines of both texts side by side, empty ones aside; numbers of items may move."""
    before, after = _lines(old), _lines(new)
    match = SequenceMatcher(None, [*map(_body, before)], [*map(_body, after)], autojunk=False)
    found: list[Line] = []
    for _, i, i_end, j, j_end in match.get_opcodes():
        for one, other in zip_longest(before[i:i_end], after[j:j_end]):
            found += _compared(one, other)
    return found


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def _body(line: str) -> str:
    return _ITEM.sub("", line)


def _compared(one: str | None, other: str | None) -> list[Line]:
    if one is not None and other is not None:
        old, new = _WORD.findall(one), _WORD.findall(other)
        match = SequenceMatcher(None, old, new, autojunk=False)
        if match.ratio() >= ALIKE:
            return [_word_by_word(old, new, match)]
    gone = [Line((Part(Fate.REMOVED, one),), ())] if one is not None else []
    come = [Line((), (Part(Fate.ADDED, other),))] if other is not None else []
    return gone + come


def _word_by_word(old: list[str], new: list[str], match: SequenceMatcher[str]) -> Line:
    before, after = [], []
    for same, i, i_end, j, j_end in match.get_opcodes():
        gone, come = "".join(old[i:i_end]), "".join(new[j:j_end])
        if gone:
            before.append(Part(Fate.KEPT if same == "equal" else Fate.REMOVED, gone))
        if come:
            after.append(Part(Fate.KEPT if same == "equal" else Fate.ADDED, come))
    return Line(tuple(before), tuple(after))

"""What changed between two texts: two columns on a desk, one under the other on a phone."""

from collections.abc import Sequence
from itertools import groupby

import streamlit as st

from components import formats
from components.i18n import t
from services import differences
from services.differences import Fate, Line, Part

# Struck through or bold too: colour alone would not tell everybody.
_MARKED = {
    Fate.KEPT: "{}",
    Fate.REMOVED: ":red-background[~~{}~~]",
    Fate.ADDED: ":green-background[**{}**]",
}


def difference(old: str, new: str, old_name: str, new_name: str) -> None:
    """Two texts side by side where they differ; how many lines are alike between is said."""
    lines = differences.between(old, new)
    if not any(line.changed for line in lines):
        st.caption(t("differences.none"))
        return
    for changed, group in groupby(lines, lambda line: line.changed):
        alike = [*group]
        if not changed:
            st.caption(t("differences.alike", count=len(alike)))
            continue
        for line in alike:
            _row(line, old_name, new_name)


def _row(line: Line, old_name: str, new_name: str) -> None:
    before, after = st.columns(2)
    with before:
        _side(line.old, old_name, ":material/remove:")
    with after:
        _side(line.new, new_name, ":material/add:")


def _side(parts: Sequence[Part], name: str, icon: str) -> None:
    if parts:
        said = "".join(_marked(part) for part in parts)
        st.markdown(f":small[:gray[{icon} {name}]]  \n{said}")


def _marked(part: Part) -> str:
    """The words made harmless; blanks at the ends stay outside the marks, where they must be."""
    words = part.words.strip()
    if not words or part.fate is Fate.KEPT:
        return formats.plain(part.words)
    before, _, after = part.words.partition(words)
    return before + _MARKED[part.fate].format(formats.plain(words)) + after

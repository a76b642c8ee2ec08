"""How far a long preparation is, told to whoever asked for it and drawn in a terminal."""

from collections.abc import Callable
from typing import TextIO

# Called with how much is done and how much there is to do.
Progress = Callable[[int, int], None]
WIDTH = 30


def ignored(_done: int, _total: int) -> None:
    """For those who only want the result."""


def drawn_on(stream: TextIO, words: str) -> Progress:
    """One line, redrawn, on a terminal; on anything else a line every ten percent."""
    drawn = -1

    def draw(done: int, total: int) -> None:
        nonlocal drawn
        percent = 100 * done // total
        if not stream.isatty():
            percent -= percent % 10
        if percent == drawn:
            return
        drawn = percent
        if stream.isatty():
            bar = "█" * (percent * WIDTH // 100)
            end = "\n" if percent == 100 else ""
            stream.write(f"\r{words} {bar:░<{WIDTH}} {percent:3} %{end}")
        else:
            stream.write(f"{words} {percent} %\n")
        stream.flush()

    return draw

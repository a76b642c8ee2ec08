"""The two word catalogues, readable without Streamlit."""

import tomllib
from functools import cache
from pathlib import Path

LANGUAGES = {"zh_CN": "中文", "en": "English"}
DEFAULT = "zh_CN"
_FOLDER = Path(__file__).parent / "locales"


@cache
def catalogue(language: str) -> dict[str, str]:
    """A language's messages, flattened: [booking] title -> booking.title."""
    sections = tomllib.loads((_FOLDER / f"{language}.toml").read_text("utf-8"))
    return {
        f"{section}.{key}": text
        for section, messages in sections.items()
        for key, text in messages.items()
    }


def say(language: str, key: str, **values: object) -> str:
    """A message in a language, its blanks filled."""
    return catalogue(language)[key].format(**values)

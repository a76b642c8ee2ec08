"""Checks of words that people type; the same for every form."""

import unicodedata

from services.errors import Invalid

_FORMULAS = ("=", "+", "-", "@", "\t", "\r")  # With these a cell would be a formula.


def words(text: str, field: str, most: int, *, required: bool = True) -> str:
    """The text trimmed and free of control characters, or a refusal that names the field."""
    kept = "".join(
        sign for sign in text if sign in "\n\t" or unicodedata.category(sign) not in ("Cc", "Cs")
    ).strip()
    if required and not kept:
        raise Invalid("error.missing", field=field)
    if len(kept) > most:
        raise Invalid("error.too_long", field=field, most=most)
    return kept


def harmless(text: str) -> str:
    """The text so that no table program takes it for a formula."""
    return f"'{text}" if text.startswith(_FORMULAS) else text

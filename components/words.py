"""Refusals in words a person can act on."""

from datetime import datetime

from components import formats
from components.i18n import t
from services.errors import ServiceError


def of_refusal(refusal: ServiceError) -> str:
    """The refusal in the visitor's language, its values written as people write them."""
    return t(refusal.key, **{name: _written(name, value) for name, value in refusal.values.items()})


def _written(name: str, value: object) -> str:
    if name == "field":
        return t(f"field.{value}")
    if name.endswith("_fen") and isinstance(value, int):
        return formats.money(value)
    if isinstance(value, datetime):
        return formats.moment(value)
    return str(value)

"""Refusals in words a person can act on."""

from collections.abc import Callable
from datetime import date, datetime
from typing import ParamSpec, TypeVar

import streamlit as st

from components import formats
from components.i18n import t
from services.errors import ServiceError

Args = ParamSpec("Args")
Result = TypeVar("Result")


def of_refusal(refusal: ServiceError) -> str:
    """The refusal in the visitor's language, its values written as people write them."""
    return t(refusal.key, **{name: _written(name, value) for name, value in refusal.values.items()})


def unless_refused(
    work: Callable[Args, Result], *args: Args.args, **kwargs: Args.kwargs
) -> Result | None:
    """Do work that needs no database; None and words if it refuses."""
    try:
        return work(*args, **kwargs)
    except ServiceError as refusal:
        st.error(of_refusal(refusal))
        return None


def _written(name: str, value: object) -> str:
    if name == "field":
        return t(f"field.{value}")
    if name.endswith("_fen") and isinstance(value, int):
        return formats.money(value)
    if isinstance(value, datetime):
        return formats.moment(value)
    if isinstance(value, date):
        return formats.day(value)
    return str(value)

"""Prices in words: what a price consists of, and the amount somebody agreed to."""

from collections.abc import Mapping

import streamlit as st

from components import formats
from components.i18n import t
from services.pricing import PARTS


def breakdown(parts: Mapping[str, int]) -> None:
    """Every part by name and amount, and their sum."""
    lines = [_part(name, parts[name]) for name in PARTS if name in parts]
    total = t("prices.total", total=formats.money(sum(parts.values())))
    st.markdown("  \n".join([*lines, f"**{total}**"]))
    st.caption(t("prices.about"))


def in_short(parts: Mapping[str, int]) -> str:
    """The parts that come to the base, or are taken off it, in one line; empty without any."""
    others = [name for name in PARTS if name in parts and name not in ("base", "rounding")]
    if not others:
        return ""
    return t("prices.with", parts=formats.listed(_part(name, parts[name]) for name in others))


def explanation(parts: Mapping[str, int], key: str) -> None:
    """The breakdown folded away where it is unfolded, on a page that is about this price."""
    with st.expander(
        t("prices.details"),
        icon=":material/receipt:",
        key=f"price_{key}",
        type="compact",
        on_change="rerun",
    ) as opened:
        if opened.open:
            breakdown(parts)


def details(parts: Mapping[str, int], key: str) -> None:
    """The breakdown behind a click."""
    with st.popover(
        t("prices.details"),
        icon=":material/receipt:",
        key=f"price_{key}",
        type="tertiary",
        on_change="rerun",
    ) as opened:
        if opened.open:
            breakdown(parts)


def as_shown(key: str, amount_fen: int, *, pressed: bool) -> int:
    """The amount that stood on the page when its button was pressed, not the one of now."""
    kept = f"shown_{key}"
    if not pressed or kept not in st.session_state:
        st.session_state[kept] = amount_fen
    return st.session_state[kept]


def _part(name: str, fen: int) -> str:
    return f"{_named(name)} {_signed(name, fen)}"


def _named(name: str) -> str:
    return t(f"price_part.{name}")


def _signed(name: str, fen: int) -> str:
    plus = "+" if fen > 0 and name != "base" else ""
    return f"{plus}{formats.money(fen)}"

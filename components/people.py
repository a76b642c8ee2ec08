"""What staff do with people's accounts: look for them, open a phone number, decide with words."""

from collections.abc import Callable

import streamlit as st

from components import layout, session
from components.i18n import t


def search(key: str) -> str:
    """A name, a whole phone or its last four digits."""
    return st.text_input(
        t("customers.find"),
        key=key,
        max_chars=40,
        placeholder=t("customers.find"),
        icon=":material/search:",
        label_visibility="collapsed",
    ).strip()


def whole_phone(label: str, look: Callable[..., str], number: int, key: str) -> None:
    """A button that opens somebody's whole phone; the look is recorded."""
    if st.button(
        label,
        key=key,
        type="tertiary",
        icon=":material/contact_phone:",
        help=t("orders_page.contact_help"),
    ) and (phone := session.disclose(look, number)):
        layout.field(t("field.phone"), phone)


def move_with_reason(
    noun: str, number: int, move: str, label: str, hint: str, done: str, take: Callable[..., None]
) -> None:
    """Ask why, and take the move with these words."""
    key = f"{move}_{noun}"
    because = layout.reason_form(f"{key}_{number}", label, hint)
    if because is not None:
        session.perform(done, take, number, move, because, forget=(f"reason_{key}_",))

"""What the forms of a demand and of a booking have in common."""

import secrets

import streamlit as st

from components.i18n import t


def words_field(key: str) -> str:
    """What else a caregiver should know."""
    return st.text_area(
        t("field.words"),
        key=f"{key}_words",
        max_chars=500,
        placeholder=t("demand.words_hint"),
        help=t("demand.words_help"),
    )


def request_key(key: str, *, pressed: bool) -> str:
    """A new one whenever the form is drawn unpressed: a double click asks once."""
    kept = f"request_key_of_{key}"  # Not among the form's keys: emptying it must not lose it.
    if not pressed or kept not in st.session_state:
        st.session_state[kept] = secrets.token_hex(16)
    return st.session_state[kept]

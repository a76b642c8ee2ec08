"""Faces: a caregiver's portrait, or the first sign of her name in a circle.

Both travel inside the page: what lies at /media is open to anyone who has the address.
"""

from base64 import b64encode

import streamlit as st

_TINTS = ("#1f6f78", "#8a5a2b", "#5b6c9e", "#7a4a76", "#3f7a4d", "#a0522d")


def face(name: str, image: bytes | None, *, width: int = 72) -> None:
    """The portrait, or the initial where there is none; the name stands beside it in words."""
    if image is None:
        shown = _initial(name)
    else:
        shown = f"data:image/webp;base64,{b64encode(image).decode()}"
    st.image(shown, width=width, alt="")


def _initial(name: str) -> str:
    tint = _TINTS[sum(map(ord, name)) % len(_TINTS)]
    sign = name[:1]
    sign = {"<": "&lt;", "&": "&amp;"}.get(sign, sign)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96">'
        f'<rect width="96" height="96" fill="{tint}"/>'
        '<text x="48" y="62" font-size="42" fill="#ffffff" text-anchor="middle"'
        f' font-family="sans-serif">{sign}</text></svg>'
    )

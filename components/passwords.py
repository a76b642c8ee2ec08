"""Passwords as typed, hashed and compared by streamlit-authenticator (bcrypt), known only here."""

import hashlib
import logging
from functools import cache
from typing import Any

from services import passwords
from services.passwords import NewPassword


def made(password: str, again: str) -> NewPassword:
    """Refuse a bad password in words, or hash it; slow on purpose, so outside any transaction."""
    passwords.check(password, again)
    return NewPassword(hashed(password), password)


def hashed(password: str) -> str:
    """A bcrypt hash; takes about a quarter of a second on purpose."""
    return _hasher().hash(_fitting(password))


def fits(password: str, password_hash: str | None) -> bool:
    """Whether the password is the one hashed; as slow when there is no hash to compare with."""
    nobodys = _nobodys_hash()  # Always: the first unknown phone would take twice as long.
    same = _hasher().check_pw(_fitting(password), password_hash or nobodys)
    return same and password_hash is not None


@cache
def _hasher() -> type[Any]:
    # Outside a server, importing it makes Streamlit warn that there is no server.
    loud = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        from streamlit_authenticator import Hasher
    finally:
        logging.disable(loud)
    return Hasher


def _fitting(password: str) -> str:
    # bcrypt reads 72 bytes and newer versions refuse more: hash first, so that all of it counts.
    return hashlib.sha256(password.encode()).hexdigest()


@cache
def _nobodys_hash() -> str:
    return hashed("nobody has this password")

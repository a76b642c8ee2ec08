"""Passwords and the session cookie, in streamlit-authenticator's formats (bcrypt; HS256 JWT).

The one file that knows streamlit-authenticator. It is imported late because it brings Streamlit
along, which neither the worker nor most services need.
"""

import hashlib
import logging
from datetime import datetime
from functools import cache
from typing import Any

import jwt

from data.sealing import derived_key
from services import clock


def hash_password(password: str) -> str:
    """A bcrypt hash; takes about a quarter of a second on purpose."""
    return _hasher().hash(_fitting(password))


def password_fits(password: str, password_hash: str | None) -> bool:
    """Whether the password is the one hashed; as slow when there is no hash to compare with."""
    nobodys = _nobodys_hash()  # Always: the first unknown phone would take twice as long.
    fits = _hasher().check_pw(_fitting(password), password_hash or nobodys)
    return fits and password_hash is not None


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
    return hash_password("nobody has this password")


def cookie_value(token: str, expires_at: datetime) -> str:
    """The signed cookie that names a session, as streamlit-authenticator writes it."""
    payload = {"username": token, "exp_date": expires_at.timestamp()}
    return jwt.encode(payload, derived_key("session cookie"), algorithm="HS256")


def token_of(cookie: str) -> str | None:
    """The session token a cookie names, or None if it is forged, broken or expired."""
    try:
        payload = jwt.decode(cookie, derived_key("session cookie"), algorithms=["HS256"])
    except jwt.InvalidTokenError:
        return None
    token, expires_at = payload.get("username"), payload.get("exp_date")
    if not isinstance(token, str) or not isinstance(expires_at, int | float):
        return None
    return token if expires_at > clock.now().timestamp() else None

"""The session cookie, in streamlit-authenticator's format (HS256 JWT)."""

from datetime import datetime

import jwt

from data.sealing import derived_key
from services import clock


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

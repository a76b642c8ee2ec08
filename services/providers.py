"""Who else may say who somebody is: the providers the environment names, read afresh each time."""

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from urllib.parse import urlsplit

import jwt

from data.sealing import derived_key
from services import clock
from services.settings import ConfigurationError, settings

DEMO, WECHAT = "demo", "wechat"
# Identities of WeChat accounts without a unionid are those of one app only.
WECHAT_WEB, WECHAT_APP = "wechat_web", "wechat_app"
RESERVED = {DEMO, WECHAT, WECHAT_WEB, WECHAT_APP, "session", "demo_provider"}
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_DEMO_CODE_LIFETIME = timedelta(minutes=1)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,19}")
_OUR_PATH = re.compile(r"/[a-z_]*(\?[!$-Z_a-z~\[\]]*)?")
_LONGEST_PATH = 500
_LONGEST_LABEL = 30


class Problem(StrEnum):
    """Why coming in through a provider did not work; each has one sentence on screen."""

    DENIED = "denied"
    EXPIRED = "expired"
    STATE = "state"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    CLOSED = "closed"
    SESSION = "session"
    TAKEN = "taken"
    TOO_OFTEN = "too_often"


@dataclass(frozen=True, slots=True)
class WeChatApp:
    """One of the two apps WeChat knows us by; kind is that of identities without a unionid."""

    kind: str
    app_id: str
    secret: str
    scope: str
    authorize_url: str
    api_url: str


@dataclass(frozen=True, slots=True)
class OidcProvider:
    name: str
    issuer: str
    client_id: str
    client_secret: str
    label: str


@dataclass(frozen=True, slots=True)
class Configured:
    """Everything the environment says about providers."""

    public_url: str
    wechat_web: WeChatApp | None
    wechat_app: WeChatApp | None
    oidc: Mapping[str, OidcProvider]


@dataclass(frozen=True, slots=True)
class Offer:
    """A provider a visitor may choose; the label is empty where the catalogues have the word."""

    name: str
    label: str = ""


def check() -> None:
    """Refuse to start with a provider that is named but not described."""
    configured()


def configured() -> Configured:
    """The providers as the environment has them now."""
    found = Configured(
        public_url=_address("CAREPILOT_PUBLIC_URL", ""),
        wechat_web=_wechat(WECHAT_WEB, "CAREPILOT_WECHAT_WEB_APP", "snsapi_login", "qrconnect"),
        wechat_app=_wechat(
            WECHAT_APP, "CAREPILOT_WECHAT_APP", "snsapi_userinfo", "oauth2/authorize"
        ),
        oidc={name: _oidc(name) for name in _oidc_names()},
    )
    any_of_them = found.wechat_web or found.wechat_app or found.oidc
    if any_of_them and not found.public_url and not settings().demo:
        raise ConfigurationError("CAREPILOT_PUBLIC_URL is needed for sign-in providers")
    return found


def offered(user_agent: str) -> tuple[Offer, ...]:
    """The providers this browser can use, in the order they are shown."""
    found = configured()
    offers = [Offer(WECHAT)] if wechat_for(user_agent) else []
    offers += [Offer(one.name, one.label) for one in found.oidc.values()]
    return (*offers, Offer(DEMO)) if settings().demo else tuple(offers)


def wechat_for(user_agent: str) -> WeChatApp | None:
    """The app for this browser: WeChat's own opens the in-app one, any other scans a picture."""
    found = configured()
    return found.wechat_app if "MicroMessenger" in user_agent else found.wechat_web


def kinds_of(offer: Offer, user_agent: str) -> set[str]:
    """The kinds of identity that coming in through an offer can prove in this browser."""
    if offer.name == WECHAT and (app := wechat_for(user_agent)):
        return {WECHAT, app.kind}
    return {offer.name}


def label_of(kind: str) -> Offer:
    """How an identity's provider is shown, even when it is not configured any more."""
    if kind.startswith(WECHAT):
        return Offer(WECHAT)
    known = configured().oidc.get(kind)
    return Offer(kind, "" if kind == DEMO else known.label if known else kind)


def own_path(typed: str) -> str:
    """A path and query of our own pages, or "/" for anything that is not surely one."""
    fits = len(typed) <= _LONGEST_PATH and _OUR_PATH.fullmatch(typed)
    return typed if fits else "/"


def may_ask(address: str) -> bool:
    """Whether secrets may go there: https, this machine, or any web address in a demo."""
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return False
    if not host or parts.username or parts.password or parts.fragment:
        return False
    if parts.scheme == "http":
        return host in LOOPBACK or settings().demo
    return parts.scheme == "https"


def demo_code(subject: str, name: str, nonce: str) -> str:
    """What the demo's provider sends back for one of its invented people: good for a minute."""
    claims = {
        "sub": subject,
        "name": name,
        "nonce": nonce,
        "until": (clock.now() + _DEMO_CODE_LIFETIME).timestamp(),
    }
    return jwt.encode(claims, derived_key("demo provider"), algorithm="HS256")


def demo_person(code: str, nonce: str) -> tuple[str, str] | None:
    """Subject and name of the invented person a code was made for on this trip."""
    try:
        claims = jwt.decode(code, derived_key("demo provider"), algorithms=["HS256"])
    except jwt.InvalidTokenError:
        return None
    fits = secrets.compare_digest(str(claims.get("nonce")), nonce)
    if not fits or claims["until"] < clock.now().timestamp() or not settings().demo:
        return None
    return claims["sub"], claims["name"]


def _wechat(kind: str, prefix: str, scope: str, page: str) -> WeChatApp | None:
    app_id, secret = _text(f"{prefix}_ID"), _text(f"{prefix}_SECRET")
    if not app_id and not secret:
        return None
    if not app_id or not secret:
        raise ConfigurationError(f"{prefix}_ID and {prefix}_SECRET belong together")
    open_url = _address("CAREPILOT_WECHAT_OPEN_URL", "https://open.weixin.qq.com")
    return WeChatApp(
        kind=kind,
        app_id=app_id,
        secret=secret,
        scope=scope,
        authorize_url=f"{open_url}/connect/{page}",
        api_url=_address("CAREPILOT_WECHAT_API_URL", "https://api.weixin.qq.com"),
    )


def _oidc_names() -> list[str]:
    names = [name.strip() for name in _text("CAREPILOT_OIDC_PROVIDERS").split(",") if name.strip()]
    for name in names:
        if not _NAME.fullmatch(name) or name in RESERVED or names.count(name) > 1:
            raise ConfigurationError(
                f"CAREPILOT_OIDC_PROVIDERS: {name[:40]!r} must be a name of its own"
                " in a-z, 0-9 and _, at most 20 signs"
            )
    return names


def _oidc(name: str) -> OidcProvider:
    prefix = f"CAREPILOT_OIDC_{name.upper()}"
    for needed in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET"):
        if not _text(f"{prefix}_{needed}"):
            raise ConfigurationError(f"{prefix}_{needed} is missing")
    label = _text(f"{prefix}_LABEL") or name.replace("_", " ").title()
    if len(label) > _LONGEST_LABEL or not label.isprintable():
        raise ConfigurationError(f"{prefix}_LABEL must be at most {_LONGEST_LABEL} plain signs")
    _address(f"{prefix}_ISSUER", "")
    return OidcProvider(
        name=name,
        issuer=_text(f"{prefix}_ISSUER"),  # As given: it must equal what tokens say, sign by sign.
        client_id=_text(f"{prefix}_CLIENT_ID"),
        client_secret=_text(f"{prefix}_CLIENT_SECRET"),
        label=label,
    )


def _address(name: str, default: str) -> str:
    given = _text(name) or default
    if given and (not may_ask(given) or "?" in given or not given.isascii()):
        raise ConfigurationError(f"{name} must be an https address without query")
    return given.rstrip("/")


def _text(name: str) -> str:
    return os.environ.get(name, "").strip()

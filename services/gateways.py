"""How messages leave the house: text messages and WeChat's template messages.

A gateway is asked outside any transaction, and more than once for one message when its answer is
lost: it is given the same key each time, and sends a key once.
"""

import hashlib
import hmac
import json
import os
import ssl
import threading
import time
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Protocol

import httpx
from sqlalchemy.orm import Session

from data.notices import ConsoleText, OutboxChannel
from services import clock, phones, phrases, providers
from services.providers import WeChatApp
from services.settings import ConfigurationError, settings

SECONDS = 5.0
# WeChat: who does not follow the account, blocked it, or is unknown to it, is so tomorrow too.
NOT_A_FOLLOWER = {40003, 43004, 43101, 43107}
TOKEN_SPENT = {40001, 40014, 42001}


class Failure(StrEnum):
    """Why a message was not delivered; one word for the operators."""

    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    NO_ADDRESS = "no_address"
    TOO_OLD = "too_old"


class NotDelivered(Exception):
    """The gateway did not take the message; a final refusal is not tried again."""

    def __init__(self, failure: Failure, *, final: bool = False) -> None:
        super().__init__(failure)
        self.failure, self.final = failure, final


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message ready to be sent: to a phone (E.164) or an openid; its key never changes."""

    id: int
    channel: OutboxChannel
    key: str
    to: str
    body: str
    moment: str = ""
    hint: str = ""


class Gateway(Protocol):
    ready: bool

    def send(self, message: Outgoing) -> None:
        """Send one message, or raise NotDelivered."""


class ConsoleGateway:
    """Sends nothing: keeps codes for the sign-in page of the demo to show."""

    ready = True

    def keep(self, session: Session, phone: str, body: str) -> None:
        session.add(
            ConsoleText(created_at=clock.now(), phone_hash=phones.whole_hash(phone), body=body)
        )

    def send(self, message: Outgoing) -> None:
        """Nobody in a demo has a phone."""


class NoGateway:
    """Production without a configured gateway: every text waits in the outbox."""

    ready = False

    def send(self, message: Outgoing) -> None:
        raise NotDelivered(Failure.UNREACHABLE)


@dataclass(frozen=True, slots=True)
class HttpGateway:
    """A gateway for text messages that speaks our small protocol, in front of any provider.

    POST of JSON {"id", "to", "text"} with X-CarePilot-Key, X-CarePilot-Time (seconds since 1970)
    and X-CarePilot-Signature: "v1=" and the hex HMAC-SHA256 of "<time>.<body>" under the secret.
    It answers 200 and {"code": 0} once it has the message, whose id it sends only once; any other
    code is a refusal, with "final": true one for good.
    """

    url: str
    key: str
    secret: str
    ready = True

    def send(self, message: Outgoing) -> None:
        body = json.dumps(
            {"id": message.key, "to": message.to, "text": message.body}, ensure_ascii=False
        ).encode()
        moment = str(int(clock.now().timestamp()))
        said = _ask(
            self.url,
            body,
            {
                "X-CarePilot-Key": self.key,
                "X-CarePilot-Time": moment,
                "X-CarePilot-Signature": signature(self.secret, moment, body),
            },
        )
        if said.get("code") != 0:
            raise NotDelivered(Failure.REFUSED, final=said.get("final") is True)


def signature(secret: str, moment: str, body: bytes) -> str:
    """What proves that a request to a gateway is ours and not older than it says."""
    signed = hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256)
    return f"v1={signed.hexdigest()}"


@dataclass(frozen=True, slots=True)
class WeChatGateway:
    """Template messages of a WeChat service account; errors come with 200.

    The template has three fields: thing1 (what), time2 (when) and thing3 (what to do).
    https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Template_Message_Interface.html
    """

    app: WeChatApp
    template_id: str
    opens: str
    ready = True

    def send(self, message: Outgoing) -> None:
        token = _tokens.of(self.app)
        fields = {
            "thing1": message.body[: phrases.WECHAT_FIELD],
            "time2": message.moment,
            "thing3": message.hint[: phrases.WECHAT_FIELD],
        }
        body = {
            "touser": message.to,
            "template_id": self.template_id,
            "url": self.opens,
            "client_msg_id": message.key,
            "data": {name: {"value": value} for name, value in fields.items()},
        }
        url = f"{self.app.api_url}/cgi-bin/message/template/send"
        said = _ask(url, json.dumps(body, ensure_ascii=False).encode(), {}, access_token=token)
        error = said.get("errcode", 0)
        if error in TOKEN_SPENT:
            _tokens.forget(self.app)
        if error != 0:
            raise NotDelivered(Failure.REFUSED, final=error in NOT_A_FOLLOWER)


class _Tokens:
    """WeChat's access tokens, kept by this process until shortly before they end."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[str, float]] = {}
        self._turn = threading.Lock()

    def of(self, app: WeChatApp) -> str:
        with self._turn:
            token, until = self._kept.get(app.app_id, ("", 0.0))
            if time.monotonic() < until:
                return token
            body = {"grant_type": "client_credential", "appid": app.app_id, "secret": app.secret}
            said = _ask(f"{app.api_url}/cgi-bin/stable_token", json.dumps(body).encode(), {})
            token, seconds = said.get("access_token"), said.get("expires_in")
            if not isinstance(token, str) or not isinstance(seconds, int):
                raise NotDelivered(Failure.REFUSED)
            self._kept[app.app_id] = token, time.monotonic() + max(0, seconds - 300)
            return token

    def forget(self, app: WeChatApp) -> None:
        with self._turn:
            self._kept.pop(app.app_id, None)


_tokens = _Tokens()


def current() -> Gateway:
    """The gateway for text messages that the settings name."""
    if settings().demo:
        return ConsoleGateway()
    return configured_texts() or NoGateway()


def of(channel: OutboxChannel) -> Gateway:
    """The gateway of a channel that leaves the house."""
    if channel is OutboxChannel.TEXT:
        return current()
    return (None if settings().demo else configured_wechat()) or NoGateway()


def configured_texts() -> HttpGateway | None:
    """The gateway the environment describes; a half described one keeps the app from starting."""
    names = ("CAREPILOT_SMS_URL", "CAREPILOT_SMS_KEY", "CAREPILOT_SMS_SECRET")
    url, key, secret = (os.environ.get(name, "").strip() for name in names)
    if not (url or key or secret):
        return None
    if not (url and key and secret):
        raise ConfigurationError(f"{', '.join(names)} belong together")
    if not providers.may_ask(url):
        raise ConfigurationError("CAREPILOT_SMS_URL must be an https address")
    return HttpGateway(url, key, secret)


def configured_wechat() -> WeChatGateway | None:
    """The service account that sends notices: the in-app login's, once it has a template."""
    template_id = os.environ.get("CAREPILOT_WECHAT_TEMPLATE_ID", "").strip()
    if not template_id:
        return None
    found = providers.configured()
    if found.wechat_app is None:
        raise ConfigurationError("CAREPILOT_WECHAT_TEMPLATE_ID needs CAREPILOT_WECHAT_APP_ID")
    return WeChatGateway(found.wechat_app, template_id, f"{found.public_url}/inbox")


def check() -> None:
    """Refuse to start with a gateway that is only half described."""
    configured_texts()
    configured_wechat()


def _ask(url: str, body: bytes, headers: dict[str, str], **query: str) -> dict[str, Any]:
    """The JSON object a gateway answers; nothing of the request is part of an exception."""
    sent = {"Content-Type": "application/json; charset=utf-8", "Accept": "application/json"}
    try:
        answer = httpx.post(
            url,
            params=query or None,
            content=body,
            headers=sent | headers,
            timeout=SECONDS,
            follow_redirects=False,
            verify=_authorities(),
        )
        said = answer.json() if answer.status_code < 500 else None
    except (httpx.HTTPError, httpx.InvalidURL):
        raise NotDelivered(Failure.UNREACHABLE) from None
    except ValueError:  # Not JSON.
        raise NotDelivered(Failure.REFUSED) from None
    if said is None:
        raise NotDelivered(Failure.UNREACHABLE)
    if answer.status_code != 200 or not isinstance(said, dict):
        raise NotDelivered(Failure.REFUSED)
    return said


@cache
def _authorities() -> ssl.SSLContext:
    return httpx.create_ssl_context()

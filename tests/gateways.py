"""A small gateway for texts and WeChat's messages on loopback; what `told` names goes wrong.

It checks what a real one would: the key, the signature and its age, the token, who follows.
"""

import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from services import gateways
from tests.providers import IN_APP

KEY, SECRET = "key of the tests", "secret of the tests"
TEMPLATE = "template-1"


@dataclass
class LocalGateway:
    """Both protocols behind one address; `sent` holds what was delivered, each id once."""

    url: str = ""
    told: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    sent: dict[str, dict[str, Any]] = field(default_factory=dict)
    token: str = ""
    strangers: set[str] = field(default_factory=set)
    turn: threading.Lock = field(default_factory=threading.Lock)

    def environment(self, *, wechat: bool = False) -> dict[str, str]:
        """What an operator of the server would set."""
        texts = {
            "CAREPILOT_SMS_URL": f"{self.url}/texts",
            "CAREPILOT_SMS_KEY": KEY,
            "CAREPILOT_SMS_SECRET": SECRET,
        }
        return texts | (
            {
                "CAREPILOT_PUBLIC_URL": "https://care.example.cn",
                "CAREPILOT_WECHAT_APP_ID": IN_APP[0],
                "CAREPILOT_WECHAT_APP_SECRET": IN_APP[1],
                "CAREPILOT_WECHAT_API_URL": self.url,
                "CAREPILOT_WECHAT_OPEN_URL": self.url,
                "CAREPILOT_WECHAT_TEMPLATE_ID": TEMPLATE,
            }
            if wechat
            else {}
        )

    def bodies(self) -> list[str]:
        """The words of the texts that were delivered, in order."""
        return [one["text"] for one in self.sent.values() if "text" in one]

    def answer(
        self, path: str, query: dict[str, str], headers: Any, body: bytes
    ) -> tuple[int, dict[str, Any]]:
        asked = json.loads(body)
        with self.turn:
            self.asked.append(asked)
            if self.told == "down":
                return 503, {}
            match path:
                case "/texts":
                    return self._text(headers, asked, body)
                case "/cgi-bin/stable_token":
                    return self._new_token(asked)
                case "/cgi-bin/message/template/send":
                    return self._template(query, asked)
        return 404, {}

    def _text(self, headers: Any, asked: dict[str, Any], body: bytes) -> tuple[int, dict[str, Any]]:
        moment = headers["X-CarePilot-Time"]
        signed = headers["X-CarePilot-Signature"]
        wanted = gateways.signature(SECRET, moment, body)
        if headers["X-CarePilot-Key"] != KEY or not secrets.compare_digest(signed, wanted):
            return 401, {"code": 401}
        if self.told == "error with 200":
            return 200, {"code": 17}
        if self.told == "refuses for good":
            return 200, {"code": 18, "final": True}
        self.sent.setdefault(asked["id"], asked)
        return 200, {"code": 0}

    def _new_token(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if (asked["appid"], asked["secret"]) != IN_APP:
            return 200, {"errcode": 40125, "errmsg": "invalid appsecret"}
        self.token = self.token or secrets.token_hex(8)
        return 200, {"access_token": self.token, "expires_in": 7200}

    def _template(self, query: dict[str, str], asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if query.get("access_token") != self.token:
            return 200, {"errcode": 42001, "errmsg": "access_token expired"}
        if asked["touser"] in self.strangers:
            return 200, {"errcode": 43004, "errmsg": "require subscribe"}
        if asked["template_id"] != TEMPLATE:
            return 200, {"errcode": 40037, "errmsg": "invalid template_id"}
        self.sent.setdefault(asked["client_msg_id"], asked)
        return 200, {"errcode": 0, "errmsg": "ok", "msgid": len(self.sent)}


@contextmanager
def local_gateway() -> Iterator[LocalGateway]:
    """A gateway that answers while the block runs."""
    gateway = LocalGateway()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"]))
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            status, said = gateway.answer(parts.path, query, self.headers, body)
            if gateway.told == "times out after accepting":
                time.sleep(gateways.SECONDS + 0.3)
                self.close_connection = True
                return
            written = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(written)))
            self.end_headers()
            self.wfile.write(written)

        def log_message(self, format: str, *args: Any) -> None:
            """Tests read `asked` instead."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    gateway.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield gateway
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

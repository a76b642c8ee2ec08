"""A small provider of each kind on loopback, speaking the real wire formats, errors included.

WeChat: https://developers.weixin.qq.com/doc/oplatform/Website_App/WeChat_Login/Wechat_Login.html
OIDC: OpenID Connect Core 1.0 and Discovery 1.0, PKCE (RFC 7636). What `told` names goes wrong.
"""

import base64
import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote_plus, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

from services import clock

WEB_APP, IN_APP = ("wx-web", "web secret"), ("wx-app", "app secret")
CLIENT = ("carepilot client", "client secret: +/%")
SUBJECT, OPEN_ID, UNION_ID = "subject-7", "open-id-7", "union-id-7"
NAME = "林小满"


class LocalProvider:
    """Both kinds behind one address; the person there is always the same one."""

    def __init__(self) -> None:
        self.told = ""
        self.name = NAME
        self.asked: list[str] = []
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
        self.codes: dict[str, dict[str, str]] = {}
        self.released = threading.Event()
        self.url = ""

    def environment(self, *kinds: str) -> dict[str, str]:
        """What an operator of the server would set for these kinds: web, app, oidc."""
        found = {"CAREPILOT_WECHAT_OPEN_URL": self.url, "CAREPILOT_WECHAT_API_URL": self.url}
        for kind, prefix, app in (
            ("web", "CAREPILOT_WECHAT_WEB_APP", WEB_APP),
            ("app", "CAREPILOT_WECHAT_APP", IN_APP),
        ):
            if kind in kinds:
                found |= {f"{prefix}_ID": app[0], f"{prefix}_SECRET": app[1]}
        if "oidc" in kinds:
            found |= {
                "CAREPILOT_OIDC_PROVIDERS": "city",
                "CAREPILOT_OIDC_CITY_ISSUER": self.url,
                "CAREPILOT_OIDC_CITY_CLIENT_ID": CLIENT[0],
                "CAREPILOT_OIDC_CITY_CLIENT_SECRET": CLIENT[1],
                "CAREPILOT_OIDC_CITY_LABEL": "市民通",
            }
        return found

    # --- What it answers: (status, headers, body)

    def get(self, path: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        self.asked.append(path)
        if self.told == "down" and not path.startswith(("/connect", "/authorize")):
            return 503, {}, b"down"
        if self.told == "slow" and not path.startswith(("/connect", "/authorize")):
            self.released.wait(10)
        if self.told == "elsewhere" and path in ("/token", "/sns/oauth2/access_token"):
            return 302, {"Location": f"{self.url}/stolen"}, b""
        if self.told == "huge" and path in ("/jwks", "/sns/userinfo"):
            return 200, {}, b'{"padding": "' + b"x" * 1_000_000 + b'"}'
        if self.told == "no json" and path in ("/token", "/sns/oauth2/access_token"):
            return 200, {}, b"<html>" + b"[" * 50_000
        match path:
            case "/connect/qrconnect":
                return self._wechat_page(query, "snsapi_login", WEB_APP[0])
            case "/connect/oauth2/authorize":
                return self._wechat_page(query, "snsapi_userinfo", IN_APP[0])
            case "/sns/oauth2/access_token":
                return self._wechat_token(query)
            case "/sns/userinfo":
                return self._wechat_person(query)
            case "/.well-known/openid-configuration":
                return self._description()
            case "/authorize":
                return self._oidc_page(query)
            case "/jwks":
                return _json(200, {"keys": [self.key.as_dict(private=False)]})
        return 404, {}, b"not found"

    def post(
        self, path: str, form: dict[str, str], authorization: str
    ) -> tuple[int, dict[str, str], bytes]:
        if path != "/token" or self.told in ("down", "slow", "elsewhere", "no json"):
            return self.get(path, form)
        self.asked.append(path)
        kind, _, both = authorization.partition(" ")
        given = tuple(map(unquote_plus, base64.b64decode(both).decode().split(":", 1)))
        if kind != "Basic" or given != CLIENT:
            return _json(401, {"error": "invalid_client"})
        code = self._spent(form.get("code", ""))
        challenge = _challenge(form.get("code_verifier", ""))
        if (
            code is None
            or form.get("grant_type") != "authorization_code"
            or form.get("redirect_uri") != code["redirect_uri"]
            or challenge != code["code_challenge"]
        ):
            return _json(400, {"error": "invalid_grant"})
        token = secrets.token_hex(8)
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": 3600}
        return _json(200, answer | {"id_token": self._id_token(code["nonce"])})

    # --- WeChat

    def _wechat_page(self, query: dict[str, str], scope: str, app_id: str) -> Any:
        wanted = {"appid": app_id, "scope": scope, "response_type": "code"}
        if {name: query.get(name) for name in wanted} != wanted or not query["state"].isalnum():
            return 200, {}, "参数错误".encode()
        back = {"state": query["state"]}
        if self.told != "deny":  # Whoever refuses comes back without a code.
            back["code"] = self._new_code(query)
        return self._consent(f"{query['redirect_uri']}?{urlencode(back)}")

    def _wechat_token(self, query: dict[str, str]) -> Any:
        if (query.get("appid"), query.get("secret")) not in (WEB_APP, IN_APP):
            return _json(200, {"errcode": 40125, "errmsg": "invalid appsecret, rid: 1"})
        code = self._spent(query.get("code", ""))
        if code is None or query.get("grant_type") != "authorization_code":
            return _json(200, {"errcode": 40029, "errmsg": "invalid code, rid: 1"})
        token = {"access_token": "wechat token", "expires_in": 7200, "refresh_token": "refresh"}
        token |= {"openid": self._open_id(code["appid"]), "scope": code["scope"]}
        return _json(200, token if self.told == "no unionid" else token | {"unionid": UNION_ID})

    def _wechat_person(self, query: dict[str, str]) -> Any:
        if query.get("access_token") != "wechat token":
            return _json(200, {"errcode": 40001, "errmsg": "invalid credential, rid: 1"})
        person = {"openid": query["openid"], "nickname": self.name, "sex": 0, "privilege": []}
        if self.told == "somebody else":
            person["openid"] = "another person"
        return _json(200, person if self.told == "no unionid" else person | {"unionid": UNION_ID})

    def _open_id(self, app_id: str) -> str:
        return f"{OPEN_ID}-of-{app_id}"

    # --- OIDC

    def _description(self) -> Any:
        issuer = "https://elsewhere.example" if self.told == "wrong issuer" else self.url
        endpoint = "http://elsewhere.example" if self.told == "open endpoint" else self.url
        return _json(
            200,
            {
                "issuer": issuer,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{endpoint}/token",
                "jwks_uri": f"{self.url}/jwks",
                "id_token_signing_alg_values_supported": ["RS256"],
            },
        )

    def _oidc_page(self, query: dict[str, str]) -> Any:
        wanted = {"response_type": "code", "client_id": CLIENT[0], "code_challenge_method": "S256"}
        if {name: query.get(name) for name in wanted} != wanted or not query.get("nonce"):
            return 400, {}, b"invalid request"
        back = {"state": query["state"], "iss": self.url}
        if self.told == "other issuer":
            back["iss"] = "https://elsewhere.example"
        if self.told == "deny":
            back["error"] = "access_denied"
        else:
            back["code"] = self._new_code(query)
        return self._consent(f"{query['redirect_uri']}?{urlencode(back)}")

    def _id_token(self, nonce: str) -> str:
        now = int(clock.now().timestamp())
        claims: dict[str, Any] = {
            "iss": self.url,
            "aud": CLIENT[0],
            "sub": SUBJECT,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "name": self.name,
        }
        claims |= {
            "wrong nonce": {"nonce": "another trip"},
            "wrong aud": {"aud": "another client"},
            "two auds": {"aud": [CLIENT[0], "another client"], "azp": "another client"},
            "wrong iss": {"iss": "https://elsewhere.example"},
            "old token": {"iat": now - 900, "exp": now - 600},
            "no sub": {"sub": ""},
        }.get(self.told, {})
        if self.told == "alg none":
            parts = ({"alg": "none"}, claims)
            return ".".join([*(_encoded(json.dumps(part).encode()) for part in parts), ""])
        if self.told == "shared secret":  # Signed with what everybody can read.
            parts = ({"alg": "HS256", "kid": "one"}, claims)
            signed = ".".join(_encoded(json.dumps(part).encode()) for part in parts)
            mac = hmac.digest(self.key.as_pem(private=False), signed.encode(), "sha256")
            return f"{signed}.{_encoded(mac)}"
        signing = RSAKey.generate_key(2048) if self.told == "wrong key" else self.key
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, signing)

    # --- Both

    def _consent(self, back: str) -> Any:
        page = f'<!doctype html><title>Provider</title><a id="go" href="{back}">OK</a>'
        return 200, {"X-Back": back, "Content-Type": "text/html"}, page.encode()

    def _new_code(self, query: dict[str, str]) -> str:
        code = secrets.token_hex(8)
        self.codes[code] = query
        return code

    def _spent(self, code: str) -> dict[str, str] | None:
        """Whose code this was, once."""
        return None if self.told == "expired code" else self.codes.pop(code, None)


@contextmanager
def local_provider() -> Iterator[LocalProvider]:
    """A provider on a free port of this machine, for as long as the block lasts."""
    provider = LocalProvider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            self._answer(provider.get(parts.path, dict(parse_qsl(parts.query))))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._answer(provider.post(self.path, form, self.headers.get("Authorization", "")))

        def _answer(self, answer: tuple[int, dict[str, str], bytes]) -> None:
            status, headers, body = answer
            try:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                pass  # Whoever asked did not wait.

        def log_message(self, format: str, *given: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield provider
    finally:
        provider.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _json(status: int, said: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    # WeChat calls its JSON text/plain.
    return status, {"Content-Type": "text/plain"}, json.dumps(said, ensure_ascii=False).encode()


def _challenge(verifier: str) -> str:
    return _encoded(hashlib.sha256(verifier.encode()).digest())


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

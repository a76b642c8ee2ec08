"""WeChat's OAuth 2: code, token, userinfo. No OIDC, no PKCE, no nonce; errors come with 200.

https://developers.weixin.qq.com/doc/oplatform/Website_App/WeChat_Login/Wechat_Login.html
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from api.outgoing import Trouble, ask
from services.joining import Proven
from services.providers import WECHAT, WECHAT_APP, Problem, WeChatApp

BUSY = -1
# The code is not one of theirs, was used, or is too old.
SPENT_CODES = {40029, 40163, 42003}


@dataclass(frozen=True, slots=True)
class WeChatWay:
    """Through one of our two apps."""

    app: WeChatApp

    def address(self, redirect_uri: str, state: str) -> str:
        """Where the person is sent; WeChat wants the parameters in this order."""
        query = urlencode(
            {
                "appid": self.app.app_id,
                "redirect_uri": redirect_uri,
                "response_type": "code",
                "scope": self.app.scope,
                "state": state,
            }
        )
        return f"{self.app.authorize_url}?{query}#wechat_redirect"

    async def identify(self, code: str, _redirect_uri: str, _state: str) -> Proven:
        """Who came back: by unionid, else by this app's openid."""
        token = await self._ask(
            "/sns/oauth2/access_token",
            appid=self.app.app_id,
            secret=self.app.secret,
            code=code,
            grant_type="authorization_code",
        )
        open_id = _text(token, "openid")
        person = await self._ask(
            "/sns/userinfo",
            access_token=_text(token, "access_token"),
            openid=open_id,
            lang="zh_CN",
        )
        if _text(person, "openid") != open_id:
            raise Trouble(Problem.REFUSED)
        name = person.get("nickname")
        name = name if isinstance(name, str) else ""
        # Only the in-app login is the service account's, which may send notices.
        address = open_id if self.app.kind == WECHAT_APP else ""
        if "unionid" in person or "unionid" in token:
            return Proven(WECHAT, _text(token | person, "unionid"), name, address)
        return Proven(self.app.kind, f"{self.app.app_id}:{open_id}", name, address)

    async def _ask(self, path: str, **query: str) -> dict[str, Any]:
        status, said = await ask("GET", f"{self.app.api_url}{path}", params=query)
        error = said.get("errcode", 0)
        if error == BUSY:
            raise Trouble(Problem.UNREACHABLE)
        if error in SPENT_CODES:
            raise Trouble(Problem.EXPIRED)
        if error != 0 or status != 200:
            raise Trouble(Problem.REFUSED)
        return said


def _text(said: dict[str, Any], name: str) -> str:
    """A field that must be there."""
    given = said.get(name)
    if not isinstance(given, str) or not 0 < len(given) <= 1000:
        raise Trouble(Problem.REFUSED)
    return given

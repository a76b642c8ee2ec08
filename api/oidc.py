"""OpenID Connect: discovery, authorization code with PKCE, and the ID token's proof."""

import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from api.outgoing import Trouble, ask
from services import clock, joining
from services.joining import Proven
from services.providers import OidcProvider, Problem, may_ask

# Signatures only a provider can make: neither "none" nor anything with a shared secret.
ALGORITHMS = [
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA", "Ed25519"),
]
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
LEEWAY_SECONDS = 60
KEPT_SECONDS = 600
_discovered: dict[str, tuple[float, dict[str, Any]]] = {}


@dataclass(frozen=True, slots=True)
class OidcWay:
    """Through one provider, as it describes itself."""

    provider: OidcProvider
    described: dict[str, Any]

    def address(self, redirect_uri: str, state: str) -> str:
        """Where the person is sent."""
        endpoint = self.described["authorization_endpoint"]
        query = urlencode(
            {
                "response_type": "code",
                "client_id": self.provider.client_id,
                "redirect_uri": redirect_uri,
                "scope": "openid profile",
                "state": state,
                "nonce": joining.nonce_of(state),
                "code_challenge": create_s256_code_challenge(joining.verifier_of(state)),
                "code_challenge_method": "S256",
            }
        )
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{query}"

    async def identify(self, code: str, redirect_uri: str, state: str) -> Proven:
        """Who came back, by an ID token signed for us, for this trip, just now."""
        tokens = await self._tokens(code, redirect_uri, state)
        _, keys = await ask("GET", self.described["jwks_uri"])
        claims = self._proven(tokens, keys, joining.nonce_of(state))
        subject, name = claims.get("sub"), claims.get("name")
        if not isinstance(subject, str) or not 0 < len(subject) <= 255:
            raise Trouble(Problem.REFUSED)
        return Proven(
            self.provider.name,
            f"{self.provider.issuer}|{subject}",
            name if isinstance(name, str) else "",
        )

    async def _tokens(self, code: str, redirect_uri: str, state: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self.provider.client_id,
            "code_verifier": joining.verifier_of(state),
        }
        ways = self.described.get("token_endpoint_auth_methods_supported")
        if isinstance(ways, list) and "client_secret_basic" not in ways:
            given: dict[str, Any] = {"data": form | {"client_secret": self.provider.client_secret}}
        else:  # RFC 6749, 2.3.1: both are form-encoded first.
            both = quote_plus(self.provider.client_id), quote_plus(self.provider.client_secret)
            given = {"data": form, "auth": both}
        status, said = await ask("POST", self.described["token_endpoint"], **given)
        if said.get("error") == "invalid_grant":
            raise Trouble(Problem.EXPIRED)
        if status != 200:
            raise Trouble(Problem.REFUSED)
        return said

    def _proven(self, tokens: dict[str, Any], keys: dict[str, Any], nonce: str) -> dict[str, Any]:
        try:
            signed = jwt.decode(
                tokens["id_token"], KeySet.import_key_set(_public(keys)), algorithms=ALGORITHMS
            )
            claims = CodeIDToken(
                signed.claims,
                signed.header,
                options={
                    "iss": {"essential": True, "value": self.provider.issuer},
                    "aud": {"essential": True, "value": self.provider.client_id},
                },
                params={
                    "nonce": nonce,
                    "client_id": self.provider.client_id,
                    "access_token": tokens.get("access_token"),
                },
            )
            claims.validate(now=int(clock.now().timestamp()), leeway=LEEWAY_SECONDS)
        except (JoseError, ValueError, TypeError, KeyError, AttributeError):
            # Whatever a token holds that is not as agreed: nobody comes in by it.
            raise Trouble(Problem.REFUSED) from None
        return dict(claims)


async def way_through(provider: OidcProvider) -> OidcWay:
    """The provider as it describes itself; asked again after ten minutes."""
    known_at, described = _discovered.get(provider.issuer, (0.0, None))
    if described is None or time.monotonic() - known_at > KEPT_SECONDS:
        described = await _discover(provider.issuer)
        _discovered[provider.issuer] = time.monotonic(), described
    return OidcWay(provider, described)


async def _discover(issuer: str) -> dict[str, Any]:
    address = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    status, said = await ask("GET", address)
    endpoints = [said.get(name) for name in ENDPOINTS]
    if status != 200 or said.get("issuer") != issuer:
        raise Trouble(Problem.REFUSED)
    if not all(isinstance(one, str) and may_ask(one) for one in endpoints):
        raise Trouble(Problem.REFUSED)
    return said


def _public(keys: dict[str, Any]) -> Any:  # noqa: ANN401 - joserfc checks what is in it
    """Only keys that can have signed something with a private half."""
    return {
        "keys": [
            key
            for key in keys["keys"]
            if key.get("kty") in ("RSA", "EC", "OKP") and key.get("use") != "enc"
        ]
    }

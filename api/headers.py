"""The security headers of every answer."""

import base64
import hashlib
import re
from pathlib import Path

import streamlit
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def inline_script_hashes() -> list[str]:
    """CSP sources of the inline scripts in the installed Streamlit's index.html."""
    html = (Path(streamlit.__file__).parent / "static" / "index.html").read_text("utf-8")
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digests = [hashlib.sha256(script.encode()).digest() for script in scripts]
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]


CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        # Components v2 are loaded from blob: addresses; Streamlit's protobuf and deck.gl compile
        # WebAssembly. Nothing needs 'unsafe-eval'.
        f"script-src 'self' blob: 'wasm-unsafe-eval' {' '.join(inline_script_hashes())}",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "font-src 'self' data:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
ALWAYS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(self), camera=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
OVER_TLS = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}


class SecurityHeaders:
    """Plain ASGI: Starlette's BaseHTTPMiddleware would hold back streamed answers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                # A route that allows less than the app keeps its own policy.
                policy = headers.get("Content-Security-Policy", CONTENT_SECURITY_POLICY)
                headers.update(ALWAYS | {"Content-Security-Policy": policy})
                if scope["scheme"] == "https":
                    headers.update(OVER_TLS)
            await send(message)

        await self.app(scope, receive, send_with_headers)

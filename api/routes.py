"""Every address the server answers beside Streamlit's own."""

from starlette.routing import BaseRoute, Route

from api import health, sessions

ROUTES: list[BaseRoute] = [
    Route("/healthz", health.healthz),
    Route("/readyz", health.readyz),
    Route("/auth/session", sessions.sign_in, methods=["POST"]),
]

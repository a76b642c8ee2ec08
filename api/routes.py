"""Every address the server answers beside Streamlit's own."""

from starlette.routing import BaseRoute, Route

from api import demo_provider, documents, events, extracts, health, providers, sessions

ROUTES: list[BaseRoute] = [
    Route("/healthz", health.healthz),
    Route("/readyz", health.readyz),
    Route("/auth/session", sessions.sign_in, methods=["POST"]),
    Route("/auth/guest", sessions.let_guest_talk, methods=["POST"]),
    Route("/auth/demo-provider/authorize", demo_provider.authorize, methods=["GET", "POST"]),
    Route("/auth/{provider}/start", providers.start),
    Route("/auth/{provider}/callback", providers.callback),
    Route("/documents/{ticket}", documents.show),
    Route("/documents/figures/{ticket}", extracts.figures),
    Route("/documents/payouts/{ticket}", extracts.payouts),
    Route("/documents/files/{ticket}", extracts.files),
    Route("/events", events.listen),
]

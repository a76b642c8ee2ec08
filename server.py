"""The ASGI app: Streamlit's Home.py with our routes, headers and warm-up. `python server.py`."""

import gc
import importlib
import logging
import logging.config
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

# Streamlit reads .streamlit/config.toml, and we our own files, from the repository's root.
ROOT = Path(__file__).resolve().parent
os.chdir(ROOT)
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import streamlit as st  # noqa: E402
import uvicorn  # noqa: E402
from sqlalchemy import text  # noqa: E402
from starlette.middleware import Middleware  # noqa: E402
from streamlit import config  # noqa: E402
from streamlit.runtime.pages_manager import PagesManager  # noqa: E402

from api import events, single_server  # noqa: E402
from api.headers import SecurityHeaders  # noqa: E402
from api.logs import LOGGING  # noqa: E402
from api.routes import ROUTES  # noqa: E402
from data import database  # noqa: E402
from services import settings, startup  # noqa: E402

LOGGER = logging.getLogger("server")
# Streamlit ignores STREAMLIT_* variables under uvicorn and misspelt options; so we read back.
INTENDED = {
    "runner.postScriptGC": False,
    "browser.gatherUsageStats": False,
    "client.showErrorDetails": "none",
    "client.toolbarMode": "minimal",
    "server.enableStaticServing": False,
    "server.enableXsrfProtection": True,
    "server.fileWatcherType": "none",
    "global.developmentMode": False,
}
# The first visitor should not wait for these.
HEAVY = (
    "pandas",
    "plotly.graph_objects",
    "pydeck",
    "streamlit_authenticator",
    "h3",
    "segno",
    *(f"components.{file.stem}" for file in sorted((ROOT / "components").glob("[a-z]*.py"))),
)
STOP_SECONDS = 5


def refuse_other_options() -> None:
    """Stop with one line when an option of Streamlit does not read as intended."""
    for name, intended in INTENDED.items():
        if (found := config.get_option(name)) != intended:
            sys.exit(f"server.py: {name} reads {found!r}, not {intended!r}: see .streamlit")


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Prepare the database and everything the first visit would otherwise wait for."""
    single_server.claim()
    startup.prepare()
    startup.ensure()  # It remembers the answer, so that no visitor waits for it.
    for module in HEAVY:
        importlib.import_module(module)
    with database.reading() as session:
        session.execute(text("SELECT 1"))
    gc.collect()
    gc.freeze()
    yield
    database.engine().dispose()


app = st.App(
    ROOT / "Home.py", routes=ROUTES, middleware=[Middleware(SecurityHeaders)], lifespan=lifespan
)
refuse_other_options()
# Else a fresh server runs a file in pages/ for its first visitor without passing Home.py.
PagesManager.uses_pages_directory = False


class Server(uvicorn.Server):
    """Says where it serves, once it does, and ends its streams when it stops."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            LOGGER.info("CarePilot serves http://%s:%s", self.config.host, self.config.port)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        events.room.close()  # Else the streams would be waited for.
        await super().shutdown(sockets)


def main() -> None:
    """Serve at HOST and PORT until SIGTERM or Ctrl-C."""
    logging.config.dictConfig(LOGGING)
    try:
        single_server.claim()
        startup.prepare()  # Here too: what the environment lacks is one line, not a traceback.
    except (settings.ConfigurationError, single_server.AnotherServer) as refusal:
        sys.exit(f"server.py: {refusal}")

    server = Server(
        uvicorn.Config(
            app,
            host=os.environ.get("HOST") or "127.0.0.1",
            port=int(os.environ.get("PORT") or "8501"),
            lifespan="on",
            log_config=LOGGING,
            access_log=False,
            server_header=False,
            # X-Forwarded-* is believed from FORWARDED_ALLOW_IPS only (default 127.0.0.1).
            proxy_headers=True,
            ws="websockets-sansio",
            ws_per_message_deflate=False,  # As under `streamlit run`: it costs more than it saves.
            ws_max_size=config.get_option("server.maxMessageSize") * 1024 * 1024,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
    )
    # uvicorn stops in good order, then raises the signal again: that must not look like a crash.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with suppress(KeyboardInterrupt):
        server.run()


if __name__ == "__main__":
    main()

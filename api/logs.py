"""What the server's log holds: times, levels and messages, never addresses or queries."""

from typing import Any

OURS = ("api", "components", "data", "services", "server")

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        # Below WARNING it writes the address and query of every visitor's websocket. Streamlit
        # cuts it off from the root logger; without propagate its errors would vanish.
        "uvicorn.error": {"level": "WARNING", "propagate": True, "handlers": []},
        "uvicorn": {"level": "WARNING", "propagate": True, "handlers": []},
        # Libraries that declare components while they are imported.
        "streamlit.runtime.scriptrunner_utils.script_run_context": {"level": "ERROR"},
        # At INFO they write whole addresses, with the codes and secrets providers want in them.
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        **{name: {"level": "INFO"} for name in OURS},
    },
}

"""A visitor without a browser: speaks Streamlit's own messages over its websocket."""

from dataclasses import dataclass, field
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

FINISHED = {
    ForwardMsg.FINISHED_SUCCESSFULLY,
    ForwardMsg.FINISHED_WITH_COMPILE_ERROR,
    ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
}


@dataclass
class Screen:
    """What one run of the app sent."""

    elements: list[Any] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    page_not_found: bool = False


def open_websocket(url: str, cookie: str = "") -> ClientConnection:
    """Connect as the page in the browser does."""
    return connect(
        url.replace("http", "ws", 1) + "/_stcore/stream",
        origin=Origin(url),
        subprotocols=[Subprotocol("streamlit")],
        additional_headers={"Cookie": cookie} if cookie else None,
        max_size=None,
    )


def visit(url: str, page: str = "", cookie: str = "") -> Screen:
    """Open the page's address in a new tab and return what its first run draws."""
    message = BackMsg()
    message.rerun_script.page_name = page
    message.rerun_script.query_string = ""
    message.rerun_script.context_info.timezone = "Asia/Shanghai"
    message.rerun_script.context_info.url = f"{url}/{page}"
    screen = Screen()
    with open_websocket(url, cookie) as websocket:
        websocket.send(message.SerializeToString())
        while True:
            received = websocket.recv(timeout=60)
            assert isinstance(received, bytes)
            answer = ForwardMsg.FromString(received)
            kind = answer.WhichOneof("type")
            if kind == "delta" and answer.delta.WhichOneof("type") == "new_element":
                _note(screen, answer.delta.new_element)
            elif kind == "navigation":
                screen.pages = [entry.url_pathname for entry in answer.navigation.app_pages]
            elif kind == "page_not_found":
                screen.page_not_found = True
            elif kind == "script_finished" and answer.script_finished in FINISHED:
                return screen


def _note(screen: Screen, element: Any) -> None:
    drawn = getattr(element, str(element.WhichOneof("type")))
    screen.elements.append(drawn)
    for name in ("body", "label"):
        if isinstance(text := getattr(drawn, name, None), str) and text:
            screen.texts.append(text)
    if isinstance(name := getattr(drawn, "id", None), str) and name:
        screen.keys.append(name.rsplit("-", 1)[-1])

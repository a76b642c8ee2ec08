"""A browser's part of a visit, and no more: asks for runs and times them to their end.

No threads and no event loop, so that the waiting costs next to nothing. Like a browser it offers
compression; the server decides.
"""

import json
import socket
import time
from collections.abc import Iterator
from typing import Any, Self
from urllib.parse import urlsplit

from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.Navigation_pb2 import Navigation
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.typing import Origin, Subprotocol
from websockets.uri import parse_uri

PATIENCE_SECONDS = 60
READ_BYTES = 1 << 18
DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)


class Broken(Exception):
    """A page showed an exception, an error or another page: its time would mean nothing."""


class Visitor:
    """One tab on one page, signed in by its cookie or not."""

    def __init__(self, url: str, page: str = "", cookie: str = "") -> None:
        self.url, self.page = url, page
        self.pages: list[str] = []
        self.drawn: set[str] = set()  # The kinds of elements of the last run.
        self._page_hash = ""
        self._typed: dict[str, str] = {}
        self._components: set[str] = set()
        self._boxes: dict[str, list[str]] = {}  # The options of select boxes, by their ids.
        self._tables: set[str] = set()
        self._chosen: dict[str, str] = {}
        self._socket = _connect(url)
        self._protocol = _open(self._socket, url, cookie)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def run(self) -> float:
        """Have the page run; return the seconds to its end. Broken if it went wrong."""
        wish = self._wish()
        started = time.perf_counter()
        self._protocol.send_binary(wish)
        self._flush()
        self.drawn.clear()
        answers = list(self._answers())
        seconds = time.perf_counter() - started
        self._check(answers)
        return seconds

    def type(self, key: str, text: str) -> None:
        """Have a field of ours that sends while one types hold this, in every run from now on."""
        number = next(one for one in self._components if one.endswith(f"-{key}"))
        self._typed[number] = json.dumps({"typed": text})
        self.run()

    def choose(self, key: str, number: int) -> None:
        """Have a select box that was drawn stand at one of its options from the next run on."""
        box = next((box for box in self._boxes if box.endswith(f"-{key}")), None)
        if box is None:
            raise Broken(f"{self.page}: there is no {key}")
        self._chosen[box] = self._boxes[box][number]

    def pick(self, key: str, row: int) -> None:
        """Have a row of a table that was drawn chosen in every run from now on."""
        table = next((one for one in self._tables if f"-{key}" in one), None)
        if table is None:
            raise Broken(f"{self.page}: there is no {key}")
        self._chosen[table] = json.dumps({"selection": {"rows": [row], "columns": [], "cells": []}})

    def _wish(self) -> bytes:
        message = BackMsg()
        rerun = message.rerun_script
        if self._page_hash:
            rerun.page_script_hash = self._page_hash
        else:
            rerun.page_name = self.page
        rerun.query_string = ""
        for number, value in self._typed.items():
            rerun.widget_states.widgets.add(id=number, json_value=value)
        rerun.context_info.timezone = "Asia/Shanghai"
        rerun.context_info.locale = "zh-CN"
        rerun.context_info.url = f"{self.url}/{self.page}"
        for box, option in self._chosen.items():
            rerun.widget_states.widgets.add(id=box, string_value=option)
        return message.SerializeToString()

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._socket.sendall(data)

    def _answers(self) -> Iterator[ForwardMsg]:
        """Everything the server sends until the run has ended."""
        parts: list[bytes] = []
        while True:
            self._protocol.receive_data(self._socket.recv(READ_BYTES))
            self._flush()  # Answers to pings.
            for frame in self._protocol.events_received():
                if not isinstance(frame, Frame) or frame.opcode not in DATA:
                    continue
                parts.append(bytes(frame.data))
                if not frame.fin:
                    continue
                answer = ForwardMsg.FromString(b"".join(parts))
                parts.clear()
                yield answer
                if answer.WhichOneof("type") == "script_finished":
                    if answer.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                        continue  # The page went on to another run, which counts too.
                    return
            if self._protocol.state is not State.OPEN:
                raise Broken(f"{self.page}: the server hung up")

    def _check(self, answers: list[ForwardMsg]) -> None:
        for answer in answers:
            match answer.WhichOneof("type"):
                case "navigation":
                    self._check_navigation(answer.navigation)
                case "page_not_found":
                    raise Broken(f"{self.page}: page not found")
                case "script_finished":
                    if answer.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                        raise Broken(f"{self.page}: does not compile")
                case "delta" if answer.delta.WhichOneof("type") == "new_element":
                    self._check_element(answer.delta.new_element)

    def _check_navigation(self, navigation: Navigation) -> None:
        self._page_hash = navigation.page_script_hash
        addresses = {entry.page_script_hash: entry.url_pathname for entry in navigation.app_pages}
        self.pages = list(addresses.values())
        opened = addresses.get(self._page_hash)
        if self.page and opened != self.page:
            raise Broken(f"{self.page}: {opened} opened instead")

    def _check_element(self, element: Any) -> None:  # noqa: ANN401 - a protobuf message
        self.drawn.add(element.WhichOneof("type"))
        if element.WhichOneof("type") == "bidi_component":
            self._components.add(element.bidi_component.id)
        if element.WhichOneof("type") == "exception":
            raise Broken(f"{self.page}: {element.exception.type} {element.exception.message}")
        if element.WhichOneof("type") == "alert" and element.alert.format == Alert.ERROR:
            raise Broken(f"{self.page}: {element.alert.body}")
        if element.WhichOneof("type") == "dataframe":
            self._tables.add(element.dataframe.id)
        if element.WhichOneof("type") == "selectbox":
            self._boxes[element.selectbox.id] = list(element.selectbox.options)


def _connect(url: str) -> socket.socket:
    address = urlsplit(url)
    connection = socket.create_connection(
        (address.hostname or "", address.port or 80), PATIENCE_SECONDS
    )
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _open(connection: socket.socket, url: str, cookie: str) -> ClientProtocol:
    """Shake hands; return the protocol that turns bytes into frames and back."""
    protocol = ClientProtocol(
        parse_uri(url.replace("http", "ws", 1) + "/_stcore/stream"),
        origin=Origin(url),
        subprotocols=[Subprotocol("streamlit")],
        extensions=[ClientPerMessageDeflateFactory(client_max_window_bits=True)],
        max_size=None,
    )
    request = protocol.connect()
    if cookie:
        request.headers["Cookie"] = cookie
    protocol.send_request(request)
    connection.sendall(b"".join(protocol.data_to_send()))
    while protocol.state is State.CONNECTING:
        protocol.receive_data(connection.recv(READ_BYTES))
        if protocol.handshake_exc is not None:
            raise Broken(f"{url}: {protocol.handshake_exc}")
    protocol.events_received()
    return protocol

"""Watches every log record of the run, the servers' logs and the audit's details for people.

Our logs are English and hold ids only. So anything Chinese is a name, an address or a note, and
so is any number that looks like a phone or a resident id, whichever way it was written.
"""

import logging
import re
import traceback
from collections.abc import Callable
from typing import Any

from sqlalchemy import event

from data.history import AuditEvent

PERSONAL = re.compile(
    r"[\u3400-\u9fff]"  # A name, an address, a note of the cast or the demo ...
    r"|\\u[4-9][0-9a-f]{3}"  # ... as JSON writes it,
    r"|\\xe[4-9]\\x[89ab][0-9a-f]"  # as bytes are shown,
    r"|%E[4-9]%[89AB][0-9A-F]"  # as an address carries it.
    r"|(?<![\w.])(?:\+?86)?1[3-9]\d{9}(?![\w.])"  # A phone,
    r"|(?<!\w)\d{17}[\dXx](?!\w)"  # a resident id.
)
# In an audit row's detail; but what a city's settings and the catalogue say is public anyway.
CODE = re.compile(r"[A-Za-z0-9_.:-]{0,40}")
PUBLIC_WORDS = {"change_item", "change_city_settings"}
found: list[str] = []


def personal_in(text: str) -> list[str]:
    """The lines of a log that tell of a person."""
    return [line for line in text.splitlines() if PERSONAL.search(line)]


def install() -> None:
    """Look at every record when it is made, whatever logger, level or handler it is for."""
    made = logging.getLogRecordFactory()
    logging.setLogRecordFactory(lambda *given, **named: _looked_at(made, *given, **named))
    event.listen(AuditEvent, "before_insert", _look_at_detail)


def only_codes(detail: object) -> bool:
    """Numbers, short codes, and lists and tables of them."""
    match detail:
        case dict():
            return all(map(only_codes, detail)) and all(map(only_codes, detail.values()))
        case list() | tuple():
            return all(map(only_codes, detail))
        case str():
            return CODE.fullmatch(detail) is not None and not PERSONAL.search(detail)
        case _:
            return detail is None or isinstance(detail, int)


def _look_at_detail(_mapper: object, _connection: object, row: AuditEvent) -> None:
    if row.action not in PUBLIC_WORDS and not only_codes(row.detail):
        found.append(f"audit {row.action}: {row.detail}")


def _looked_at(
    made: Callable[..., logging.LogRecord], *given: Any, **named: Any
) -> logging.LogRecord:
    record = made(*given, **named)
    found.extend(f"{record.name}: {line}" for line in personal_in(_written(record)))
    return record


def _written(record: logging.LogRecord) -> str:
    """The message and what the exceptions behind it say; lines of source are no log's fault."""
    written = record.getMessage()
    if record.exc_info and record.exc_info[1] is not None:
        told = traceback.TracebackException.from_exception(record.exc_info[1], lookup_lines=False)
        while told is not None:
            written += "\n" + "\n".join(told.format_exception_only())
            told = told.__cause__ or told.__context__
    return written

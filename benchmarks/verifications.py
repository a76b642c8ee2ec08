"""How long the reviewers' page takes with 50,000 cases waiting, against Streamlit's empty page."""

import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select

from benchmarks import databases, pages, servers
from benchmarks.table import Row
from benchmarks.visitor import Visitor
from data import database
from data.accounts import Account, Role
from data.sealing import keyed_hash, seal
from data.verifications import CaseKind, CaseStatus, VerificationCase
from services import clock
from services.demo.nantong import CITY

CASES = 50_000
CHUNK = 5_000


def measure(folder: Path) -> Iterator[Row]:
    """The queue as the demo's operator opens it, and the empty page, in turn."""
    url = databases.small_demo(f"sqlite:///{folder / 'cases'}.db", _fill)
    with (
        databases.at(url),
        servers.ours(folder, url) as ours,
        servers.stock(folder, "empty") as stock,
        Visitor(stock) as peer,
        Visitor(ours.url, "verifications", servers.cookie_of(Role.OPERATOR)) as visitor,
    ):
        yield pages.row(f"page verifications, {CASES:,} waiting", visitor, peer)


def _fill() -> None:
    """A person and a case each, one after the other over a year."""
    now = clock.now()
    with database.engine().execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
        first = (connection.scalar(select(func.max(Account.id))) or 0) + 1
        for begin in range(first, first + CASES, CHUNK):
            numbers = range(begin, begin + CHUNK)
            people = [_person(number, now) for number in numbers]
            cases = [_case(number, now, number - first) for number in numbers]
            connection.execute(insert(Account), people)
            connection.execute(insert(VerificationCase), cases)


def _person(number: int, now: datetime) -> dict[str, Any]:
    sealed_id = secrets.token_hex(16)
    return {
        "id": number,
        "created_at": now,
        "name": "林晓燕",
        "sealed_id": sealed_id,
        "phone_sealed": seal(b"+8617800000000", f"accounts|phone_sealed|{sealed_id}"),
        "phone_hash": keyed_hash("benchmark", str(number)),
        "phone_tail_hash": keyed_hash("benchmark", str(number % 10_000)),
        "city_code": CITY,
        "version": 1,
    }


def _case(number: int, now: datetime, place: int) -> dict[str, Any]:
    sealed_id = secrets.token_hex(16)
    handed_in = now - timedelta(days=365) * (1 - place / CASES)
    return {
        "created_at": handed_in,
        "account_id": number,
        "kind": CaseKind.CUSTOMER if number % 10 else CaseKind.CAREGIVER,
        "status": CaseStatus.SUBMITTED,
        "city_code": CITY,
        "sealed_id": sealed_id,
        "legal_name_sealed": _sealed("legal_name", "林晓燕", sealed_id),
        "id_number_sealed": _sealed("id_number", "990000198005010021", sealed_id),
        "id_number_hash": keyed_hash("benchmark", f"case {number}"),
        "submitted_at": handed_in,
        "version": 1,
    }


def _sealed(column: str, words: str, sealed_id: str) -> bytes:
    return seal(words.encode(), f"verification_cases|{column}_sealed|{sealed_id}")

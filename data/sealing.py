"""Sealed columns: personal details that are stored encrypted and bound to their row.

AES-256-GCM. The associated data is table, column and the row's random sealed_id, so a
ciphertext moved to another row or column does not open. The id of the key is stored with it
and chooses the key: one seals and opens, former ones only open what has not been sealed anew.

Left in the clear, because the app searches or counts by them: names of accounts and recipients,
birth dates, sex, district and map cell. Words people write for others to read (a caregiver's
profile, wishes, reviews, visit reports, reasons) are no sealed columns either; erasure blanks them.
"""

import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self, overload

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

_NONCE_BYTES = 12
ID_BYTES = 4
_SHORTEST = 32
# In place of a key: the one derived from CAREPILOT_SECRET, which seals while no other is given.
DERIVED = "derived"
_DEMO_KEY_FILE = Path(__file__).parent.parent / "var" / "demo_secret"


class CannotOpen(Exception):
    """The key is wrong, or the ciphertext does not belong to this row."""


class MissingSecret(Exception):
    """A secret of the environment is missing or too short; the words name it, never its value."""


@cache
def secret() -> bytes:
    """The master secret: from the environment; in demo mode made once under var/."""
    given = os.environ.get("CAREPILOT_SECRET", "")
    if len(given) >= _SHORTEST:
        return given.encode()
    if given or os.environ.get("CAREPILOT_MODE", "demo") != "demo":
        raise MissingSecret(f"CAREPILOT_SECRET must be set to at least {_SHORTEST} characters")
    return _demo_secret()


def _demo_secret() -> bytes:
    _DEMO_KEY_FILE.parent.mkdir(parents=True, exist_ok=True)
    # Server and worker may both come first: link() lets exactly one of them win.
    if not _DEMO_KEY_FILE.exists():
        draft = _DEMO_KEY_FILE.with_suffix(f".{os.getpid()}")
        draft.write_text(secrets.token_urlsafe(32))
        draft.chmod(0o600)
        with suppress(FileExistsError):  # Then the other process's secret is the one to use.
            os.link(draft, _DEMO_KEY_FILE)
        draft.unlink()
    return _DEMO_KEY_FILE.read_bytes()


@cache
def derived_key(purpose: str) -> bytes:
    """A 32-byte key for one purpose (HKDF-SHA256, RFC 5869)."""
    return HKDF(SHA256(), 32, salt=b"carepilot", info=purpose.encode()).derive(secret())


def keyed_hash(purpose: str, text: str) -> str:
    """A search key for a sealed value: the same text gives the same 64 hex digits."""
    return hmac.new(derived_key(purpose), text.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class _Ring:
    """The ciphers by the id of their key; `current` seals."""

    current: bytes
    ciphers: dict[bytes, AESGCM]


@cache
def ring() -> _Ring:
    """The sealing keys of the environment, read once; MissingSecret if one is too short."""
    given = os.environ.get("CAREPILOT_SEALING_KEY") or DERIVED
    former = os.environ.get("CAREPILOT_OLD_SEALING_KEYS", "").split(",")
    current = _sealing_key("CAREPILOT_SEALING_KEY", given)
    keys = [current] + [
        _sealing_key("CAREPILOT_OLD_SEALING_KEYS", word.strip()) for word in former if word.strip()
    ]
    return _Ring(_key_id(current), {_key_id(key): AESGCM(key) for key in keys})


def _sealing_key(variable: str, given: str) -> bytes:
    if given == DERIVED:
        return derived_key("sealed columns")
    if len(given) < _SHORTEST:
        raise MissingSecret(f"A key in {variable} must have at least {_SHORTEST} characters")
    return HKDF(SHA256(), 32, salt=b"carepilot", info=b"sealing key").derive(given.encode())


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()[:ID_BYTES]


def seal(plain: bytes, bound_to: str) -> bytes:
    """Encrypt: 4 bytes key id, 12 bytes nonce, then ciphertext with its tag."""
    key_id = ring().current
    nonce = os.urandom(_NONCE_BYTES)
    return key_id + nonce + ring().ciphers[key_id].encrypt(nonce, plain, bound_to.encode())


def open_sealed(blob: bytes, bound_to: str) -> bytes:
    """Decrypt what `seal` made for the same row and column."""
    cipher = ring().ciphers.get(blob[:ID_BYTES])
    if cipher is None:
        raise CannotOpen("Sealed with another key")
    nonce, ciphertext = blob[ID_BYTES:][:_NONCE_BYTES], blob[ID_BYTES + _NONCE_BYTES :]
    try:
        return cipher.decrypt(nonce, ciphertext, bound_to.encode())
    except (InvalidTag, ValueError):
        raise CannotOpen(f"Not sealed for {bound_to.split('|')[0]}") from None


def is_current(blob: bytes) -> bool:
    """Whether a value is under the key that seals now."""
    return blob[:ID_BYTES] == ring().current


def reseal(blob: bytes, table: str, column: str, sealed_id: str) -> bytes:
    """The same value of the same row, under the current key."""
    bound_to = place(table, column, sealed_id)
    return seal(open_sealed(blob, bound_to), bound_to)


def place(table: str, column: str, sealed_id: str) -> str:
    """What a value is bound to."""
    return f"{table}|{column}|{sealed_id}"


class SealedRow:
    """A row that has sealed columns; its random id exists before the insert."""

    sealed_id: Mapped[str] = mapped_column(String(32), default=lambda: secrets.token_hex(16))


def sealed_bytes() -> Any:  # noqa: ANN401 - mapped_column fits any Mapped annotation
    """The one column type that sealed attributes are stored in."""
    return mapped_column(LargeBinary)


class SealedBytes:
    """A bytes attribute of a SealedRow: sealed when set, opened when read."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.column = f"{name}_sealed"

    @overload
    def __get__(self, row: None, owner: type) -> Self: ...
    @overload
    def __get__(self, row: Any, owner: type) -> bytes: ...  # noqa: ANN401
    def __get__(self, row: Any, owner: type) -> "Self | bytes":
        return self if row is None else _opened(row, self.column)

    def __set__(self, row: Any, plain: bytes) -> None:  # noqa: ANN401
        _seal_into(row, self.column, plain)


class Sealed:
    """A text attribute of a SealedRow: sealed when set, opened when read."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.column = f"{name}_sealed"

    @overload
    def __get__(self, row: None, owner: type) -> Self: ...
    @overload
    def __get__(self, row: Any, owner: type) -> str: ...  # noqa: ANN401
    def __get__(self, row: Any, owner: type) -> "Self | str":
        return self if row is None else _opened(row, self.column).decode()

    def __set__(self, row: Any, text: str) -> None:  # noqa: ANN401
        _seal_into(row, self.column, text.encode())


def _opened(row: Any, column: str) -> bytes:  # noqa: ANN401
    blob = getattr(row, column)
    return open_sealed(blob, _bound_to(row, column)) if blob else b""


def _seal_into(row: Any, column: str, plain: bytes) -> None:  # noqa: ANN401
    if row.sealed_id is None:
        row.sealed_id = secrets.token_hex(16)
    setattr(row, column, seal(plain, _bound_to(row, column)) if plain else None)


def _bound_to(row: Any, column: str) -> str:  # noqa: ANN401
    return place(row.__tablename__, column, row.sealed_id)

"""Sealed columns: personal details that are stored encrypted and bound to their row.

AES-256-GCM. The associated data is table, column and the row's random sealed_id, so a
ciphertext moved to another row or column does not open. The id of the key is stored with it.
"""

import hashlib
import hmac
import os
import secrets
from contextlib import suppress
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
_DEMO_KEY_FILE = Path(__file__).parent.parent / "var" / "demo_secret"


class CannotOpen(Exception):
    """The key is wrong, or the ciphertext does not belong to this row."""


class MissingSecret(Exception):
    """CAREPILOT_SECRET is missing or too short, and this is not a demo."""


@cache
def secret() -> bytes:
    """The master secret: from the environment; in demo mode made once under var/."""
    given = os.environ.get("CAREPILOT_SECRET", "")
    if len(given) >= 32:
        return given.encode()
    if given or os.environ.get("CAREPILOT_MODE", "demo") != "demo":
        raise MissingSecret("CAREPILOT_SECRET must be set to at least 32 characters")
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


@cache
def _cipher() -> tuple[bytes, AESGCM]:
    key = derived_key("sealed columns")
    return hashlib.sha256(key).digest()[:4], AESGCM(key)


def seal(plain: bytes, bound_to: str) -> bytes:
    """Encrypt: 4 bytes key id, 12 bytes nonce, then ciphertext with its tag."""
    key_id, cipher = _cipher()
    nonce = os.urandom(_NONCE_BYTES)
    return key_id + nonce + cipher.encrypt(nonce, plain, bound_to.encode())


def open_sealed(blob: bytes, bound_to: str) -> bytes:
    """Decrypt what `seal` made for the same row and column."""
    key_id, cipher = _cipher()
    if blob[:4] != key_id:
        raise CannotOpen("Sealed with another key")
    nonce, ciphertext = blob[4 : 4 + _NONCE_BYTES], blob[4 + _NONCE_BYTES :]
    try:
        return cipher.decrypt(nonce, ciphertext, bound_to.encode())
    except InvalidTag:
        raise CannotOpen(f"Not sealed for {bound_to.split('|')[0]}") from None


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
    return f"{row.__tablename__}|{column}|{row.sealed_id}"

"""Name keys: the ways somebody may begin to type a name, stored so that an index finds it.

Characters, pinyin and initials, each from the beginning of the name and of the given name; every
reading of a character that has several. Kept with the name by whoever sets it.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import islice, product
from pathlib import Path
from unicodedata import combining, normalize

from pypinyin import Style, pinyin
from sqlalchemy import ColumnElement, delete, exists, insert, select
from sqlalchemy.orm import Session

from data.accounts import Account, AccountStatus, NameKey
from data.recipients import Recipient
from services import clock

LONGEST = 80
AT_ONCE = 500
# A pasted name of many characters with many readings each must not make thousands of rows.
_MOST_WAYS, _MOST_STARTS = 16, 12
_REFERENCE = Path(__file__).parent.parent / "data" / "reference" / "surnames.toml"
_SURNAMES = tomllib.loads(_REFERENCE.read_text("utf-8"))
# What pinyin writes ü is typed so.
_UMLAUT = ("v", "u", "yu")
_LAST_SIGN = "\U0010ffff"
_CHARACTER = r"\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
# One character; a word of letters; a number; signs.
_RUNS = re.compile(rf"[{_CHARACTER}]|[^\W\d_{_CHARACTER}]+|\d+|[^\w\s]+|_+")
Unit = tuple[str, tuple[str, ...]]


def of(name: str) -> set[str]:
    """Every key of a name."""
    units = _units(name)
    texts = [text for text, _ in units]
    found = {"".join(texts[start:]) for start in range(min(len(units), _MOST_STARTS))}
    for start in _starts(units):
        for way in _ways(units[start:]):
            found.add("".join(way))
            found.add("".join(one[0] for one in way))
            if start == 0:  # The family name in full, the given name in short.
                family = 2 if _is_double(units) else 1
                found.add("".join((*way[:family], *(one[0] for one in way[family:]))))
    return {key[:LONGEST] for key in found if key}


def begin_with(beginning: str) -> ColumnElement[bool]:
    """The condition that a key begins so; an index answers it."""
    return (NameKey.key >= beginning) & (NameKey.key < beginning + _LAST_SIGN)


def plain(text: str) -> str:
    """A name as keys have it: small letters, no spaces."""
    return "".join(text.lower().split())[:LONGEST]


def keep(session: Session, account: Account) -> None:
    """Write the keys of an account's name and of those it cares for anew."""
    session.flush()
    account_id, name = account.id, account.name
    forget(session, [account_id])
    cared_for = session.execute(
        select(Recipient.id, Recipient.name).where(Recipient.customer_id == account_id)
    )
    rows = rows_of(account_id, name, None)
    for recipient_id, recipient_name in cared_for:
        rows += rows_of(account_id, recipient_name, recipient_id)
    if rows:
        session.execute(insert(NameKey), rows)


def rows_of(account_id: int, name: str, recipient_id: int | None) -> list[dict[str, object]]:
    """The rows of one name, for an insert of many."""
    return [
        {
            "created_at": clock.now(),
            "account_id": account_id,
            "recipient_id": recipient_id,
            "key": key,
        }
        for key in sorted(of(name))
    ]


def forget(session: Session, account_ids: Sequence[int]) -> None:
    """Nobody is found by these names any more."""
    session.execute(delete(NameKey).where(NameKey.account_id.in_(account_ids)))


def fill(session: Session) -> int:
    """Write the keys of accounts that have none, from before there were any; return how many."""
    without = session.scalars(
        select(Account)
        .where(
            Account.status.not_in((AccountStatus.MERGED, AccountStatus.ERASED)),
            ~exists().where(NameKey.account_id == Account.id),
        )
        .order_by(Account.id)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True, of=Account)
    ).all()
    for account in without:
        keep(session, account)
    return len(without)


def beginnings(typed: str) -> list[str]:
    """What was typed as keys begin; where characters and letters are mixed, as letters too."""
    found = [plain(typed)]
    units = _units(typed)
    read = [bool(_reading_of(text)) for text, _ in units]
    if any(read) and not all(read):
        of_characters = [has for has, (_, ways) in zip(read, units, strict=True) if ways]
        for way in _ways(units):
            found.append("".join(way)[:LONGEST])
            short = (one[0] if has else one for one, has in zip(way, of_characters, strict=True))
            found.append("".join(short)[:LONGEST])
    return [one for one in dict.fromkeys(found) if one]


def _units(name: str) -> list[Unit]:
    """The characters and words of a name, each with its readings; a rare one may have none."""
    found: list[Unit] = []
    for run in _RUNS.findall(name.lower()):
        found.append((run, _reading_of(run) or _as_typed(run)))
    if found and len(found) > 1 and (double := _SURNAMES["two"].get(found[0][0] + found[1][0])):
        found[:2] = [(one[0], (way,)) for one, way in zip(found, double, strict=False)]
    elif found and (own := _SURNAMES["one"].get(found[0][0])):
        text, ways = found[0]
        found[0] = (text, tuple(dict.fromkeys((own, *ways))))
    return found


@cache
def _reading_of(text: str) -> tuple[str, ...]:
    """The readings of one character in letters, none of anything else."""
    if len(text) != 1 or text.isascii():
        return ()
    found = pinyin(text, style=Style.NORMAL, heteronym=True, errors="ignore")
    ways = (way for readings in found for way in readings if way.isascii())
    return tuple(dict.fromkeys(spelt for way in ways for spelt in _spelt(way)))


def _as_typed(run: str) -> tuple[str, ...]:
    """A word or number as it stands, and without its accents."""
    if not run.isalnum() or re.match(f"[{_CHARACTER}]", run):
        return ()
    bare = "".join(sign for sign in normalize("NFKD", run) if not combining(sign))
    return tuple(dict.fromkeys((run, bare or run)))


def _spelt(way: str) -> Iterable[str]:
    return (way.replace("v", one) for one in _UMLAUT) if "v" in way else (way,)


def _starts(units: Sequence[Unit]) -> Sequence[int]:
    """Where the name begins, and where the given name does, after one character or two."""
    starts = (0, 2) if _is_double(units) or len(units) > 3 else (0,)
    return [one for one in sorted({*starts, 1}) if one < len(units)]


def _is_double(units: Sequence[Unit]) -> bool:
    return len(units) > 1 and units[0][0] + units[1][0] in _SURNAMES["two"]


def _ways(units: Sequence[Unit]) -> Iterator[tuple[str, ...]]:
    """Every way to read these, as many as are sensible; what nobody can read is left out."""
    return islice(product(*(ways for _, ways in units if ways)), _MOST_WAYS)

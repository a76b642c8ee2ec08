"""Seal everything anew under the current key: `make rotate-keys`.

Server and worker may run, once both were started with the new key; it can be broken off and begun
again. The former keys stand in CAREPILOT_OLD_SEALING_KEYS until this has ended well.
"""

import sys
from functools import partial

from sqlalchemy import Table

from data import database
from data.sealing import CannotOpen
from services import keys, settings, startup
from services.demo.progress import drawn_on


def main() -> None:
    try:
        settings.check()
        startup.know_the_key()
        total = sum(rotate(table) for table in keys.tables())
    except settings.ConfigurationError as refusal:
        sys.exit(f"rotate-keys: {refusal}")
    except CannotOpen as refusal:
        sys.exit(f"rotate-keys: {refusal}; name every former key in CAREPILOT_OLD_SEALING_KEYS")
    print(f"{total} values sealed anew; everything is under the current key.")


def rotate(table: Table) -> int:
    """Seal one table's values anew, batch by batch, and show how far that is."""
    with database.reading() as session:
        rows = keys.left(session, table)
    progress = drawn_on(sys.stderr, f"{table.name}: {rows} rows")
    after, done, total = 0, 0, 0
    while True:
        batch = database.transact(partial(keys.reseal, table=table, after=after))
        if batch.last is None:
            return total
        after, done, total = batch.last, min(rows, done + keys.BATCH), total + batch.resealed
        progress(done, rows)


if __name__ == "__main__":
    main()

"""Walk the audit chain: `make audit-verify`. Exit code 1 names the first broken row."""

import sys

from data import database
from services import audit, clock


def main() -> int:
    with database.reading() as session:
        verdict = audit.verify(session)
    print(f"{verdict.sealed} sealed events, head {verdict.head}")
    if verdict.unsealed_since is None:
        print("No event waits to be sealed.")
    else:
        minutes = (clock.now() - verdict.unsealed_since).total_seconds() / 60
        print(f"{verdict.unsealed} events wait to be sealed, the oldest for {minutes:.0f} minutes.")
    if verdict.first_broken_id is not None:
        print(f"BROKEN at the row with id {verdict.first_broken_id} of audit_events.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Rebuild the demo database: `make demo`. Refuses to touch one that holds anything else."""

import sys

from sqlalchemy import select

from data import database
from data.cities import City
from services import settings, startup


def main() -> None:
    if not settings.settings().demo:
        sys.exit("make demo: CAREPILOT_MODE is not demo")
    database.upgrade()
    with database.reading() as session:
        if session.scalar(select(City.id).where(~City.synthetic).limit(1)) is not None:
            sys.exit("make demo: this database holds a real city; it stays as it is")
    database.downgrade()
    database.upgrade()
    startup.stage_demo()
    print("The demo city is ready.")  # noqa: T201 - a program for the terminal


if __name__ == "__main__":
    main()

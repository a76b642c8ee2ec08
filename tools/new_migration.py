"""Write a draft migration from what the models say: python -m tools.new_migration "add x"."""

import sys

from alembic import command

from data import database


def main() -> None:
    with database.engine().connect() as connection:
        config = database.migrations()
        config.attributes["connection"] = connection
        command.revision(config, message=sys.argv[1], autogenerate=True)


if __name__ == "__main__":
    main()

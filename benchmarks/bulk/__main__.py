"""Add orders to a freshly staged demo: `python -m benchmarks.bulk 20000`."""

import sys

from benchmarks import bulk


def main(arguments: list[str]) -> int:
    """Fill the database at DATABASE_URL and say so."""
    if len(arguments) > 1 or not all(one.isdecimal() for one in arguments):
        sys.exit("usage: python -m benchmarks.bulk [ORDERS]")
    number = int(arguments[0]) if arguments else bulk.ORDERS
    bulk.fill(number)
    print(f"The demo city has {number} orders more.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

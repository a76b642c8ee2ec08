"""What codes in figures are called."""

from components import formats
from components.formats import WEEKDAYS
from components.i18n import t
from services.analytics.terms import UNKNOWN, Dimension

# Needs are told apart by the first ones, families by the others.
DIMENSIONS = frozenset({*Dimension, "all", "holder_age", "cohort", "district"})


def bucket(dimension: str, code: str) -> str:
    """A bucket of a dimension; those told together ("a|b") one after the other."""
    return formats.listed(_bucket(dimension, one) for one in code.split("|"))


def _bucket(dimension: str, code: str) -> str:
    if code == UNKNOWN:
        return t("figures.unknown")
    match dimension:
        case Dimension.AGE | "holder_age":
            return t(f"age_band.{code}")
        case Dimension.SEX:
            return t(f"sex.{code}")
        case Dimension.CHANNEL:
            return t(f"channel.{code}")
        case Dimension.URGENCY:
            return t(f"urgency.{code}")
        case Dimension.PRICE:
            return t(f"price_level.{code}")
        case Dimension.HOME | "district":
            return formats.district(code)
        case Dimension.HOUR:
            weekday, _, part = code.partition("_")
            return f"{t(f'weekday.{WEEKDAYS[int(weekday)]}')} {t(f'daypart.{part}')}"
    return code


def dayparts(codes: str) -> str:
    """Parts of the day, one or several told together."""
    return formats.listed(t(f"daypart.{one}") for one in codes.split("|"))

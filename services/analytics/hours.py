"""In which hours most is missing: the parts of weekends or working days named in advice."""

from collections import Counter

from services.analytics.signs import City

_DAYS = {"weekend": 2, "weekday": 5}
_FEWEST = 5
_STANDS_OUT = 1.25


def busiest(
    city: City, district: str | None, group: str | None, part: str | None = None
) -> str | None:
    """The hours in which most is missing, as "weekend_morning"; None where none stand out.

    With a part of the day only its days are asked for: "any_morning" where none stand out.
    """
    needs, unmet = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for hours, at, its_group, count, missing in city.by_hour:
        if district in (None, at) and group in (None, its_group):
            needs[hours] += count
            unmet[hours] += missing
    if part is not None:
        return None if "|" in part else _days_of(part, needs)
    if unmet.total() < _FEWEST:
        return None
    hours, missing = max(unmet.items(), key=lambda item: (item[1], item[0]))
    usual = needs[hours] / needs.total()
    return "_".join(hours) if missing / unmet.total() >= usual * _STANDS_OUT else None


def _days_of(part: str, needs: Counter[tuple[str, str]]) -> str:
    """Whether a part of the day is wanted more at weekends or on working days, by the day."""
    weekend, weekday = (needs[days, part] / count for days, count in _DAYS.items())
    if weekend >= weekday * _STANDS_OUT and weekend:
        return f"weekend_{part}"
    return f"weekday_{part}" if weekday >= weekend * _STANDS_OUT and weekday else f"any_{part}"

"""How money, times, places and people are written."""

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache

from components.catalogues import say
from components.i18n import chinese, language, name, t
from services import clock, regions
from services.catalogue import ItemView, Unit

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def plain(typed: str) -> str:
    """People's words inside our own, every sign that Markdown would act on made harmless."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", typed)


def money(fen: int) -> str:
    """¥ 1,234.50; whole yuan without the zeros."""
    yuan, rest = divmod(abs(fen), 100)
    sign = "-" if fen < 0 else ""
    return f"{sign}¥{yuan:,}" + (f".{rest:02d}" if rest else "")


def unit_price(fen: int, unit: Unit) -> str:
    """¥60/小时."""
    return f"{money(fen)}/{t(f'unit.{unit}')}"


def price_range(lowest_fen: int, highest_fen: int, unit: Unit) -> str:
    """¥60–80/小时; one price when both ends are equal."""
    if lowest_fen == highest_fen:
        return unit_price(lowest_fen, unit)
    return f"{money(lowest_fen)}–{unit_price(highest_fen, unit).removeprefix('¥')}"


def total_range(lowest_fen: int, highest_fen: int) -> str:
    """¥120–160; one price when both ends are equal."""
    lowest, highest = money(lowest_fen), money(highest_fen)
    return lowest if lowest == highest else f"{lowest}–{highest.removeprefix('¥')}"


def day(moment: datetime | date) -> str:
    """今天 / 明天 / 11月22日 周日, in city time."""
    on = clock.in_city(moment).date() if isinstance(moment, datetime) else moment
    return _day(on, clock.today(), language())


@lru_cache(1000)
def _day(on: date, today: date, language: str) -> str:
    weekday = say(language, f"weekday.{WEEKDAYS[on.weekday()]}")
    dated = "time.date" if on.year == today.year else "time.date_and_year"
    written = say(language, dated, on=on, weekday=weekday)
    near = {0: "time.today", 1: "time.tomorrow", -1: "time.yesterday"}
    if key := near.get((on - today).days):
        return f"{say(language, key)} · {written}"
    return written


def date_alone(on: datetime | date) -> str:
    """11月22日 周日, whether near or not."""
    return t("time.date", on=on, weekday=t(f"weekday.{WEEKDAYS[on.weekday()]}"))


def day_in_short(on: date) -> str:
    """今天 周日 / 11月22日 周日, where space is short."""
    near, _, rest = day(on).partition(" · ")
    return f"{near} {t(f'weekday.{WEEKDAYS[on.weekday()]}')}" if rest else near


def soon(at: datetime) -> str:
    """今天 10:00 / 11月22日 周日 10:00, where space is short."""
    near, _, rest = day(at).partition(" · ")
    return f"{near} {time_of_day(at)}" if rest else moment(at)


def time_of_day(moment: datetime) -> str:
    return f"{clock.in_city(moment):%H:%M}"


def span(starts_at: datetime, ends_at: datetime) -> str:
    """明天 · 11月23日 周一 09:00–12:00; the end's day only if it differs."""
    return _span(starts_at, ends_at, clock.today(), language())


@lru_cache(2000)
def _span(starts_at: datetime, ends_at: datetime, today: date, language: str) -> str:
    begins, ends = clock.in_city(starts_at), clock.in_city(ends_at)
    written = f"{_day(begins.date(), today, language)} {begins:%H:%M}"
    if begins.date() == ends.date():
        return f"{written}–{ends:%H:%M}"
    return f"{written} – {_day(ends.date(), today, language)} {ends:%H:%M}"


def moment(at: datetime) -> str:
    return f"{day(at)} {time_of_day(at)}"


def ago(at: datetime) -> str:
    """3 分钟前, 2 小时后: how far a moment is from now."""
    apart = clock.now() - at
    past = apart >= timedelta()
    seconds = abs(apart.total_seconds())
    if seconds < 60:
        return t("time.just_now")
    for size, word in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= size:
            return t(f"time.{word}_{'ago' if past else 'ahead'}", count=int(seconds // size))
    raise AssertionError("unreachable")


def district(code: str) -> str:
    return name(regions.region(code))


def city(code: str) -> str:
    return name(regions.region(code))


def about(item: ItemView) -> str:
    return item.about_zh if chinese() else item.about_en


def tasks(item: ItemView) -> tuple[str, ...]:
    return item.tasks_zh if chinese() else item.tasks_en


def amount(units: int, unit: Unit) -> str:
    """3 小时."""
    return t(f"amount.{unit}", units=units)


def listed(words: Iterable[str]) -> str:
    """甲、乙、丙."""
    return ("、" if chinese() else ", ").join(words)


def hour_minute(minutes: int) -> str:
    """Minutes from midnight as a clock shows them."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"

"""What is said outside the app: words by event, audience and channel, in both languages."""

import tomllib
from datetime import datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import data
from data.notices import NoticeKind, OutboxChannel
from services import clock

_FOLDER = Path(data.__file__).parent / "reference" / "phrases"
LANGUAGES = tuple(sorted(file.stem for file in _FOLDER.glob("*.toml")))
DEFAULT = "zh_CN"
# WeChat cuts a field of a template message after so many characters.
WECHAT_FIELD = 20


class Audience(StrEnum):
    """For whom something is said; the words for anybody serve all of them."""

    CUSTOMER = "customer"
    CAREGIVER = "caregiver"
    OPERATOR = "operator"
    ANYBODY = "anybody"


def say(
    language: str, audience: Audience, channel: OutboxChannel, kind: NoticeKind, **blanks: object
) -> str | None:
    """The words for an event on a channel; None where the channel is not used for it."""
    words = _words(language, audience, channel).get(kind)
    if words is None and audience is not Audience.ANYBODY:
        words = _words(language, Audience.ANYBODY, channel).get(kind)
    return None if words is None else words.format(**blanks)


def kinds(audience: Audience, channel: OutboxChannel) -> frozenset[str]:
    """The events somebody is told of on a channel."""
    own, shared = (_words(DEFAULT, one, channel) for one in (audience, Audience.ANYBODY))
    return frozenset(own) | frozenset(shared)


def moment(language: str, at: datetime) -> str:
    """A moment by the clocks of the city, short enough for a text."""
    return _dated("moment", language, at)


def day(language: str, at: datetime) -> str:
    """The day of a moment in the city, short enough for a text."""
    return _dated("day", language, at)


def stamp(language: str, at: datetime) -> str:
    """A moment as WeChat takes it in a field for times: in Chinese, whatever the language."""
    return _dated("stamp", language, at)


def _dated(word: str, language: str, at: datetime) -> str:
    local, words = clock.in_city(at), catalogue(language)["words"]
    return words[word].format(on=local, weekday=words["weekdays"][local.weekday()])


def hint(language: str, audience: Audience) -> str:
    """What a template message says to do next."""
    return catalogue(language)["hints"]["wechat"].get(audience, "")


def audiences(kind: NoticeKind) -> tuple[Audience, ...]:
    """Who is told of an event outside the app, by whichever channel."""
    return tuple(
        one
        for one in Audience
        if any(kind in _words(DEFAULT, one, channel) for channel in OutboxChannel)
    )


@cache
def catalogue(language: str) -> dict[str, Any]:
    """All the words of a language, as its file has them."""
    known = language if language in LANGUAGES else DEFAULT
    return tomllib.loads((_FOLDER / f"{known}.toml").read_text("utf-8"))


def _words(language: str, audience: Audience, channel: OutboxChannel) -> dict[str, str]:
    return catalogue(language).get(audience, {}).get(channel, {})

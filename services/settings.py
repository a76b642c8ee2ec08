"""What an operator of the server sets through the environment."""

import os
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from data import sealing

_Choice = TypeVar("_Choice", bound=StrEnum)


class Mode(StrEnum):
    DEMO = "demo"
    PRODUCTION = "production"


class ConfigurationError(Exception):
    """The environment does not say what the app needs; one line tells what."""


class DemoSize(StrEnum):
    """The whole pilot, or one that is quickly staged."""

    FULL = "full"
    SMALL = "small"


@dataclass(frozen=True, slots=True)
class Settings:
    mode: Mode
    demo_size: DemoSize

    @property
    def demo(self) -> bool:
        return self.mode is Mode.DEMO


def settings() -> Settings:
    """The settings as the environment has them now."""
    return Settings(
        mode=_one_of(Mode, "CAREPILOT_MODE", Mode.DEMO),
        demo_size=_one_of(DemoSize, "CAREPILOT_DEMO", DemoSize.FULL),
    )


def _one_of(choices: type[_Choice], name: str, default: _Choice) -> _Choice:
    given = os.environ.get(name, default)
    if given not in list(choices):
        raise ConfigurationError(f"{name} must be one of {', '.join(choices)}")
    return choices(given)


def check() -> None:
    """Refuse to start with an unknown mode or without a secret."""
    settings()
    try:
        sealing.secret()
    except sealing.MissingSecret as missing:
        raise ConfigurationError(str(missing)) from None

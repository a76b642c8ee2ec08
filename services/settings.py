"""What an operator of the server sets through the environment."""

import os
from dataclasses import dataclass
from enum import StrEnum

from data import sealing


class Mode(StrEnum):
    DEMO = "demo"
    PRODUCTION = "production"


class ConfigurationError(Exception):
    """The environment does not say what the app needs; one line tells what."""


@dataclass(frozen=True, slots=True)
class Settings:
    mode: Mode

    @property
    def demo(self) -> bool:
        return self.mode is Mode.DEMO


def settings() -> Settings:
    """The settings as the environment has them now."""
    given = os.environ.get("CAREPILOT_MODE", Mode.DEMO)
    if given not in list(Mode):
        raise ConfigurationError(f"CAREPILOT_MODE must be one of {', '.join(Mode)}")
    return Settings(mode=Mode(given))


def check() -> None:
    """Refuse to start with an unknown mode or without a secret."""
    settings()
    try:
        sealing.secret()
    except sealing.MissingSecret as missing:
        raise ConfigurationError(str(missing)) from None

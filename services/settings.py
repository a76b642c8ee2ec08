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


class OperatorTotp(StrEnum):
    """Whether operators must, or may, sign in with a second factor."""

    REQUIRED = "required"
    OPTIONAL = "optional"


@dataclass(frozen=True, slots=True)
class Settings:
    mode: Mode
    demo_size: DemoSize
    operator_totp: OperatorTotp

    @property
    def demo(self) -> bool:
        return self.mode is Mode.DEMO


def settings() -> Settings:
    """The settings as the environment has them now."""
    mode = _one_of(Mode, "CAREPILOT_MODE", Mode.DEMO)
    totp = OperatorTotp.OPTIONAL if mode is Mode.DEMO else OperatorTotp.REQUIRED
    return Settings(
        mode=mode,
        demo_size=_one_of(DemoSize, "CAREPILOT_DEMO", DemoSize.FULL),
        operator_totp=_one_of(OperatorTotp, "CAREPILOT_OPERATOR_TOTP", totp),
    )


def _one_of(choices: type[_Choice], name: str, default: _Choice) -> _Choice:
    given = os.environ.get(name, default)
    if given not in list(choices):
        raise ConfigurationError(f"{name} must be one of {', '.join(choices)}")
    return choices(given)


def check() -> None:
    """Refuse to start with an unknown mode, without a secret or with a weak sealing key."""
    settings()
    try:
        sealing.secret()
        sealing.ring()
    except sealing.MissingSecret as missing:
        raise ConfigurationError(str(missing)) from None

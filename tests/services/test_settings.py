import pytest

from data import sealing
from services import settings
from services.settings import ConfigurationError


@pytest.fixture
def fresh_secret():
    """Forget the secret before and after: it is read once per process."""
    sealing.secret.cache_clear()
    yield
    sealing.secret.cache_clear()


def test_it_is_a_demo_unless_told_otherwise(monkeypatch):
    monkeypatch.delenv("CAREPILOT_MODE")

    assert settings.settings().demo


def test_production_is_no_demo(monkeypatch):
    monkeypatch.setenv("CAREPILOT_MODE", "production")

    assert not settings.settings().demo
    settings.check()


@pytest.mark.parametrize(
    ("mode", "given", "required"),
    [
        ("demo", None, False),
        ("production", None, True),
        ("demo", "required", True),
        ("production", "optional", False),
    ],
)
def test_operators_need_a_second_factor_in_production(monkeypatch, mode, given, required):
    monkeypatch.setenv("CAREPILOT_MODE", mode)
    if given is not None:
        monkeypatch.setenv("CAREPILOT_OPERATOR_TOTP", given)

    assert (settings.settings().operator_totp is settings.OperatorTotp.REQUIRED) == required


def test_a_second_factor_is_not_half_required(monkeypatch):
    monkeypatch.setenv("CAREPILOT_OPERATOR_TOTP", "maybe")

    with pytest.raises(ConfigurationError, match="CAREPILOT_OPERATOR_TOTP"):
        settings.check()


@pytest.mark.parametrize("mode", ["", "Demo", "test", "prod"])
def test_an_unknown_mode_is_refused(monkeypatch, mode):
    monkeypatch.setenv("CAREPILOT_MODE", mode)

    with pytest.raises(ConfigurationError, match="CAREPILOT_MODE"):
        settings.check()


@pytest.mark.parametrize(
    ("mode", "secret"), [("production", ""), ("production", "short"), ("demo", "short")]
)
def test_a_missing_or_short_secret_is_refused(monkeypatch, fresh_secret, mode, secret):
    monkeypatch.setenv("CAREPILOT_MODE", mode)
    monkeypatch.setenv("CAREPILOT_SECRET", secret)

    with pytest.raises(ConfigurationError, match="CAREPILOT_SECRET"):
        settings.check()


def test_a_demo_makes_a_secret_of_its_own_and_keeps_it(monkeypatch, tmp_path, fresh_secret):
    monkeypatch.setattr(sealing, "_DEMO_KEY_FILE", tmp_path / "var" / "demo_secret")
    monkeypatch.delenv("CAREPILOT_SECRET")
    made = sealing.secret()
    sealing.secret.cache_clear()

    assert len(made) >= 32
    assert sealing.secret() == made
    assert [file.stat().st_mode & 0o777 for file in (tmp_path / "var").iterdir()] == [0o600]

from pathlib import Path

import pytest

from automation.system.errors import ConfigurationError
from sandbox.settings import read_settings


def test_read_settings_without_variables_has_defaults(tmp_path: Path) -> None:
    settings = read_settings(tmp_path, {})

    assert settings.directory == tmp_path / ".sandbox"
    assert (settings.emulator_url, settings.exchange_url) == ("http://127.0.0.1:4566", "http://127.0.0.1:8765")


def test_read_settings_with_variables_uses_them(tmp_path: Path) -> None:
    environ = {
        "ALCHEMISER_EMULATOR_PORT": "5001",
        "ALCHEMISER_EXCHANGE_PORT": "5002",
        "ALCHEMISER_SANDBOX_DIR": "/elsewhere",
    }

    settings = read_settings(tmp_path, environ)

    assert (settings.emulator_port, settings.exchange_port) == (5001, 5002)
    assert settings.directory == Path("/elsewhere")


@pytest.mark.parametrize("port", ["x", "0", "65536", "-1", "4566.0", "\N{SUPERSCRIPT TWO}"])
def test_read_settings_with_a_bad_port_names_the_variable(tmp_path: Path, port: str) -> None:
    with pytest.raises(ConfigurationError, match=r"ALCHEMISER_EXCHANGE_PORT: .* is not a port"):
        read_settings(tmp_path, {"ALCHEMISER_EXCHANGE_PORT": port})


def test_read_settings_with_equal_ports_fails(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot share port 4566"):
        read_settings(tmp_path, {"ALCHEMISER_EXCHANGE_PORT": "4566"})

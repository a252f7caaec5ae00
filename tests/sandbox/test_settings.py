from pathlib import Path

import pytest

from automation.system.errors import ConfigurationError
from sandbox.settings import read_settings


def test_read_settings_of_an_empty_environment_are_the_defaults(tmp_path: Path) -> None:
    settings = read_settings(tmp_path, {})

    assert settings.directory == tmp_path / ".sandbox"
    assert (settings.emulator_url, settings.exchange_url) == ("http://127.0.0.1:4566", "http://127.0.0.1:8765")


def test_read_settings_takes_ports_and_directory_from_the_environment(tmp_path: Path) -> None:
    asked = {
        "ALCHEMISER_EMULATOR_PORT": "5001",
        "ALCHEMISER_EXCHANGE_PORT": "5002",
        "ALCHEMISER_SANDBOX_DIR": "/elsewhere",
    }

    settings = read_settings(tmp_path, asked)

    assert (settings.emulator_port, settings.exchange_port) == (5001, 5002)
    assert settings.directory == Path("/elsewhere")


@pytest.mark.parametrize("port", ["x", "0", "65536", "-1", "4566.0", "\N{SUPERSCRIPT TWO}"])
def test_read_settings_of_what_is_no_port_names_the_variable(tmp_path: Path, port: str) -> None:
    with pytest.raises(ConfigurationError, match=r"ALCHEMISER_EXCHANGE_PORT: .* is not a port"):
        read_settings(tmp_path, {"ALCHEMISER_EXCHANGE_PORT": port})


def test_read_settings_with_one_port_for_both_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot share port 4566"):
        read_settings(tmp_path, {"ALCHEMISER_EXCHANGE_PORT": "4566"})

"""The folder of the sandbox's state and the ports it listens on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from automation.system.errors import ConfigurationError

EMULATOR_PORT_VARIABLE = "ALCHEMISER_EMULATOR_PORT"
EXCHANGE_PORT_VARIABLE = "ALCHEMISER_EXCHANGE_PORT"
DIRECTORY_VARIABLE = "ALCHEMISER_SANDBOX_DIR"


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """One sandbox: the project's folder, the folder of the sandbox's state, and two loopback ports."""

    root: Path
    directory: Path
    emulator_port: int
    exchange_port: int

    @property
    def emulator_url(self) -> str:
        return f"http://127.0.0.1:{self.emulator_port}"

    @property
    def exchange_url(self) -> str:
        return f"http://127.0.0.1:{self.exchange_port}"


def read_settings(root: Path, environ: Mapping[str, str]) -> SandboxSettings:
    """Read the sandbox's settings from environment variables; a relative directory is relative to the project.

    Raises:
        ConfigurationError: a port is not a number from 1 to 65535, or both ports are the same.
    """
    emulator = _port(environ, EMULATOR_PORT_VARIABLE, default=4566)
    exchange = _port(environ, EXCHANGE_PORT_VARIABLE, default=8765)
    if emulator == exchange:
        raise ConfigurationError(
            f"emulator and exchange cannot share port {emulator}; set {EMULATOR_PORT_VARIABLE} or "
            f"{EXCHANGE_PORT_VARIABLE} to another port"
        )
    root = root.resolve()
    return SandboxSettings(root, root / environ.get(DIRECTORY_VARIABLE, ".sandbox"), emulator, exchange)


def _port(environ: Mapping[str, str], variable: str, *, default: int) -> int:
    text = environ.get(variable) or str(default)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise ConfigurationError(f"{text!r} is not a port; set it to a number from 1 to 65535", where=variable)
    return int(text)

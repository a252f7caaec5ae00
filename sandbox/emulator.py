"""The AWS emulator as a server: its command, its isolated environment, its folders."""

from pathlib import Path

from automation.system import files, tools
from sandbox import launcher, servers
from sandbox.servers import Server
from sandbox.settings import EMULATOR_PORT_VARIABLE, SandboxSettings

NAME = "AWS emulator"


def emulator_server(settings: SandboxSettings) -> Server:
    """Return the server that `servers.start` takes; its tool environments may not exist yet."""
    home = settings.directory / "emulator"
    toolbox = settings.root / ".tools"

    return Server(
        name=NAME,
        command=(
            str(toolbox / "emulator" / "bin" / "python"),
            str(Path(launcher.__file__).resolve()),
            str(toolbox / "runtime" / "bin" / "python"),
            str(settings.directory / "layers"),
        ),
        environment=_environment(settings, home),
        port=settings.emulator_port,
        port_variable=EMULATOR_PORT_VARIABLE,
        ready_path="/_ministack/ready",
        record=home / "process.json",
        log=settings.directory / "logs" / "emulator.log",
    )


def start(settings: SandboxSettings) -> int:
    """Create its tool environments if they are missing, then start it with the state of its last run; return its pid.

    Raises:
        ToolError: its port is in use, its tools cannot be installed, or it does not start.
    """
    servers.require_free_port(emulator_server(settings))
    for name in ("emulator", "runtime"):
        tools.ensure(name, root=settings.root)
    files.remove(_scratch(settings))
    for folder in ("emulator/tmp", "emulator/state", "emulator/s3", "emulator/home", "layers"):
        (settings.directory / folder).mkdir(parents=True, exist_ok=True)
    return servers.start(emulator_server(settings))


def stop(settings: SandboxSettings) -> bool:
    """Stop it and remove its scratch folder, where workers leave folders; return False when it was not running."""
    stopped = servers.stop(emulator_server(settings))
    files.remove(_scratch(settings))
    return stopped


def delete_state(settings: SandboxSettings) -> None:
    """Delete all its state; it must not be running. Unpacked layers stay: their names are digests of their content."""
    files.remove(settings.directory / "emulator")


def _scratch(settings: SandboxSettings) -> Path:
    return settings.directory / "emulator" / "tmp"


def _environment(settings: SandboxSettings, home: Path) -> dict[str, str]:
    """Build the server's complete environment; functions inherit it, so it has no variable of the developer's shell."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home / "home"),
        "TMPDIR": str(home / "tmp"),
        "LANG": "C.UTF-8",
        "GATEWAY_PORT": str(settings.emulator_port),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "AUTH": "true",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(home / "state"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(home / "s3"),
        "LAMBDA_WARM_TTL_SECONDS": "1800",
    }

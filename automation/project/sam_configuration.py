"""Read samconfig.toml, or its YAML form, as SAM CLI does: sections, and the parameters of a template."""

import re
import shlex
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automation.system.errors import ConfigurationError

SAMCONFIG = "samconfig.toml"
NAMES = (SAMCONFIG, "samconfig.yaml", "samconfig.yml")  # SAM CLI takes the first that exists
DEFAULT = "default"
_KEY_AND_VALUE = re.compile(r"ParameterKey=(?P<name>[^,]*),ParameterValue=(?P<value>.*)", re.DOTALL)
_QUOTES = re.compile(r"[\s\"']")
_FILE = "file://"


def find(root: Path) -> Path | None:
    """Return the file that SAM CLI reads in a folder; None when there is none."""
    paths = [root / name for name in NAMES]
    return next((path for path in paths if path.is_file()), None)


def read(root: Path) -> Mapping[str, Any]:
    """Read the file; a missing one is empty.

    Raises:
        ConfigurationError: it cannot be parsed.
    """
    path = find(root)
    return {} if path is None else _parsed(path)


def names_files(root: Path) -> bool:
    """Return whether the file refers to others, whose changes it cannot show."""
    path = find(root)
    return path is not None and _FILE in path.read_text(encoding="utf-8-sig")


def section(samconfig: Mapping[str, Any], config_env: str, command: str) -> Mapping[str, Any]:
    """Return the parameters of a command in a section, on top of those of its part `global`."""
    tables = samconfig.get(config_env)
    merged: dict[str, Any] = {}
    for name in ("global", command):
        table = tables.get(name) if isinstance(tables, Mapping) else None
        parameters = table.get("parameters") if isinstance(table, Mapping) else None
        merged |= parameters if isinstance(parameters, Mapping) else {}
    return merged


def template_file(samconfig: Mapping[str, Any]) -> str:
    """Return the template that `sam build` takes without an option; empty when the file names none."""
    name = section(samconfig, DEFAULT, "build").get("template_file", "")
    return name if isinstance(name, str) else ""


def base_folder(samconfig: Mapping[str, Any], config_env: str) -> str:
    """Return the folder from which `sam build` takes relative code folders; empty for those of the templates."""
    name = section(samconfig, config_env, "build").get("base_dir", "")
    return name if isinstance(name, str) else ""


def build_parameters(
    samconfig: Mapping[str, Any], config_env: str, definitions: Mapping[str, Any], *, root: Path
) -> dict[str, str]:
    """Return the values that `sam build` gives a template's parameters.

    Those without any value, which SAM could not resolve, have the one of `sam deploy`.

    Args:
        definitions: the template's section Parameters.

    Raises:
        ConfigurationError: an override is not `Name=value`, or names a file that cannot be read.
    """
    where = f"{SAMCONFIG}: [{config_env}.build.parameters]"
    values = overrides(section(samconfig, config_env, "build"), where=where, root=root)
    if any(name not in values and "Default" not in definition for name, definition in definitions.items()):
        where = f"{SAMCONFIG}: [{config_env}.deploy.parameters]"
        deployed = overrides(section(samconfig, config_env, "deploy"), where=where, root=root)
        values = {
            **{name: text for name, text in deployed.items() if "Default" not in definitions.get(name, {})},
            **values,
        }
    return {name: text for name, text in values.items() if name in definitions}


def overrides(
    table: Mapping[str, Any], key: str = "parameter_overrides", *, where: str, root: Path = Path()
) -> dict[str, str]:
    """Return the names and values under a key of a section, which may be one string, a list or a table.

    Args:
        root: the folder that `file://` starts from.

    Raises:
        ConfigurationError: an entry is not `Name=value`, or names a file that cannot be read.
    """
    return _pairs(table.get(key), f"{where}: {key}", root, ())


def _pairs(value: Any, where: str, folder: Path, including: tuple[Path, ...]) -> dict[str, str]:
    if isinstance(value, Mapping):
        return _pairs_of_table(value, where, folder, including)
    pairs: dict[str, str] = {}
    for entry in value if isinstance(value, list) else [value]:
        if isinstance(entry, Mapping | list):
            pairs |= _pairs(entry, where, folder, including)
        elif isinstance(entry, str) and entry.startswith(_FILE):
            path = (folder / entry.removeprefix(_FILE)).resolve()
            if path in including:
                raise ConfigurationError(f"{entry} includes itself", where=where)
            pairs |= _pairs(_parsed(path), where, path.parent, (*including, path))
        elif entry is not None:
            pairs |= _pairs_of_text(str(entry), where, is_listed=isinstance(value, list))
    return pairs


def _pairs_of_table(table: Mapping[str, Any], where: str, folder: Path, including: tuple[Path, ...]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for name, value in table.items():
        if name == "$include":
            pairs |= _pairs(value, where, folder, including)
        elif isinstance(value, list):
            pairs[str(name)] = ",".join(str(entry).strip() for entry in value)
        else:
            pairs[str(name)] = "" if value is None else str(value)
    return pairs


def _pairs_of_text(text: str, where: str, *, is_listed: bool) -> dict[str, str]:
    """Return the pairs of a text; an entry of a list is one pair, unless each of its words is a pair."""
    try:
        words = shlex.split(text)
    except ValueError as cause:
        if not is_listed:
            raise ConfigurationError(f"{text!r}: {cause}", where=where) from cause
        words = [text]
    if is_listed and not (_QUOTES.search(text) and all("=" in word for word in words)):
        words = [text]

    if wrong := [word for word in words if "=" not in word]:
        raise ConfigurationError(f"{wrong[0]!r} is not Name=value", where=where)
    return dict(_pair(word) for word in words)


def _pair(word: str) -> tuple[str, str]:
    if match := _KEY_AND_VALUE.fullmatch(word):
        return match["name"], match["value"]
    name, _, value = word.partition("=")
    return name, value


def _parsed(path: Path) -> Any:
    """Return the content of a TOML, YAML or JSON file.

    Raises:
        ConfigurationError: it cannot be read or parsed.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix == ".toml":
            return tomllib.loads(text)
    except tomllib.TOMLDecodeError as cause:
        raise ConfigurationError(f"is not valid TOML: {cause}", where=path.name) from cause
    except (OSError, UnicodeDecodeError) as cause:
        raise ConfigurationError(f"cannot be read: {cause}", where=path.name) from cause
    from automation.project import yamls  # noqa: PLC0415 - few projects have one in YAML

    return yamls.load(text, name=path.name)

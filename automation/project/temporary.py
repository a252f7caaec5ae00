"""Temporary environments, such as one per pull request: one table of pyproject.toml, `pr-*`, stands for all of them.

Their sections of samconfig.toml have the name of the pattern, and `{env}` in a value stands for the environment's name.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from automation.system.errors import ConfigurationError, Finding

NAME = "{env}"
EXAMPLE = "3d"
_STAR = "*"
# The hyphen keeps pr-* from matching prod, and what it stands for has no hyphen: pr-12-data is never an environment.
_PATTERN = re.compile(r"[a-z][a-z0-9-]*-\*")
LONGEST = 20
_STANDS_FOR = re.compile(rf"[a-z0-9]{{1,{LONGEST}}}")
_TTL = re.compile(r"([1-9][0-9]{0,3})([hd])")
_HOURS = {"h": 1, "d": 24}
_MAX_TTL = timedelta(days=90)


def is_pattern(name: str) -> bool:
    """Return whether a table of environments stands for many."""
    return _STAR in name


def find(tables: Mapping[str, Mapping[str, Any]], name: str) -> tuple[str, Mapping[str, Any]] | None:
    """Return the table of an environment with its key: its own name, otherwise the pattern that it matches."""
    if is_pattern(name):
        return None
    if name in tables:
        return name, tables[name]
    return next(((key, table) for key, table in tables.items() if matches(key, name)), None)


def matches(pattern: str, name: str) -> bool:
    """Return whether a pattern stands for an environment."""
    start = pattern.removesuffix(_STAR)
    is_usable = _PATTERN.fullmatch(pattern) and name.startswith(start)
    return bool(is_usable and _STANDS_FOR.fullmatch(name.removeprefix(start)))


def example(pattern: str) -> str:
    """Return the name of an environment that a pattern stands for."""
    return pattern.replace(_STAR, "1")


def named(value: Any, name: str) -> Any:
    """Return a section of samconfig.toml, or a value in it, with the name of the environment in it."""
    if isinstance(value, str):
        return value.replace(NAME, name)
    if isinstance(value, Mapping):
        return {key: named(entry, name) for key, entry in value.items()}
    return [named(entry, name) for entry in value] if isinstance(value, list) else value


def parse_ttl(text: str, *, where: str) -> timedelta:
    """Return a time to live, such as `12h` or `3d`.

    Raises:
        ConfigurationError: the text has another form, or stands for more than 90 days.
    """
    match = _TTL.fullmatch(text)
    ttl = timedelta(hours=int(match[1]) * _HOURS[match[2]]) if match else timedelta()
    if not timedelta() < ttl <= _MAX_TTL:
        message = f"ttl must be hours or days, as in 12h or {EXAMPLE}, and at most {_MAX_TTL.days}d; got {text!r}"
        raise ConfigurationError(message, where=where)
    return ttl


def faults(tables: Mapping[str, Mapping[str, Any]], key: str, where: str) -> Iterator[Finding]:
    """Yield what is wrong with the name and the ttl of one table of environments.

    Args:
        where: the table, for messages.
    """
    ttl = tables[key].get("ttl")
    if not is_pattern(key):
        if ttl is not None:
            yield Finding(where, "only a temporary environment has a ttl", "remove it")
        return

    if not _PATTERN.fullmatch(key):
        yield Finding(where, "a pattern is a name with -* at its end", 'rename it, as in environments."pr-*"')
    for name in tables:
        if matches(key, name):
            yield Finding(where, f"the pattern also matches the environment {name}", "rename one of them")
    try:
        parse_ttl(str(ttl or ""), where=where)
    except ConfigurationError as cause:
        yield Finding(where, cause.message, f'write ttl = "{EXAMPLE}"')

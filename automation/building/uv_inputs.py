"""Turn requirements into what uv takes, and judge whether they are locked. Pure, except for the files it writes."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from automation.building import requirements
from automation.building.requirements import REQUIREMENTS_IN, Kind, Requirement
from automation.system.errors import ConfigurationError

_PASSED = frozenset({"--index-url", "--extra-index-url", "--no-index", "--find-links", "--requirement", "--constraint"})
_IGNORED = frozenset({"--prefer-binary", "--use-feature", "--only-binary", "--no-binary", "--require-hashes"})
_OF_TARGET = frozenset({"--platform", "--python-version", "--implementation", "--abi", "--target", "-t"})
REQUIREMENTS_FLAG = "--requirements"
_COMMIT = re.compile(r"@[0-9a-f]{40}(#|$)")


@dataclass(frozen=True, slots=True)
class LockState:
    """Whether requirements are locked.

    Attributes:
        is_locked: everything that can have a hash has one, so nothing else is installed.
        has_every_hash: nothing is installed without a hash.
        warnings: what is not locked, and what to do about it.
    """

    is_locked: bool
    has_every_hash: bool
    warnings: tuple[str, ...]


def judge(listed: Sequence[Requirement], file: str, *, has_input: bool) -> LockState:
    """Judge the requirements of a file. Pure.

    Args:
        file: its name for messages.
        has_input: a requirements.in lies beside it.

    Raises:
        ConfigurationError: some requirements have a hash and others have none, which pip refuses, too.
    """
    installed = [line for line in listed if line.kind is not Kind.OPTION and not line.is_constraint]
    hashable = [line for line in installed if line.kind in {Kind.NAMED, Kind.ARCHIVE}]
    without_hash = [line for line in hashable if not line.is_hashed]
    wants_hashes = any(line.name == "--require-hashes" for line in listed)
    lock_it = "run inv lock" if has_input else f"rename it to {REQUIREMENTS_IN} and run inv lock"

    is_locked = not without_hash and (bool(hashable) or not installed)
    warnings = [text for line in installed if (text := _why_never_locked(line, lock_it, is_rest_locked=is_locked))]
    if without_hash and (wants_hashes or len(without_hash) < len(hashable)):
        first = without_hash[0]
        message = f"{first.shown} has no hash, which pip refuses beside --require-hashes or another hash; {lock_it}"
        raise ConfigurationError(message, where=first.where)
    if without_hash:
        warnings.append(f"{file}: is not locked, so tomorrow's build may get other versions; {lock_it}")
    return LockState(is_locked, is_locked and len(hashable) == len(installed), tuple(warnings))


def check_options(listed: Iterable[Requirement]) -> tuple[str, ...]:
    """Return warnings about options and lines that are not taken literally.

    Raises:
        ConfigurationError: an option has no place in a requirement file, or uv cannot fetch a repository.
    """
    warnings: list[str] = []
    for line in listed:
        if line.kind is Kind.OPTION:
            warnings += _check_option(line)
        elif line.kind is Kind.REPOSITORY and not line.value.startswith("git+"):
            message = f"{line.shown} is not a git repository, and only git is fetched here; run inv build --engine sam"
            raise ConfigurationError(message, where=line.where)
        warnings += [
            f"{line.where}: the environment variable {name} is not set; set it and build again"
            for name in requirements.unset_variables(line.line)
        ]
    return tuple(warnings)


def with_copies(listed: Sequence[Requirement], copies: Mapping[Path, Path]) -> list[Requirement]:
    """Return the requirements with the copies of folders instead of the folders.

    Args:
        copies: by the resolved path of a folder.
    """
    copied = [copies.get(line.path.resolve()) if line.path else None for line in listed]
    return [replace(line, path=path) if path else line for line, path in zip(listed, copied, strict=True)]


def write(listed: Iterable[Requirement], folder: Path, *, relative_to: Path | None = None) -> list[str]:
    """Write requirements and constraints as files in a folder; return the arguments that pass them to uv.

    Args:
        relative_to: the folder that paths on this disk are written relative to; by default they are absolute.
    """
    texts: dict[bool, list[str]] = {False: [], True: []}
    arguments: list[str] = []
    for line in listed:
        if line.name == "--pre":
            arguments += ["--prerelease", "allow"]
        elif line.name == "--trusted-host":
            arguments += ["--allow-insecure-host", line.value]
        elif line.kind is not Kind.OPTION or line.name in _PASSED:
            path = _relative(line.path, relative_to) if line.path and relative_to else ""
            texts[line.is_constraint].append(line.text(path))

    # pip takes the best version of all indexes; uv would stop at the first index that has the package.
    if any(line.name == "--extra-index-url" for line in listed):
        arguments += ["--index-strategy", "unsafe-best-match"]

    for is_constraint, flag in ((False, REQUIREMENTS_FLAG), (True, "--constraints")):
        if texts[is_constraint] or not is_constraint:
            file = folder / f"{flag.removeprefix('--')}.txt"
            file.write_text("".join(f"{text}\n" for text in texts[is_constraint]), encoding="utf-8")
            arguments += [flag, str(file)]
    return arguments


def _relative(path: Path, folder: Path) -> str:
    """Return a path as pip takes it for a path: with a dot at its beginning."""
    relative = Path(os.path.relpath(path, folder)).as_posix()
    return relative if relative.startswith(".") else f"./{relative}"


def _check_option(line: Requirement) -> list[str]:
    if line.name in _OF_TARGET:
        message = f"remove {line.name}, which pip refuses here; Runtime and Architectures say what is installed for"
        raise ConfigurationError(message, where=line.where)
    if line.name not in _PASSED | _IGNORED | {"--pre", "--trusted-host"}:
        raise ConfigurationError(f"remove {line.name}, which pip refuses in a requirement file", where=line.where)
    if line.name == "--no-binary":
        return [f"{line.where}: --no-binary is ignored: where the target has a wheel, sam build takes it, too"]
    if "://" in line.value and line.name in {"--requirement", "--constraint"}:
        return [f"{line.where}: a change at the URL goes unnoticed; copy that file into the project"]
    return []


def _why_never_locked(line: Requirement, lock_it: str, *, is_rest_locked: bool) -> str:
    if line.kind is Kind.FOLDER:
        rest = "everything else is" if is_rest_locked else "inv lock locks everything else"
        return f"{line.where}: {line.value} is a folder, which cannot be locked; {rest}"
    if line.kind is Kind.REPOSITORY and not _COMMIT.search(line.value):
        return f"{line.where}: {line.shown} may change; write @ and a whole commit behind it, or {lock_it}"
    return ""

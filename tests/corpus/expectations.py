"""What a small project of tests/projects must yield: its expected.toml, read and checked."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FILE = "expected.toml"
_TABLES = frozenset({"about", "needs_index", "build", "prove", "fixed"})
_BUILD = frozenset({"exit", "says", "engine"})
_PROVE = frozenset({"exit", "summary", "says", "errors", "warnings"})
_FINDING = frozenset({"rule", "where", "fix"})

type Found = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Expectation:
    """What `inv build` and `inv prove` must say of one project.

    Attributes:
        needs_index: the build downloads from the package index.
        build_says, prove_says: texts that must stand in the output.
        summary: how the functions and layers are counted.
        errors, warnings: every finding of the proof as (rule, where, fix), sorted; None when the proof is not run.
        fixed: the files as they are after somebody has followed the advice; then no error is left.
    """

    name: str
    about: str
    needs_index: bool = False
    build_exit: int = 0
    build_says: tuple[str, ...] = ()
    prove_exit: int = 0
    prove_says: tuple[str, ...] = ()
    summary: str = ""
    errors: tuple[Found, ...] | None = None
    warnings: tuple[Found, ...] = ()
    fixed: Mapping[str, str] = field(default_factory=dict)


def read(folder: Path) -> Expectation:
    """Read the expectation of a project.

    Raises:
        ValueError: it has an unknown key, or says nothing about the build or the proof.
    """
    document = tomllib.loads((folder / FILE).read_text(encoding="utf-8"))
    build, prove = document.get("build", {}), document.get("prove")
    _require_known(document, _TABLES, folder)
    _require_known(build, _BUILD, folder)
    _require_known(prove or {}, _PROVE, folder)
    if prove is None and not (build.get("exit") or build.get("says")):
        raise ValueError(f"{folder.name}: {FILE} expects nothing")

    proof: Mapping[str, Any] = prove or {}
    return Expectation(
        name=folder.name,
        about=document["about"],
        needs_index=document.get("needs_index", False),
        build_exit=build.get("exit", 0),
        build_says=tuple(build.get("says", ())),
        prove_exit=proof.get("exit", 0),
        prove_says=tuple(proof.get("says", ())),
        summary=proof.get("summary", ""),
        errors=None if prove is None else _findings(proof.get("errors", ()), folder),
        warnings=_findings(proof.get("warnings", ()), folder),
        fixed=document.get("fixed", {}),
    )


def _findings(tables: Any, folder: Path) -> tuple[Found, ...]:
    for table in tables:
        if set(table) != _FINDING:
            raise ValueError(f"{folder.name}: a finding needs {', '.join(sorted(_FINDING))}; got {dict(table)}")
    return tuple(sorted((table["rule"], table["where"], table["fix"]) for table in tables))


def _require_known(table: Mapping[str, Any], known: frozenset[str], folder: Path) -> None:
    unknown = sorted(set(table) - known)
    if unknown:
        raise ValueError(f"{folder.name}: {FILE} has the unknown key {unknown[0]}")

"""The record of a stack's last build, `.alchemiser/build/<stack>.json`: its inputs, and signatures of its outputs."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from automation.building.artifacts import Ingredients
from automation.system import files


@dataclass(frozen=True, slots=True)
class BuiltArtifact:
    """One artifact of a build.

    Attributes:
        signatures: of its folder, and of its zip when it has one, by their names in the build.
    """

    ingredients: Ingredients
    signatures: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Manifest:
    """The finished build of one stack.

    Attributes:
        engine: the engine that built it, `uv` or `sam`.
        parameters: the template parameters that it was built with.
        template: the digest of the template that it was built from.
        signatures: of each built template, by its name in the build.
        artifacts: by logical id.
    """

    engine: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    template: str = ""
    signatures: Mapping[str, str] = field(default_factory=dict)
    artifacts: Mapping[str, BuiltArtifact] = field(default_factory=dict)


def path_of(root: Path, stack: str) -> Path:
    return root / ".alchemiser" / "build" / f"{stack}.json"


def read(root: Path, stack: str) -> Manifest:
    """Return the manifest of a stack; an empty one when the file is missing, damaged or of another version."""
    try:
        content = json.loads(path_of(root, stack).read_text())
        artifacts = {name: _built_artifact(record) for name, record in content.pop("artifacts").items()}
        return Manifest(**content, artifacts=artifacts)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Manifest()


def write(root: Path, stack: str, manifest: Manifest) -> None:
    files.write_atomically(path_of(root, stack), json.dumps(asdict(manifest)))


def _built_artifact(record: Mapping[str, Any]) -> BuiltArtifact:
    ingredients = record["ingredients"]
    return BuiltArtifact(Ingredients(ingredients["settings"], ingredients["files"]), record["signatures"])

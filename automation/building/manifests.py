"""What a stack's build was made of and how its output looked then: `.alchemiser/build/<stack>.json`."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from automation.building.artifacts import Ingredients
from automation.system import files


@dataclass(frozen=True, slots=True)
class Made:
    """One artifact of a build.

    Attributes:
        looks: the signature of its folder, by the folder's name; and of its zip, when it has one.
    """

    ingredients: Ingredients
    looks: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Manifest:
    """One stack's finished build.

    Attributes:
        engine: who built it.
        parameters: the template parameters that it was told.
        template: the digest of the template it was made from.
        looks: the signature of each built template.
        artifacts: by logical id.
    """

    engine: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    template: str = ""
    looks: Mapping[str, str] = field(default_factory=dict)
    artifacts: Mapping[str, Made] = field(default_factory=dict)


def path_of(root: Path, stack: str) -> Path:
    return root / ".alchemiser" / "build" / f"{stack}.json"


def read(root: Path, stack: str) -> Manifest:
    """The manifest; an empty one when there is none, or none that can be read."""
    try:
        content = json.loads(path_of(root, stack).read_text())
        made = {
            name: Made(Ingredients(one["ingredients"]["settings"], one["ingredients"]["files"]), one["looks"])
            for name, one in content.pop("artifacts").items()
        }
        return Manifest(**content, artifacts=made)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Manifest()


def write(root: Path, stack: str, manifest: Manifest) -> None:
    files.write_atomically(path_of(root, stack), json.dumps(asdict(manifest)))

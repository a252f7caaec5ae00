"""Requirements that changed since the build."""

from pathlib import Path

import pytest

from automation.building import artifacts, manifests
from automation.building.artifacts import Ingredients
from automation.building.manifests import BuiltArtifact, Manifest
from automation.proof import freshness
from tests.automation.proof import subjects
from tests.automation.proof.small import make

LISTED = "functions/one/requirements.txt"
SHARED = "functions/shared.txt"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project with its build; the function One and the layer Common list requirements."""
    text = "six==1.17.0\n-r ../shared.txt\n"
    loaded = make(tmp_path, {LISTED: text, SHARED: "attrs\n", "layers/common/requirements.txt": "six\n"})
    [stack] = loaded.stacks
    files = {entry.logical_id: artifacts.locked_files(entry) for entry in artifacts.of_stack(stack, tmp_path)}
    built = {name: BuiltArtifact(Ingredients({}, digests), {}) for name, digests in files.items()}
    manifests.write(tmp_path, stack.name, Manifest(artifacts=built))
    return tmp_path


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ()),
        ({LISTED: "six==1.17.0 # exact\n-r ../shared.txt\n"}, ()),
        ({LISTED: "six==1.16.0\n-r ../shared.txt\n"}, (LISTED,)),
        ({SHARED: "attrs>=25\n"}, (SHARED,)),
        ({LISTED: "six==1.17.0\n-r ../lost.txt\n"}, (LISTED,)),
        ({"functions/two/requirements.txt": "six\n"}, ("functions/two/requirements.txt",)),
        ({LISTED: "", "layers/common/requirements.txt": ""}, (LISTED, "layers/common/requirements.txt")),
    ],
)
def test_outdated_are_changed_requirements(root: Path, changes: dict[str, str], expected: tuple[str, ...]) -> None:
    for name, text in changes.items():
        (root / name).write_text(text)

    assert freshness.outdated(subjects.gather(root)) == expected


def test_outdated_are_removed_requirements(root: Path) -> None:
    (root / LISTED).unlink()

    assert freshness.outdated(subjects.gather(root)) == (LISTED,)


def test_outdated_without_a_record_of_the_build_is_unknown(root: Path) -> None:
    manifests.path_of(root, "main").unlink()
    (root / LISTED).write_text("six\n")

    assert freshness.outdated(subjects.gather(root)) == ()

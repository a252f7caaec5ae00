"""How to add a distribution to a tree, or to change or remove one: the file to edit, or the command to run."""

from dataclasses import dataclass
from pathlib import Path

from automation.building import dependencies
from automation.building.requirements import POETRY_LOCK, PYLOCK, REQUIREMENTS, REQUIREMENTS_IN
from automation.proof.built_trees import BuiltTree

_BUILD, _LOCK_AND_BUILD = "run inv build", "run inv lock and inv build"


@dataclass(frozen=True, slots=True)
class RequirementFile:
    """A file that lists the distributions of a source folder.

    Attributes:
        path: relative to the project root.
        folder: the source folder, where uv or Poetry runs.
        program: the program that edits the file; empty when a person does.
        rebuild: what applies a change of it.
    """

    path: str
    folder: str = ""
    program: str = ""
    rebuild: str = _BUILD

    def add(self, *requirements: str) -> str:
        """Return how to add requirements."""
        return (
            self._with_program("add", requirements) or f"add {_listed(requirements)} to {self.path} and {self.rebuild}"
        )

    def require(self, requirement: str) -> str:
        """Return how to change the version of a distribution."""
        return self._with_program("add", (requirement,)) or f"require {requirement} in {self.path} and {self.rebuild}"

    def remove(self, *names: str) -> str:
        """Return how to remove distributions."""
        return self._with_program("remove", names) or f"remove {_listed(names)} from {self.path} and {self.rebuild}"

    def _with_program(self, verb: str, requirements: tuple[str, ...]) -> str:
        option = {"uv": "--directory", "poetry": "-C"}.get(self.program)
        quoted = " ".join(f"'{text}'" if set(text) & set("<>=!~[;") else text for text in requirements)
        return (
            f"run {self.program} {verb} {option} {Path(self.folder).as_posix()} {quoted}, then inv build"
            if option
            else ""
        )


def of_tree(tree: BuiltTree, root: Path) -> RequirementFile:
    """Return the file that lists the distributions of a tree; the one to write when it has none."""
    if not tree.source:
        return RequirementFile("its requirements")
    return of_folder(tree.source, root) or to_write(tree.source)


def of_folder(folder: str, root: Path) -> RequirementFile | None:
    """Return the file that lists the distributions of a source folder; None when it has none."""
    source = (Path(folder) / REQUIREMENTS_IN).as_posix()
    if (root / source).is_file():
        return RequirementFile(source, folder, rebuild=_LOCK_AND_BUILD)

    file = dependencies.of_folder(root / folder, root)
    if file is None:
        return None
    path = (Path(folder) / file.name).as_posix()
    if file.name == REQUIREMENTS:
        return RequirementFile(path, folder)
    if file.name == PYLOCK:
        return RequirementFile(f"what {path} is made from", folder, rebuild=f"make it again, then {_BUILD}")
    return RequirementFile(path, folder, "poetry" if file.name == POETRY_LOCK else "uv")


def to_write(folder: str) -> RequirementFile:
    """Return the file to write for a source folder that has none."""
    return RequirementFile((Path(folder) / REQUIREMENTS).as_posix(), folder)


def _listed(names: tuple[str, ...]) -> str:
    """Return `a`, `a and b` or `a, b and c`."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))

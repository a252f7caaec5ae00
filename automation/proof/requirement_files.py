"""How to add a distribution to a tree, or to change or remove one: the file to edit, or the command to run."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path, PurePosixPath

from automation.building import dependencies, wheels
from automation.building.requirements import POETRY_LOCK, PYLOCK, REQUIREMENTS, REQUIREMENTS_IN
from automation.lambda_runtime.paths import LAYER_MODULES
from automation.project.architectures import LINUX_MACHINES
from automation.proof.built_trees import BuiltTree, Distribution, Platform

_BUILD, _BUILD_ALL, _LOCK_AND_BUILD = "run inv build", "run inv build --force", "run inv lock and inv build"


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
        by_hand = f"add {_listed(requirements)} to {self.path} and {self.rebuild}"
        return self._with_program("add", requirements) or by_hand

    def require(self, requirement: str) -> str:
        """Return how to change the version of a distribution."""
        return self._with_program("add", (requirement,)) or f"require {requirement} in {self.path} and {self.rebuild}"

    def remove(self, *names: str) -> str:
        """Return how to remove distributions."""
        return self._with_program("remove", names) or f"remove {_listed(names)} from {self.path} and {self.rebuild}"

    def _with_program(self, verb: str, requirements: tuple[str, ...]) -> str:
        """Return the command that edits the file; empty when a person does."""
        option = {"uv": "--directory", "poetry": "-C"}.get(self.program)
        if option is None:
            return ""
        quoted = " ".join(f"'{text}'" if set(text) & set("<>=!~[;") else text for text in requirements)
        return f"run {self.program} {verb} {option} {Path(self.folder).as_posix()} {quoted}, then inv build"


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


def of_ready_layer(folder: str, platform: Platform, root: Path) -> RequirementFile | None:
    """Return the file that lists the distributions which somebody installs into a layer that is zipped as it is."""
    modules = (Path(folder) / LAYER_MODULES).as_posix()
    file = of_folder(folder, root) or of_folder(modules, root)
    if file is None or not (root / file.path).is_file() or file.program or platform.architecture not in LINUX_MACHINES:
        return None
    return replace(file, rebuild=f"run {_install(platform, modules)} -r {shlex.quote(file.path)}, then inv build")


def to_write(folder: str) -> RequirementFile:
    """Return the file to write for a source folder that has none."""
    return RequirementFile((Path(folder) / REQUIREMENTS).as_posix(), folder)


def remove_from(tree: BuiltTree, distributions: Sequence[Distribution], root: Path) -> str:
    """Return how to get rid of distributions of a tree: from its requirements, or from the sources that have them."""
    folders = {entry.info: _source_of(tree, entry, root) for entry in distributions}
    required = dict.fromkeys(entry.name for entry in distributions if folders[entry.info] is None)
    fixes = [of_tree(tree, root).remove(*required)] if required else []
    for folder in sorted({folder.as_posix() for folder in folders.values() if folder is not None}):
        there = (entry for entry in distributions if str(folders[entry.info]) == folder)
        names = set(chain.from_iterable(_top_names(entry) for entry in there))
        infos = "and its .dist-info" if len(names) == 1 else "with their .dist-info"
        fixes.append(f"delete {_listed(tuple(sorted(names)))} {infos} from {folder}, and {_BUILD}")
    return "; ".join(fixes)


def require_in(tree: BuiltTree, name: str, requirement: str, root: Path) -> str:
    """Return how to change the version of a distribution of a tree."""
    distribution = next((entry for entry in tree.distributions if entry.name == name), None)
    folder = _source_of(tree, distribution, root) if distribution else None
    if folder is None or tree.platforms[0].architecture not in LINUX_MACHINES:
        return of_tree(tree, root).require(requirement)
    what = f"--reinstall --no-deps {shlex.quote(requirement)}"
    return f"run {_install(tree.platforms[0], folder.as_posix())} {what}, then {_BUILD.removeprefix('run ')}"


def _source_of(tree: BuiltTree, distribution: Distribution, root: Path) -> PurePosixPath | None:
    """Return the folder of the sources that has a distribution; None when an installer brings it."""
    return _vendored_in(tree, [tree.info(distribution) / "METADATA"], root)


def _top_names(distribution: Distribution) -> set[str]:
    """Return the folders and modules of a distribution."""
    tops = {PurePosixPath(path).parts[0] for path in distribution.listed}
    return {name for name in tops if not name.endswith(".dist-info") and name not in {"..", "bin", "__pycache__"}}


def install_for(
    tree: BuiltTree, distribution: Distribution | None, path: PurePosixPath, platform: Platform, root: Path
) -> str:
    """Return how to get files that the platform loads: from a new build, or by hand where the source has the others.

    Args:
        distribution: what lists the files; None when nothing does.
        path: one of the files, relative to the tree.
    """
    wheel = [tree.info(distribution) / "WHEEL"] if distribution else []
    folder = _vendored_in(tree, [path, *wheel], root)
    if folder is None:
        return _BUILD_ALL
    if distribution is None or platform.architecture not in LINUX_MACHINES:
        return f"replace it by one for {platform.runtime} on {platform.architecture}, then run inv build"
    return _install_alone(distribution, folder, platform)


def install_again(tree: BuiltTree, distribution: Distribution, lost: str, root: Path) -> str:
    """Return how to get a file that a distribution lists and the tree lacks."""
    site = PurePosixPath(distribution.site.relative_to(tree.folder).as_posix())
    folder = _vendored_in(tree, [tree.info(distribution) / "METADATA", site / lost], root)
    if folder is None or tree.platforms[0].architecture not in LINUX_MACHINES:
        return _BUILD_ALL
    return _install_alone(distribution, folder, tree.platforms[0])


def _install_alone(distribution: Distribution, folder: PurePosixPath, platform: Platform) -> str:
    what = f"--reinstall --no-deps {distribution.name}=={distribution.version}"
    return f"run {_install(platform, folder.as_posix())} {what}, then inv build"


def _install(platform: Platform, folder: str) -> str:
    """Return the command that installs into a folder for a platform, without what it installs."""
    version = platform.runtime.removeprefix("python")
    name = wheels.platform(version, platform.architecture)
    options = f"--only-binary :all: --python-version {version} --python-platform {name}"
    return f"uv pip install {options} --target {shlex.quote(folder)}"


def _vendored_in(tree: BuiltTree, paths: Sequence[PurePosixPath], root: Path) -> PurePosixPath | None:
    """Return the folder of the sources that a build copies the packages of some files from; None when it does not.

    Args:
        paths: relative to the tree, which has the first; each is as it is in the sources.
    """
    modules = [tree.below_site(path) for path in paths]
    site = PurePosixPath(paths[0].as_posix().removesuffix(modules[0].as_posix()))
    built = [_content(tree.folder / path) for path in paths]
    source = PurePosixPath(tree.source)
    for folder in (source / site, source) if tree.source else ():
        if [_content(root / folder / module) for module in modules] == built:
            return folder
    return None


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _listed(names: tuple[str, ...]) -> str:
    """Return `a`, `a and b` or `a, b and c`."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))

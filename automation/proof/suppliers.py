"""Find the trees that have a module which a function lacks, and the file that should list it."""

import difflib
import re
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.utils import canonicalize_name

from automation.building import requirements
from automation.lambda_runtime.mounts import Mount
from automation.lambda_runtime.paths import LAYER_MODULES, site_packages
from automation.project.model import Layer
from automation.proof import distribution_names, elsewhere, finder, requirement_files
from automation.proof.built_trees import BuiltTree, Distribution, Platform
from automation.proof.model import Subject
from automation.proof.origins import Origin
from automation.proof.own_modules import OwnModules
from automation.proof.requirement_files import RequirementFile
from automation.proof.scan import MissingImport
from automation.system.errors import AutomationError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_OLDEST_MINOR, _NEWEST_MINOR = 8, 99


@dataclass(frozen=True, slots=True)
class Suppliers:
    """The built trees of a project, searched for modules."""

    subject: Subject

    def functions(self, module: str, mount: Mount) -> tuple[str, ...]:
        """Return the other functions whose own code has a module."""
        own = mount.task.resolve()
        functions = [origin for origin in self.subject.origins.trees if not origin.is_layer and origin.tree != own]
        return tuple(origin.owner for origin in functions if self._has_own(origin, module))

    def functions_by_folder(self, missing: MissingImport, mount: Mount) -> tuple[str, ...]:
        """Return the other functions whose module an import reaches through the name of their folder or tree."""
        own, functions = mount.task.resolve(), [entry for entry in self.subject.origins.trees if not entry.is_layer]
        own_folders = {origin.folder for origin in functions if origin.tree == own}
        others = [origin for origin in functions if origin.folder not in own_folders]
        return tuple(origin.owner for origin in others if _is_reached(origin, missing))

    def layers(self, module: str, mount: Mount) -> tuple[str, ...]:
        """Return the layers of a function's template that have a module and that the function does not mount."""
        mounted = {layer.logical_id for layer in mount.layers}
        origins = [origin for origin in self.subject.origins.trees if origin.is_layer]
        return tuple(
            origin.owner
            for origin in origins
            if origin.stack == mount.stack.name and origin.owner not in mounted and _file(origin, module)
        )

    def source(self, module: str) -> str:
        """Return the source of a module of the project's package, built or not; empty when there is none."""
        path = module.replace(".", "/")
        root = self.subject.project.root
        if not self.package or not f"{module}.".startswith(f"{self.package}."):
            return ""
        return next((name for name in (f"{path}.py", f"{path}/__init__.py", path) if (root / name).exists()), "")

    def own_fix(self, missing: MissingImport, mount: Mount) -> str:
        """Return the fix of an import that means a module of the project by a wrong name; empty for any other."""
        own = OwnModules(self.subject.project.root.resolve(), mount)
        return next((fix for target in missing.targets if target and (fix := own.fix(target))), "")

    def requirement_file(self, mount: Mount) -> RequirementFile | None:
        """Return the file that lists a function's requirements; None when it has none and cannot have one."""
        root = self.subject.project.root
        layers = {layer.logical_id: layer for layer in mount.stack.layers}
        mounted = [layer.logical_id for layer in reversed(mount.layers) if layer.logical_id in layers]
        own = mount.function.code_uri
        for name in mounted:
            if file := self._requirements_of_layer(layers[name], str(mount.function.runtime)):
                return file
        if isinstance(own, str) and (file := requirement_files.of_folder(own, root)):
            return file

        return requirement_files.to_write(own) if isinstance(own, str) and not self.package else None

    def _requirements_of_layer(self, layer: Layer, runtime: str) -> RequirementFile | None:
        """Return the file that lists a layer's requirements; a layer without BuildMethod needs one to install them."""
        root = self.subject.project.root
        if not isinstance(layer.content_uri, str):
            return None
        file = requirement_files.of_folder(layer.content_uri, root)
        if file is None or layer.metadata.get("BuildMethod"):
            return file
        # Content that lies under python/ already is zipped as it is on purpose.
        fix = f"add Metadata: {{BuildMethod: {runtime}}} to {layer.logical_id} in the template, and run inv build"
        return None if (root / layer.content_uri / LAYER_MODULES).is_dir() else replace(file, rebuild=fix)

    def _file_of_importing_layer(self, missing: MissingImport, mount: Mount) -> RequirementFile | None:
        """Return the file that lists the requirements of the layer with the importing file; None for any other file."""
        located, project = self.subject.origins.locate(missing.location.file), self.subject.project
        if located is None or not located[0].is_layer:
            return None
        origin, folder = located[0], located[0].folder.as_posix()
        layers = (layer for layer in project.layers if (layer.stack, layer.logical_id) == (origin.stack, origin.owner))
        if any(layer.metadata.get("BuildMethod") for layer in layers):
            file = requirement_files.of_folder(folder, project.root)
            return file if file or self.package else requirement_files.to_write(folder)
        platform = Platform(str(mount.function.runtime), str(mount.function.architectures[0]))
        return requirement_files.of_ready_layer(folder, platform, project.root)

    def _file_to_edit(self, missing: MissingImport, mount: Mount) -> RequirementFile | None:
        return self._file_of_importing_layer(missing, mount) or self.requirement_file(mount)

    def declare(self, missing: MissingImport, mount: Mount) -> str:
        """Return the fix for a third-party module that a function lacks."""
        file = self._file_to_edit(missing, mount)
        names = distribution_names.of_modules(missing.targets) or self._of_trees(missing.missing_part)
        fix = self._add(file, names, missing.module)
        layers = self.layers(missing.missing_part, mount)
        return f"add !Ref {layers[0]} to its Layers, or {fix}" if layers else fix

    def other_version(self, module: str, mount: Mount, *, message: str) -> str:
        """Return the fix for a module that the installed version of a distribution lacks; empty for any other.

        Args:
            message: that of the exception, which may say which version has the module.
        """
        holders: list[tuple[BuiltTree, Distribution]] = []
        parent = module
        while not holders and "." in parent:
            parent = parent.rpartition(".")[0]
            for tree in self._mounted(mount):
                holders += [(tree, entry) for entry in tree.distributions if _has_module(entry, parent)]
        if len(holders) != 1:  # a namespace has modules of several distributions
            return ""

        tree, distribution = holders[0]
        file = requirement_files.of_tree(tree, self.subject.project.root)
        if named := re.search(rf"\b{re.escape(distribution.name)}(?:[<>=!~]=?\d[\w.*]*)", message):
            return file.require(named[0])
        if _has_module(distribution, module):
            return ""
        wanted = f"require a version of {distribution.name} that has {module} in {file.path} and {file.rebuild}"
        return f"{wanted}: {distribution.version} does not have it"

    def _mounted(self, mount: Mount) -> list[BuiltTree]:
        """Return the trees that a function mounts from its own stack."""
        names = {mount.function.logical_id, *(layer.logical_id for layer in mount.layers)}
        trees = (tree for tree in self.subject.built_trees if tree.stack.name == mount.stack.name)
        return [tree for tree in trees if tree.owner.logical_id in names]

    def stdlib_change(self, missing: MissingImport, mount: Mount) -> tuple[str, str] | None:
        """Return the problem and the fix of a module that other versions of Python have; None for any other."""
        top, minor = missing.module.partition(".")[0], elsewhere.minor_of(mount)
        if top in distribution_names.PYTHON_2:
            return f"{top}, which Python 3 does not have", self._fix_of_removed(top, missing, mount)
        if finder.is_stdlib(top, _OLDEST_MINOR):
            return f"{top}, which Python 3.{minor} no longer has", self._fix_of_removed(top, missing, mount)
        if finder.is_stdlib(top, _NEWEST_MINOR):
            first = next(later for later in range(minor, _NEWEST_MINOR + 1) if finder.is_stdlib(top, later))
            return f"{top}, which Python 3.{minor} does not have yet", f"set Runtime to python3.{first} or later"
        return None

    def _of_trees(self, module: str) -> tuple[str, ...]:
        """Return the distribution that brings a module to another built tree of the project."""
        path = module.replace(".", "/")
        for tree in self.subject.built_trees:
            for distribution in tree.distributions:
                if {f"{path}.py", f"{path}/__init__.py"} & distribution.listed:
                    return (distribution.name,)
        return ()

    def _fix_of_removed(self, top: str, missing: MissingImport, mount: Mount) -> str:
        if replacement := distribution_names.replacement_of(top):
            return f"import {replacement} instead"
        name = distribution_names.of_removed_module(top)
        return (
            f"stop using it, or {self._add(self._file_to_edit(missing, mount), (name,), top)}"
            if name
            else "stop using it"
        )

    def _add(self, file: RequirementFile | None, names: tuple[str, ...], module: str) -> str:
        """Return the fix that lists distributions.

        Args:
            names: empty when it is not known which distribution has the module.
        """
        distributions = " and ".join(names) or f"the distribution that provides {module}"
        if file is None:
            return f"mount a layer that has {distributions}"
        if names and all(_lists(file, name, self.subject.project.root) for name in names):
            return f"{file.path} lists {distributions}, but the built tree lacks it: {file.rebuild}"
        return file.add(*(names or (distributions,)))

    @property
    def package(self) -> str:
        return self.subject.project.settings.package

    def _has_own(self, origin: Origin, module: str) -> bool:
        file = _file(origin, module)
        is_installed = module.partition(".")[0] in finder.installed_names(origin.tree)
        return file is not None and not is_installed and self.subject.origins.is_own(file)


def near(name: str, names: frozenset[str]) -> str:
    """Return `; did you mean x?`, or nothing when no name is similar."""
    matches = difflib.get_close_matches(name, sorted(names), n=2, cutoff=0.6)
    return f"; did you mean {' or '.join(matches)}?" if matches else ""


def _has_module(distribution: Distribution, module: str) -> bool:
    """Return whether a distribution lists a file of a module or package."""
    path = module.replace(".", "/")
    compiled = (name for name in distribution.listed if name.startswith(f"{path}.") and name.endswith((".so", ".pyd")))
    is_package = any(name.startswith(f"{path}/") for name in distribution.listed)
    return is_package or f"{path}.py" in distribution.listed or any(compiled)


def _lists(file: RequirementFile, requirement: str, root: Path) -> bool:
    """Return whether a requirement file, or one that it includes, lists a distribution."""
    path, own = root / file.path, _NAME.match(requirement)
    if own is None or not path.is_file() or file.program:
        return False
    try:
        texts = [entry.name or entry.value for entry in requirements.read(path, root)]
    except AutomationError:
        return False
    names = {canonicalize_name(match[0]) for text in texts if (match := _NAME.match(text))}
    return canonicalize_name(own[0]) in names


def _is_reached(origin: Origin, missing: MissingImport) -> bool:
    folders = {origin.owner.lower(), origin.folder.name.lower()}
    for target in missing.targets:
        top, _, rest = target.partition(".")
        if rest and top.lower() in folders and _file(origin, rest):
            return True
    return False


def _file(origin: Origin, module: str) -> Path | None:
    """Return the file or the folder of a module in a tree."""
    path = Path(*module.split("."))
    roots = [origin.tree]
    if origin.is_layer:
        roots = [origin.tree / LAYER_MODULES, *origin.tree.glob(f"{LAYER_MODULES}/{site_packages('*')}")]
    for root in roots:
        for candidate in (root / f"{path}.py", root / path / "__init__.py", root / path):
            if candidate.exists():
                return candidate
    return None

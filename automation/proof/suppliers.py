"""Find the trees that have a module which a function lacks, and the file that should list it."""

import difflib
import re
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from packaging.utils import canonicalize_name

from automation.lambda_runtime.mounts import Mount
from automation.lambda_runtime.paths import LAYER_MODULES, site_packages
from automation.proof import finder
from automation.proof.model import Subject
from automation.proof.origins import Origin

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# Distributions whose name differs from their import name; what is installed here is looked up first.
_DISTRIBUTIONS = {
    "PIL": "pillow",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "jose": "python-jose",
    "jwt": "PyJWT",
    "psycopg2": "psycopg2-binary",
    "sklearn": "scikit-learn",
    "yaml": "PyYAML",
    "Crypto": "pycryptodome",
    "OpenSSL": "pyOpenSSL",
    "attr": "attrs",
}


@dataclass(frozen=True, slots=True)
class Suppliers:
    """The built trees of a project, searched for modules."""

    subject: Subject

    def functions(self, module: str, mount: Mount) -> tuple[str, ...]:
        """Return the other functions whose own code has a module."""
        own = mount.task.resolve()
        functions = [origin for origin in self.subject.origins.trees if not origin.is_layer and origin.tree != own]
        return tuple(origin.owner for origin in functions if self._has_own(origin, module))

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

    def requirements(self, mount: Mount) -> str:
        """Return the file that lists a function's requirements; empty when it has none and cannot have one."""
        root = self.subject.project.root
        layers = {layer.logical_id: layer for layer in mount.stack.layers}
        mounted = [layer.logical_id for layer in reversed(mount.layers) if layer.logical_id in layers]
        folders = [*(layers[name].content_uri for name in mounted), mount.function.code_uri]
        for name in ("requirements.in", "requirements.txt"):
            for folder in folders:
                if isinstance(folder, str) and (root / folder / name).is_file():
                    return (Path(folder) / name).as_posix()

        own = mount.function.code_uri
        return (Path(own) / "requirements.txt").as_posix() if isinstance(own, str) and not self.package else ""

    def declare(self, module: str, mount: Mount) -> str:
        """Return the fix for a third-party module that a function lacks."""
        file, name = self.requirements(mount), distribution_of(module)
        rebuild = "run inv lock and inv build" if file.endswith(".in") else "build again"
        fix = f"add {name} to {file} and {rebuild}" if file else f"mount a layer that has {name}"
        if file and _lists(self.subject.project.root / file, name):
            fix = f"{file} lists {name}, but the built tree lacks it: {rebuild}"

        layers = self.layers(module, mount)
        fix = f"add !Ref {layers[0]} to its Layers, or {fix}" if layers else fix
        return f"check that {mount.unknown[0]} provides it, or {fix}" if mount.unknown else fix

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


def distribution_of(module: str) -> str:
    """Return the name of the distribution that has a module."""
    top = module.partition(".")[0]
    installed = _installed().get(top)
    return installed[0] if installed else _DISTRIBUTIONS.get(top, top.replace("_", "-"))


def _lists(file: Path, distribution: str) -> bool:
    """Return whether a requirements file has a line for a distribution."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    names = {canonicalize_name(match[0]) for line in lines if (match := _NAME.match(line))}
    return canonicalize_name(distribution) in names


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


@cache
def _installed() -> dict[str, list[str]]:
    return dict(metadata.packages_distributions())

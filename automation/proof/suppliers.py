"""Who has a module that a function lacks, and where it would have to be asked for."""

import difflib
import re
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from packaging.utils import canonicalize_name

from automation.lambda_runtime.mounts import Mount
from automation.proof import finder
from automation.proof.model import Subject
from automation.proof.origins import Origin

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# Import names of which the distribution's cannot be guessed; what is installed here is asked first.
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
    """The built trees of a project, asked for modules."""

    subject: Subject

    def functions(self, module: str, mount: Mount) -> tuple[str, ...]:
        """The other functions whose own code has a module."""
        own = mount.task.resolve()
        origins = self.subject.origins
        return tuple(
            one.owner for one in origins.trees if not one.is_layer and one.tree != own and self._has_own(one, module)
        )

    def layers(self, module: str, mount: Mount) -> tuple[str, ...]:
        """The layers of a function's template that have a module and that it does not mount."""
        mounted = {layer.logical_id for layer in mount.layers}
        return tuple(
            one.owner
            for one in self.subject.origins.trees
            if one.is_layer and one.stack == mount.stack.name and one.owner not in mounted and _file(one, module)
        )

    def source(self, module: str) -> str:
        """The source of a module of the project's package, in an artifact or not; empty when there is none."""
        path = module.replace(".", "/")
        root = self.subject.project.root
        if not self.package or not f"{module}.".startswith(f"{self.package}."):
            return ""
        return next((name for name in (f"{path}.py", f"{path}/__init__.py", path) if (root / name).exists()), "")

    def requirements(self, mount: Mount) -> str:
        """The file in which a function's requirements are asked for; empty when it has none, and may have none."""
        root = self.subject.project.root
        layers = {layer.logical_id: layer for layer in mount.stack.layers}
        folders = [layers[one.logical_id].content_uri for one in reversed(mount.layers) if one.logical_id in layers]
        for name in ("requirements.in", "requirements.txt"):
            for folder in [*folders, mount.function.code_uri]:
                if isinstance(folder, str) and (root / folder / name).is_file():
                    return (Path(folder) / name).as_posix()
        own = mount.function.code_uri
        return (Path(own) / "requirements.txt").as_posix() if isinstance(own, str) and not self.package else ""

    def declare(self, module: str, mount: Mount) -> str:
        """What to do about a third-party module that a function lacks."""
        file, name = self.requirements(mount), distribution_of(module)
        again = "run inv lock and inv build" if file.endswith(".in") else "build again"
        ask = f"add {name} to {file} and {again}" if file else f"mount a layer that has {name}"
        if file and _is_asked_for(name, (self.subject.project.root / file)):
            ask = f"{file} asks for {name}, and what was built has it not: {again}"
        layers = self.layers(module, mount)
        ask = f"add !Ref {layers[0]} to its Layers, or {ask}" if layers else ask
        return f"see that {mount.unknown[0]} brings it, or {ask}" if mount.unknown else ask

    @property
    def package(self) -> str:
        return self.subject.project.package

    def _has_own(self, origin: Origin, module: str) -> bool:
        file = _file(origin, module)
        is_installed = module.partition(".")[0] in finder.distributed(origin.tree)
        return file is not None and not is_installed and self.subject.origins.is_own(file)


def _is_asked_for(distribution: str, file: Path) -> bool:
    """Does a requirements file have a line for a distribution?"""
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    names = {canonicalize_name(found[0]) for line in lines if (found := _NAME.match(line))}
    return canonicalize_name(distribution) in names


def near(name: str, names: frozenset[str]) -> str:
    """`; did you mean x?`, or nothing when no name is like it."""
    found = difflib.get_close_matches(name, sorted(names), n=2, cutoff=0.6)
    return f"; did you mean {' or '.join(found)}?" if found else ""


def distribution_of(module: str) -> str:
    """The name under which an index has a module."""
    top = module.partition(".")[0]
    here = _installed().get(top)
    return here[0] if here else _DISTRIBUTIONS.get(top, top.replace("_", "-"))


def _file(origin: Origin, module: str) -> Path | None:
    """The file or the folder of a module in a tree."""
    path = Path(*module.split("."))
    roots = (
        [origin.tree / "python", *origin.tree.glob("python/lib/*/site-packages")] if origin.is_layer else [origin.tree]
    )
    for root in roots:
        for found in (root / f"{path}.py", root / path / "__init__.py", root / path):
            if found.exists():
                return found
    return None


@cache
def _installed() -> dict[str, list[str]]:
    return dict(metadata.packages_distributions())

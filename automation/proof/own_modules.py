"""Modules of the project that an import misses by its name: a wrong root, another case, a folder outside CodeUri."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from automation.building import parent_packages
from automation.lambda_runtime.mounts import Mount
from automation.lambda_runtime.paths import LAYER_MODULES


@dataclass(frozen=True, slots=True)
class OwnModules:
    """The project's own modules, as far as a function may mean them.

    Attributes:
        root: the project root.
    """

    root: Path
    mount: Mount

    def fix(self, module: str) -> str:
        """Return what to change so that an import finds the module that it means; empty when there is none."""
        fix = self._below_parent_packages(module) or self._rooted(module)
        return fix or self._in_another_case(module) or self._outside(module)

    def _below_parent_packages(self, module: str) -> str:
        """Return the fix of an import that misses a module below the parent packages of the code."""
        packages = parent_packages.folder(self.mount.function, self.root)
        path = module.replace(".", "/")
        if not packages or not path.startswith(f"{packages}/"):
            return ""
        missing = PurePosixPath(str(self.mount.function.code_uri)) / path.removeprefix(f"{packages}/")
        return f"add {missing}.py, or correct the import"

    def _rooted(self, module: str) -> str:
        """Return the fix of an import that begins with the name of the folder which Lambda takes as the root."""
        for folder in self._folders():
            names, parts = module.split("."), PurePosixPath(folder).parts
            for count in range(min(len(names), len(parts)), 0, -1):
                rest = ".".join(names[count:])
                if tuple(names[:count]) == parts[-count:] and (not rest or self._is_built(rest)):
                    prefix = ".".join(names[:count])
                    means = f"import {rest} instead of {module}" if rest else f"remove {prefix} from the import"
                    return f"{folder}/ is the root on Lambda: {means}"
        return ""

    def _in_another_case(self, module: str) -> str:
        """Return the fix of an import whose name differs from a file only in upper and lower case."""
        for site in self._sites():
            path = _path_in_another_case(site, module.split("."))
            if path is not None:
                names = path.relative_to(site).with_suffix("").parts
                right = ".".join(names)
                return f"import {right} instead of {module}: the file is {path.name}, and on Lambda case counts"
        return ""

    def _outside(self, module: str) -> str:
        """Return the fix of an import whose module is in the project, but not in what the function is built from."""
        uri = self.mount.function.code_uri
        if not isinstance(uri, str):
            return ""

        for folder in (PurePosixPath(uri), *PurePosixPath(uri).parents):
            path = _module_path(self.root / folder.parent, module)
            if path is not None:
                top = (folder.parent / module.split(".", maxsplit=1)[0]).as_posix()
                top += "" if (self.root / top).is_dir() else ".py"
                label = path.relative_to(self.root).as_posix()
                return f"{label} is outside {uri}/: move {top} into it, or into a layer of the function"
        return ""

    def _folders(self) -> Iterator[str]:
        """Yield the source folders of a function and of its layers."""
        layers = {layer.logical_id: layer for layer in self.mount.stack.layers}
        mounted = [layers[layer.logical_id] for layer in self.mount.layers if layer.logical_id in layers]
        for uri in (self.mount.function.code_uri, *(layer.content_uri for layer in mounted)):
            if isinstance(uri, str) and PurePosixPath(uri).name:
                yield PurePosixPath(uri).as_posix()

    def _sites(self) -> Iterator[Path]:
        yield self.mount.task
        yield from (layer.tree / LAYER_MODULES for layer in self.mount.layers)

    def _is_built(self, module: str) -> bool:
        return any(_module_path(site, module) is not None for site in self._sites())


def _module_path(folder: Path, module: str) -> Path | None:
    """Return the file of a module below a folder; None when there is none."""
    path = folder.joinpath(*module.split("."))
    candidates = (path.with_name(f"{path.name}.py"), path / "__init__.py")
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _path_in_another_case(folder: Path, names: list[str]) -> Path | None:
    """Return the file or folder whose path differs from dotted names only in upper and lower case."""
    path = folder
    for name in names:
        wanted = {name.lower(), f"{name.lower()}.py"}
        entries = sorted(path.iterdir()) if path.is_dir() else []
        match = next((entry for entry in entries if entry.name.lower() in wanted), None)
        if match is None:
            return None
        path = match
    return path

"""Who may provide a module that the built trees lack: the runtime, a layer by ARN, a macro, a file system."""

from itertools import chain

from automation.lambda_runtime import provided, public_layers, runtime
from automation.lambda_runtime.mounts import Mount
from automation.lambda_runtime.paths import LAYER_MODULES, site_packages
from automation.lambda_runtime.public_layers import PublicLayer
from automation.project import alternatives

_ALL_MINORS = 99


def provider(mount: Mount, module: str, *, changes_path: bool) -> str:
    """Return who may provide a module, as the end of a sentence: `the runtime provides`; empty when nobody may.

    Args:
        changes_path: the function's code adds folders to sys.path.
    """
    if provided.brings(minor_of(mount), _top(module)):
        if module == _top(module):
            return "the runtime provides"
        return "" if ships(mount, module) else "the runtime's own version may provide"
    if is_provided(mount, module):
        return "a public layer provides"
    if layers := unknown_layers(mount):
        if set(layers) <= set(mount.macros):
            return f"{layers[0]} may provide"
        is_unbuilt = not set(mount.unbuilt).isdisjoint(layers)
        return "a layer without a built tree may provide" if is_unbuilt else "a layer outside the template may provide"
    if may_be_mounted(mount, changes_path=changes_path):
        return "its file system may provide"
    return ""


def is_provided(mount: Mount, module: str) -> bool:
    """Return whether the managed runtime, or a known public layer of a function, has a module.

    Of the runtime's packages only the name is certain: which version it has, and so which submodules, is not known.
    """
    top = _top(module)
    if provided.brings(minor_of(mount), top):
        return module == top
    layers = (_public_layer(layer, mount) for layer in mount.unknown)
    return any(layer is not None and top in layer.brings for layer in layers)


def ships(mount: Mount, module: str) -> bool:
    """Return whether a function's own tree or one of its layers has the top-level package of a module."""
    inner = (LAYER_MODULES, f"{LAYER_MODULES}/{site_packages(str(mount.function.runtime))}")
    folders = [mount.task]
    for layer in mount.layers:
        folders += [layer.tree / folder for folder in inner]
    return any((folder / _top(module)).is_dir() or (folder / f"{_top(module)}.py").is_file() for folder in folders)


def unknown_layers(mount: Mount) -> tuple[str, ...]:
    """Return the layers of a function that may have modules which are not known here."""
    known = {layer: _public_layer(layer, mount) for layer in mount.unknown}
    return tuple(layer for layer, public in known.items() if public is None or not public.is_complete)


def may_be_mounted(mount: Mount, *, changes_path: bool) -> bool:
    """Return whether a function imports from a file system, whose files are not known here."""
    folders = file_systems(mount)
    python_path = str(runtime.variables(mount).get("PYTHONPATH", ""))
    return bool(folders) and (changes_path or any(folder in python_path for folder in folders))


def file_systems(mount: Mount) -> tuple[str, ...]:
    """Return the folders at which a function mounts file systems."""
    configs = mount.function.properties.get("FileSystemConfigs")
    choices = alternatives.possible(configs, mount.stack.template, mount.stack.parameters)
    entries = chain.from_iterable(choice for choice in choices if isinstance(choice, list))
    folders = (str(entry.get("LocalMountPath", "")) for entry in entries if isinstance(entry, dict))
    return tuple(dict.fromkeys(folders))


def _public_layer(layer: str, mount: Mount) -> PublicLayer | None:
    template = mount.stack.template
    return public_layers.known(layer, template.resources, mappings=template.mappings)


def _top(module: str) -> str:
    return module.partition(".")[0]


def minor_of(mount: Mount) -> int:
    """Return the 12 of `python3.12`; a runtime that is not known counts as the newest."""
    minor = str(mount.function.runtime).rpartition(".")[2]
    return int(minor) if minor.isdigit() else _ALL_MINORS

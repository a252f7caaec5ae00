"""Who may provide a module that the built trees lack: the runtime, a layer by ARN, a mounted file system."""

from automation.lambda_runtime import provided, public_layers, runtime
from automation.lambda_runtime.mounts import Mount

_ALL_MINORS = 99


def provider(mount: Mount, module: str, *, changes_path: bool) -> str:
    """Return who may provide a module, as the end of a sentence: `the runtime provides`; empty when nobody may.

    Args:
        changes_path: the function's code adds folders to sys.path.
    """
    top = module.partition(".")[0]
    if provided.brings(minor_of(mount), top):
        return "the runtime provides"
    if is_provided(mount, top):
        return "a public layer provides"
    if unknown_layers(mount):
        return "a layer outside the template may provide"
    if may_be_mounted(mount, changes_path=changes_path):
        return "its file system may provide"
    return ""


def is_provided(mount: Mount, top: str) -> bool:
    """Return whether the managed runtime, or a known public layer of a function, has a top-level module."""
    if provided.brings(minor_of(mount), top):
        return True
    resources = mount.stack.template.resources
    layers = (public_layers.known(layer, resources) for layer in mount.unknown)
    return any(layer is not None and top in layer.brings for layer in layers)


def unknown_layers(mount: Mount) -> tuple[str, ...]:
    """Return the layers of a function that may have modules which are not known here."""
    resources = mount.stack.template.resources
    known = {layer: public_layers.known(layer, resources) for layer in mount.unknown}
    return tuple(layer for layer, public in known.items() if public is None or not public.is_complete)


def may_be_mounted(mount: Mount, *, changes_path: bool) -> bool:
    """Return whether a function imports from a file system, whose files are not known here."""
    folders = file_systems(mount)
    python_path = str(runtime.variables(mount).get("PYTHONPATH", ""))
    return bool(folders) and (changes_path or any(folder in python_path for folder in folders))


def file_systems(mount: Mount) -> tuple[str, ...]:
    """Return the folders at which a function mounts file systems."""
    configs = mount.function.properties.get("FileSystemConfigs")
    entries = [config for config in configs if isinstance(config, dict)] if isinstance(configs, list) else []
    return tuple(str(entry.get("LocalMountPath", "")) for entry in entries)


def minor_of(mount: Mount) -> int:
    """Return the 12 of `python3.12`; a runtime that is not known counts as the newest."""
    minor = str(mount.function.runtime).rpartition(".")[2]
    return int(minor) if minor.isdigit() else _ALL_MINORS

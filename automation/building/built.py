"""Read the last build: its templates, its parameters, its trees, and what Lambda mounts for each function."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from automation.building import manifests, outputs
from automation.lambda_runtime import handlers
from automation.lambda_runtime.mounts import Mount, MountedLayer
from automation.project import macros, model, passed_layers, templates
from automation.project.model import Function, Project, Stack
from automation.system.errors import ConfigurationError

CODE_KEYS = ("CodeUri", "ContentUri", "Code", "Content")


def built_template(stack: Stack, root: Path) -> Path:
    return root / stack.build_dir / outputs.TEMPLATE


def deployed_template(stack: Stack, root: Path) -> Path:
    """Return the template to deploy: the one that names zips if the engine packed them, otherwise the built one."""
    packed = root / stack.build_dir / outputs.PACKED
    return packed if packed.is_file() else built_template(stack, root)


def as_built(project: Project) -> Project:
    """Return the project resolved with the parameters of its last build, so that it describes the built artifacts.

    Raises:
        ConfigurationError: a stack has never been built.
    """
    require_built(project)
    stacks = [
        model.with_parameters(stack, manifests.read(project.root, stack.name).parameters) for stack in project.stacks
    ]
    return replace(project, stacks=tuple(stacks))


def require_built(project: Project) -> None:
    """Check that every stack has been built.

    Raises:
        ConfigurationError: a stack has never been built.
    """
    for stack in project.stacks:
        if not built_template(stack, project.root).is_file():
            raise ConfigurationError("there is no build; run inv build", where=stack.build_dir)


def read_built(stack: Stack, root: Path) -> templates.Template:
    """Return the built template, whose code folders are the artifacts, relative to the folder of the template."""
    path, name = built_template(stack, root), f"{stack.build_dir}/{outputs.TEMPLATE}"
    return templates.read(path, name=name, cache=root / templates.PARSED, remember=True)


def mounts_of_project(project: Project) -> tuple[Mount, ...]:
    """Return the mounts of every function whose code was built, in the order of the templates.

    Raises:
        ConfigurationError: a stack was never built.
    """
    require_built(project)
    stacks = {stack.name: stack for stack in project.stacks}
    built = {name: trees(stack, project.root) for name, stack in stacks.items()}
    mounts: list[Mount] = []
    for stack in project.stacks:
        mounts += [
            _mount(function, stack, stacks, built)
            for function in stack.functions
            if function.logical_id in built[stack.name]
        ]
    return tuple(mounts)


def trees(stack: Stack, root: Path) -> dict[str, Path]:
    """Return the built tree of each function and layer of a stack, by logical id.

    What was not built keeps the path of its source, which does not count, unless its build is skipped on purpose.
    """
    template, build_dir = templates.expanded(read_built(stack, root), stack.parameters), root / stack.build_dir
    ready = {owner.logical_id for owner in stack.owners if owner.metadata.get("SkipBuild")}
    trees_by_id: dict[str, Path] = {}
    for logical_id, resource in template.resources.items():
        properties = resource.get("Properties") or {}
        for key in CODE_KEYS:
            # SAM CLI looks up the folders of what a loop adds in a mapping.
            uri = templates.resolve(properties.get(key), template, stack.parameters)
            is_local = isinstance(uri, str) and (build_dir / uri).is_dir()
            if is_local and (logical_id in ready or not uri.startswith("..")):
                trees_by_id[logical_id] = build_dir / uri
    return trees_by_id


def _mount(
    function: Function, stack: Stack, stacks: Mapping[str, Stack], built: Mapping[str, Mapping[str, Path]]
) -> Mount:
    layers: list[MountedLayer] = []
    without_tree: list[passed_layers.Origin] = []
    for origin in passed_layers.of_function(function, stack, stacks):
        tree = None if isinstance(origin, str) else built[origin[0]].get(origin[1])
        if tree is None:
            without_tree.append(origin)
        else:
            layers.append(MountedLayer(passed_layers.name(origin, stack), tree))
    mentioned = tuple(f"the macro {name}" for name in macros.of_function(function, stack.template))
    return Mount(
        stack=stack,
        function=handlers.unwrapped(function, stack),
        task=built[stack.name][function.logical_id],
        layers=tuple(layers),
        unknown=(*(passed_layers.name(origin, stack) for origin in without_tree), *mentioned),
        unbuilt=tuple(passed_layers.name(origin, stack) for origin in without_tree if not isinstance(origin, str)),
        macros=mentioned,
    )

"""Plan what deployed functions must get so that they run the last build, and give it to them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain

from automation.building.built_code import BuiltZip
from automation.deploying.stacks import live_code
from automation.deploying.watching.declared import DeclaredFunction, DeclaredLayer
from automation.lambda_runtime.mounts import Mount
from automation.system.invocations import RunningCode

# Source: AWS Lambda developer guide, "Lambda quotas": the zip of a request; a larger one must be in S3.
DIRECT_LIMIT_BYTES = 50_000_000
_CONCURRENT_CALLS = 8

type Zips = Mapping[tuple[str, str], BuiltZip]  # by stack and logical id


@dataclass(frozen=True, slots=True)
class LiveFunction:
    """A deployed function, with what it runs now."""

    declared: DeclaredFunction
    running: RunningCode

    @property
    def key(self) -> tuple[str, str]:
        """Its stack and logical id."""
        return self.declared.stack, self.declared.name


@dataclass(frozen=True, slots=True)
class WantedLayer:
    """A layer that a function is to mount: the ARN of its version, or the zip to publish as one."""

    declared: DeclaredLayer
    arn: str = ""
    zip: BuiltZip | None = None

    @property
    def key(self) -> tuple[str, str]:
        """The layer's name in the account, and the digest of the zip."""
        return self.declared.layer, self.zip.digest if self.zip else ""


@dataclass(frozen=True, slots=True)
class Update:
    """What a function gets.

    Attributes:
        zip: its new code; None when it runs that already.
        layers: all that it is to mount; empty when it mounts them already.
        obstacle: why it cannot be updated, as the end of a sentence about it; empty when it can.
    """

    function: LiveFunction
    zip: BuiltZip | None = None
    layers: tuple[WantedLayer, ...] = ()
    obstacle: str = ""

    @property
    def name(self) -> str:
        """The function's logical id."""
        return self.function.declared.name

    @property
    def content(self) -> tuple[str, ...]:
        """What it gives to the function: the same is not proven again when its proof has failed."""
        return (self.zip.digest if self.zip else "", *(layer.zip.digest if layer.zip else "" for layer in self.layers))


@dataclass(slots=True)
class Publications:
    """The versions of layers in the account, whose content is known.

    Attributes:
        released: the digests of the zips that a deployment has published, by ARN.
        own: the ARN of what was published here, by the layer's name and the digest of its zip.
    """

    released: Mapping[str, str] = field(default_factory=dict)
    own: dict[tuple[str, str], str] = field(default_factory=dict)

    def find(self, layer: WantedLayer) -> str:
        """Return the ARN of a version with the wanted content; empty when there is none yet."""
        if layer.zip is None:
            return layer.arn
        if self.released.get(layer.declared.arn) == layer.zip.digest:
            return layer.declared.arn
        return self.own.get(layer.key, "")


def plan(
    functions: Iterable[LiveFunction], mounts: Mapping[tuple[str, str], Mount], zips: Zips, published: Publications
) -> tuple[Update, ...]:
    """Return an update for each function that runs something else than the last build.

    Args:
        mounts: what the build would mount, by stack and logical id; the proof is about exactly that.
    """
    updates = [_update(function, mounts.get(function.key), zips, published) for function in functions]
    return tuple(update for update in updates if update is not None)


def _update(function: LiveFunction, mount: Mount | None, zips: Zips, published: Publications) -> Update | None:
    own = zips.get(function.key)
    if own is None or mount is None:
        return None
    layers = [_wanted(layer, function.declared.stack, zips, published) for layer in function.declared.layers]
    has_other_layers = tuple(layer.arn for layer in layers) != function.running.layers
    has_other_code = own.digest != function.running.digest
    if not (has_other_code or has_other_layers):
        return None

    obstacle = _obstacle(function, mount, layers, own if has_other_code else None)
    return Update(function, own if has_other_code else None, tuple(layers) if has_other_layers else (), obstacle)


def _wanted(layer: DeclaredLayer, stack: str, zips: Zips, published: Publications) -> WantedLayer:
    built = zips.get((stack, layer.name)) if layer.name else None
    if built is None:
        return WantedLayer(layer, layer.arn)
    wanted = WantedLayer(layer, zip=built)
    return WantedLayer(layer, published.find(wanted), built)


def _obstacle(function: LiveFunction, mount: Mount, layers: Sequence[WantedLayer], new_code: BuiltZip | None) -> str:
    """Return why the function cannot be updated: the proof must be about exactly what it would run."""
    declared, running = function.declared, function.running
    if declared.obstacle:
        return declared.obstacle
    # The mount has the handler behind a wrapper, Lambda the wrapper itself.
    function_now = next(entry for entry in mount.stack.functions if entry.logical_id == declared.name)
    settings = {"Handler": function_now.handler, "Runtime": function_now.runtime}
    deployed = {"Handler": running.handler, "Runtime": running.runtime}
    changed = [name for name, value in settings.items() if str(value) != deployed[name]]
    mounted = [layer.logical_id for layer in mount.layers]
    if mounted != [layer.declared.name for layer in layers if layer.zip is not None]:
        changed.append("Layers")
    if changed:
        return f"what is deployed has another {' and '.join(changed)} than the template"

    new_layers = [layer for layer in layers if layer.zip is not None and layer.arn != layer.declared.arn]
    installed = [layer.declared.name for layer in new_layers if layer.zip and layer.zip.is_installed]
    if installed:
        return f"the requirements of {', '.join(installed)} differ from what is deployed"
    zips = [layer.zip for layer in new_layers if layer.zip] + ([new_code] if new_code else [])
    if any(built.size_bytes > DIRECT_LIMIT_BYTES for built in zips):
        return f"a zip of more than {DIRECT_LIMIT_BYTES // 1_000_000} MB can only be deployed"
    return ""


def apply(
    updates: Sequence[Update],
    code: live_code.Code,
    published: Publications,
    *,
    description: str,
    on_updated: Callable[[LiveFunction], None] = lambda _: None,
) -> None:
    """Publish the new layers, then update the functions side by side: first the layers of each, then its code.

    Lambda has no call that replaces both, so for a moment the old code runs on the new layers.

    Args:
        description: of the layer versions.
        on_updated: called with each function as it runs then; not in the order of the updates.

    Raises:
        DeploymentError: Lambda refused an update, or did not answer; the others are made.
    """
    for layer in chain.from_iterable(update.layers for update in updates):
        if layer.zip is not None and not published.find(layer):
            content, model_arn = layer.zip.read(), layer.declared.arn
            arn = code.publish_layer(layer.declared.layer, content, model_arn=model_arn, description=description)
            published.own[layer.key] = arn

    def give(update: Update) -> None:
        on_updated(_give(update, code, published))

    with ThreadPoolExecutor(_CONCURRENT_CALLS) as pool:
        running = [pool.submit(give, update) for update in updates]
    for future in running:
        future.result()


def _give(update: Update, code: live_code.Code, published: Publications) -> LiveFunction:
    function, running = update.function.declared, update.function.running
    digest, layers = running.digest, running.layers
    if update.layers:
        layers = tuple(published.find(layer) for layer in update.layers)
        code.mount(function.physical_id, layers)
    if update.zip is not None:
        digest = update.zip.digest
        code.replace(function.physical_id, update.zip.read())
    return LiveFunction(function, RunningCode(digest, layers, running.handler, running.runtime))

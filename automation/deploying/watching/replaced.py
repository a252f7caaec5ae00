"""Find the functions whose code `inv watch` has replaced, and give them back what their release has.

CloudFormation changes nothing where the template is as deployed, so a deployment must restore the code itself. It does
so before its first change: then every stack is what CloudFormation takes it to be, also after a rollback.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePosixPath
from typing import Protocol

from automation.deploying.changes.model import Action, Rank, RankedChange
from automation.deploying.planning import Surroundings
from automation.deploying.releases import watch_marks
from automation.deploying.releases.records import Release
from automation.deploying.releases.watch_marks import WatchMark
from automation.deploying.stacks import live_code
from automation.deploying.watching import declared
from automation.deploying.watching.declared import DeclaredFunction
from automation.project.environments import StackSettings
from automation.system import console
from automation.system.digests import base64_of

_CONCURRENT_CALLS = 8
_SHA256_DIGITS = 64


class Sources(Protocol):
    """The connections that a comparison needs; connections.Connections has them."""

    @property
    def stacks(self) -> declared.Stacks:
        """The calls to CloudFormation."""
        ...

    @property
    def table(self) -> watch_marks.Table:
        """The table of releases."""
        ...

    @property
    def code(self) -> live_code.Code:
        """The calls to Lambda."""
        ...


@dataclass(frozen=True, slots=True)
class ReplacedFunction:
    """A function that runs other code, or mounts other layers, than its stack declares."""

    function: DeclaredFunction
    has_other_code: bool
    has_other_layers: bool

    @property
    def what(self) -> str:
        """What was replaced."""
        parts = ["code"] if self.has_other_code else []
        return " and ".join([*parts, *(["layers"] if self.has_other_layers else [])])


def description(environment: str) -> str:
    """Return the description of every layer version that `inv watch` publishes for an environment."""
    return f"inv watch --env {environment}: not part of a release"


@dataclass(frozen=True, slots=True)
class Watched:
    """What `inv watch` has left in an environment.

    Attributes:
        mark: None when it has replaced nothing since the last deployment; then the rest is empty.
        functions: all functions of the environment.
        replaced: those that run something else than their stacks declare.
    """

    mark: WatchMark | None = None
    functions: tuple[DeclaredFunction, ...] = ()
    replaced: tuple[ReplacedFunction, ...] = ()


def read(
    stacks: Sequence[StackSettings], connections: Sources, surroundings: Surroundings, released: Release | None
) -> Watched:
    """Return what `inv watch` has left; without its mark, nothing but the mark is asked for.

    Args:
        released: the release that runs; None when it is not known.

    Raises:
        DeploymentError: AWS did not answer.
    """
    mark = watch_marks.read(connections.table)
    if mark is None:
        return Watched()
    functions = declared.find(stacks, connections.stacks, surroundings)
    return Watched(mark, functions, find(functions, connections.code, released))


def find(
    functions: Iterable[DeclaredFunction], code: live_code.Code, released: Release | None
) -> tuple[ReplacedFunction, ...]:
    """Compare what functions run with what their stacks declare.

    Args:
        released: the release that runs; None when it is not known.

    Raises:
        DeploymentError: Lambda did not answer.
    """
    zipped = [function for function in functions if function.key]
    with ThreadPoolExecutor(_CONCURRENT_CALLS) as pool:
        running = list(pool.map(code.running, [function.physical_id for function in zipped]))
    compared = [
        ReplacedFunction(function, now.digest != declared_digest(function, released), now.layers != function.arns)
        for function, now in zip(zipped, running, strict=True)
    ]
    return tuple(entry for entry in compared if entry.has_other_code or entry.has_other_layers)


def declared_digest(function: DeclaredFunction, released: Release | None) -> str:
    """Return the digest of a function's declared zip, in base64; empty when it is not known.

    Our uploads have it in their key; for those of SAM the record of the release has it.
    """
    stem = PurePosixPath(function.key).stem
    if len(stem) == _SHA256_DIGITS:
        return base64_of(stem)
    stacks = released.stacks if released else ()
    recorded = next((stack.code for stack in stacks if stack.stack_name == function.stack_name), {})
    return base64_of(recorded[function.name]) if function.name in recorded else ""


def restore(watched: Watched, code: live_code.Code, table: watch_marks.Table, environment: str) -> None:
    """Give functions back the code and the layers that their stacks declare, then forget that any were replaced.

    Raises:
        DeploymentError: AWS refused a change, or did not answer; the mark stays, and the next deployment goes on.
    """
    if watched.mark is None:
        return
    with ThreadPoolExecutor(_CONCURRENT_CALLS) as pool:
        for entry in pool.map(lambda entry: _restore(entry, code), watched.replaced):
            console.result(f"{entry.function.name}: restored the {entry.what} of its release")
    forget(watched.functions, code, table, environment)


def _restore(entry: ReplacedFunction, code: live_code.Code) -> ReplacedFunction:
    function = entry.function
    if entry.has_other_layers:
        code.mount(function.physical_id, function.arns)
    if entry.has_other_code:
        code.restore(function.physical_id, function.bucket, function.key)
    return entry


def forget(
    functions: Iterable[DeclaredFunction], code: live_code.Code, table: watch_marks.Table, environment: str
) -> None:
    """Delete the layer versions that `inv watch` has published, and its mark.

    Raises:
        DeploymentError: AWS refused it, or did not answer.
    """
    layers = chain.from_iterable(function.layers for function in functions)
    for name in sorted({layer.layer for layer in layers if layer.name}):
        for arn in code.published_layers(name, description(environment)):
            code.delete_layer(arn)
    # The mark last: without it, nobody would look for what an interrupted restoration has left.
    table.remove_watch_mark()


def lines(replaced: Iterable[ReplacedFunction]) -> Iterator[RankedChange]:
    """Yield the line of a plan about each function whose code a deployment restores."""
    for entry in replaced:
        what = f"{entry.what}: inv watch has replaced what the release has; the deployment puts its own there"
        function = entry.function
        yield RankedChange(Rank.CODE, function.stack, function.name, declared.FUNCTION, Action.MODIFY, what)

"""Say what an environment contains, what goes and what stays."""

from collections.abc import Iterator
from itertools import chain

from automation.deploying.adoption import search
from automation.deploying.adoption.model import RetainedResource
from automation.deploying.destroying import removal as removals
from automation.deploying.destroying.inventory import StackContents
from automation.deploying.destroying.removal import Removal
from automation.deploying.verdict.aspects import noun
from automation.system import console, holdings

_COLUMNS = ("stack", "resource", "what", "content", "afterwards")
_STAYS, _GOES, _LOST = "stays", "deleted", "deleted with its data"
_LEFT = "(left over)"


def show(removal: Removal) -> None:
    """Print every stack with what is in it, what earlier stacks have left, and what becomes of each."""
    rows = list(chain.from_iterable(_rows(stack, removal) for stack in removal.inventory.stacks))
    rows += [_row(_LEFT, resource, removal, is_kept=True) for resource in removal.inventory.left]
    if rows:
        styles = {number: "red" for number, row in enumerate(rows) if row[-1] == _LOST}
        console.table(_COLUMNS, rows, styles=styles)
    console.results(lines(removal))


def lines(removal: Removal) -> Iterator[str]:
    """Yield what becomes of the stacks, the releases and the artifacts."""
    for stack in reversed(removal.inventory.stacks):
        others = ", ".join(holdings.count(number, name) for name, number in stack.others.items())
        yield f"{stack.state.name} ({stack.state.status}) is deleted{f', with {others}' if others else ''}"
    count = removal.inventory.releases
    if count is not None:
        yield f"{holdings.count(count, 'release')}: {_kept_unless(removals.RELEASES, is_deleted=removal.releases)}"
        artifacts = _kept_unless(removals.ARTIFACTS, is_deleted=removal.artifacts)
        yield f"the artifacts of these releases: {artifacts}"


def _kept_unless(name: str, *, is_deleted: bool) -> str:
    return "deleted" if is_deleted else f"kept (to delete them too: {removals.OPTION} {name})"


def _rows(stack: StackContents, removal: Removal) -> Iterator[tuple[str, ...]]:
    for resource in stack.data:
        yield _row(stack.name, resource, removal, is_kept=search.is_retained(resource))


def _row(stack: str, resource: RetainedResource, removal: Removal, *, is_kept: bool) -> tuple[str, ...]:
    holding = resource.holding
    is_deleted = removal.is_named(resource) or not is_kept
    has_data = holding is None or not holding.is_empty
    fate = (_LOST if has_data else _GOES) if is_deleted else _STAYS
    name = removals.label(resource, removal.inventory)
    return (stack, name, noun(resource.type), resource.text, fate)

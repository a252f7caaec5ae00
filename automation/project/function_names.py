"""What people may call a function or a layer: its logical id, its code folder, or the module of its handler."""

import difflib
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from automation.project.model import Function, Layer
from automation.system.errors import UsageError


def names_of(owner: Function | Layer) -> frozenset[str]:
    """Return the names of a function or layer: its logical id, its code folder, and the parts of its Handler.

    Two stacks may have the same logical id, so it is also a name behind that of the stack, as in `app/Orders`.
    """
    if isinstance(owner, Function):
        uri, modules = owner.code_uri, str(owner.handler).split(".")[:-1]
    else:
        uri, modules = owner.content_uri, []
    folder = PurePosixPath(str(uri or ""))
    logical_ids = (owner.logical_id, f"{owner.stack}/{owner.logical_id}")
    return frozenset({*logical_ids, str(folder), folder.name, *modules} - {"", "."})


def meant_by[Owner: (Function, Layer, Function | Layer)](name: str, owners: Iterable[Owner]) -> tuple[Owner, ...]:
    """Return the functions or layers with this logical id, otherwise those with this name in any spelling.

    A function that `inv new-function risk_check` wrote may be RiskCheckFunction in the folder risk-check.
    """
    listed = tuple(owners)
    by_id = tuple(owner for owner in listed if owner.logical_id == name)
    spelled = _spelled(name)
    return by_id or tuple(owner for owner in listed if spelled in map(_spelled, names_of(owner)))


def logical_ids(names: Iterable[str], owners: Sequence[Function | Layer], *, where: str = "") -> tuple[str, ...]:
    """Return the logical ids of the functions or layers that these names mean.

    Args:
        where: the command, for the error.

    Raises:
        UsageError: a name means none of them, or several.
    """
    ids: list[str] = []
    for name in names:
        namesakes = dict.fromkeys(owner.logical_id for owner in meant_by(name, owners))
        if len(namesakes) != 1:
            raise UsageError(_problem(name, tuple(namesakes), owners), where=where)
        ids += namesakes
    return tuple(ids)


def ids_or_names(names: Iterable[str], owners: Sequence[Function | Layer]) -> frozenset[str]:
    """Return the logical ids that these names mean; a name that means none stays: what it names may still be deployed.

    A name that several have stays, too.
    """
    ids: set[str] = set()
    for name in names:
        namesakes = {owner.logical_id for owner in meant_by(name, owners)}
        ids |= namesakes if len(namesakes) == 1 else {name}
    return frozenset(ids)


def find(name: str, functions: Sequence[Function], *, where: str = "") -> Function:
    """Return the function that this name means.

    Args:
        where: the command, for the error.

    Raises:
        UsageError: the name means none of them, or several.
    """
    namesakes = meant_by(name, functions)
    if len(namesakes) != 1:
        raise UsageError(_problem(name, [f"{own.stack}/{own.logical_id}" for own in namesakes], functions), where=where)
    return namesakes[0]


def _problem(name: str, namesakes: Sequence[str], owners: Sequence[Function | Layer]) -> str:
    is_of_functions = all(isinstance(owner, Function) for owner in owners)
    kind, kinds = ("function", "functions") if is_of_functions else ("function or layer", "functions and layers")
    if namesakes:
        return f"{name!r} names more than one {kind}: {', '.join(namesakes)}; type one of these"
    known = list(dict.fromkeys(owner.logical_id for owner in owners))
    near = difflib.get_close_matches(name, known, n=1)
    choice = f"did you mean {near[0]}? The {kinds} are" if near else f"the {kinds} are"
    return f"there is no {kind} {name!r}; {choice}: {', '.join(known)}"


def _spelled(name: str) -> str:
    return name.strip("/").replace("-", "_").casefold()

"""Prove that the built artifacts work on Lambda: import every handler on what will be mounted, and check every rule."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automation import proven
from automation.lambda_runtime import public_layers
from automation.project import function_names, skipped
from automation.project.model import Project
from automation.proof import cases, evidence, freshness, model, records
from automation.proof.evidence import Evidence, ProofMethod
from automation.proof.model import Severity, Subject
from automation.proof.records import Sources
from automation.system import console
from automation.system.errors import CheckFailedError, ConfigurationError, Finding, UsageError

if TYPE_CHECKING:
    from automation.proof.rules import BrokenRule

_NOT_BUILT = "was not built; run inv build"


@dataclass(frozen=True, slots=True)
class Proof:
    """The result of a proof.

    Attributes:
        functions: the evidence about each function, in the order of the templates.
        unbuilt: why a function, a layer, a nested application or a stack has no built tree, by its name.
        sources: what `outdated` was found from, as it was before.
        missing: what `inv build` should have built and did not, by its name; of the named functions, if there are any.
        counts: how many functions and layers there are, and what became of them.
        broken: errors first.
        outdated: sources that changed since the build, so that the proof is about their old content.
    """

    functions: tuple[Evidence, ...]
    unbuilt: Mapping[str, str]
    counts: str
    broken: "tuple[BrokenRule, ...]"
    seconds: float
    outdated: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    sources: Sources = field(default_factory=Sources)

    @property
    def errors(self) -> "tuple[BrokenRule, ...]":
        return tuple(broken for broken in self.broken if broken.fault.severity is Severity.ERROR)

    @property
    def warnings(self) -> "tuple[BrokenRule, ...]":
        return tuple(broken for broken in self.broken if broken.fault.severity is Severity.WARNING)


def prove(loaded: Project, *, names: Iterable[str] = (), is_fresh: bool = False) -> Proof:
    """Import every handler and check every rule.

    Args:
        names: of functions; when there are any, no other function is imported or read.
        is_fresh: the build was made just now, so the sources need not be compared with it.

    Raises:
        ConfigurationError: a stack was not built.
        UsageError: one of the names means no function, or several.
        ToolError: there is no interpreter to import with.
    """
    started, names = time.monotonic(), _logical_ids(names, loaded)
    without_evidence = model.subject_of(loaded)
    with _importing(without_evidence, names) as finish:
        from automation.proof import rules  # noqa: PLC0415 - they load while the handlers are imported

        broken = rules.check(rules.EARLY, without_evidence)
        sources, outdated = Sources(), tuple[str, ...]()
        if not is_fresh:
            sources = records.sources(loaded.root, freshness.compared(without_evidence))
            outdated = freshness.outdated(without_evidence)
        subject = without_evidence.with_evidence(finish())
    with console.progress("checking"):
        broken += rules.check(rules.LATE, subject)

    reported = sorted(rules.distinct(broken), key=lambda item: (item.fault.severity, item.rule.id, item.fault.where))
    return Proof(
        functions=subject.evidence,
        unbuilt=_unbuilt(subject),
        counts=skipped.counts(loaded.stacks, frozenset(subject.trees)),
        broken=tuple(reported),
        seconds=time.monotonic() - started,
        outdated=outdated,
        missing=_missing(subject, names),
        sources=sources,
    )


def gather(loaded: Project, *, names: tuple[str, ...] = (), site: Path | None = None) -> Subject:
    """Gather everything that the rules check.

    Args:
        names: logical ids of the functions whose code is read; none means all.
        site: a folder to use as the packages of the managed runtime instead of runtime.py's.

    Raises:
        ConfigurationError: a stack was not built.
        ToolError: there is no interpreter to import with.
    """
    subject = model.subject_of(loaded, site)
    with _importing(subject, names) as finish:
        return subject.with_evidence(finish())


def prove_once(loaded: Project) -> Proof | None:
    """Prove a project and require that it has no errors; return None when the same state has passed before.

    Raises:
        CheckFailedError: the proof found errors; its findings list all of them.
        ConfigurationError: functions were not built.
    """
    state = records.state(loaded)
    if records.read(loaded.root, state) is not None:
        return None
    proof = prove(loaded)
    if proof.errors:
        raise CheckFailedError(_failure(proof), findings=findings(proof))
    record(loaded, state, proof)
    return proof


def record(loaded: Project, state: str, proof: Proof) -> None:
    """Record a passed proof of everything; a failed state is always proven again.

    Args:
        state: as `records.state` returned it before the proof.

    Raises:
        CheckFailedError, ConfigurationError: as `require_no_errors`.
    """
    require_no_errors(proof)
    # A Python that is installed later could import what was only read.
    is_imported = all(function.method is not ProofMethod.STATIC for function in proof.functions)
    shown = {**_shown(proof), "json": as_json(proof)} if is_imported else None
    records.write(loaded.root, state, shown, sources=None if proof.outdated else proof.sources)


def require_no_errors(proof: Proof) -> None:
    """Fail when the proof has errors, which the caller has already printed, or when it lacks functions.

    Raises:
        CheckFailedError: there are errors; it carries no findings.
        ConfigurationError: functions were not built.
    """
    if proof.errors:
        raise CheckFailedError(_failure(proof))
    if proof.missing:
        message = f"{cases.some(list(proof.missing))} not built, so not proven; run inv build"
        raise ConfigurationError(message, where="prove")


def findings(proof: Proof) -> tuple[Finding, ...]:
    """Return the errors as findings, for a caller that prints no table."""
    return tuple(
        Finding(broken.fault.where, f"{broken.rule.id}: {broken.fault.what}", broken.fault.fix)
        for broken in proof.errors
    )


def show(proof: Proof) -> None:
    """Print the functions and what was skipped, then the faults rule by rule, then a summary."""
    proven.print_shown(_shown(proof), proof.outdated)


def _shown(proof: Proof) -> dict[str, Any]:
    """Return what a proof shows, as JSON values."""
    repeated = _repeated(proof.functions)
    rows = [_row(function, repeated) for function in proof.functions]
    rows += [(name, str(ProofMethod.SKIPPED), "", "", why) for name, why in proof.unbuilt.items()]
    return {
        "rows": rows,
        "errors": [{**_fault_json(broken), "title": broken.rule.title} for broken in proof.errors],
        "warnings": [{**_fault_json(broken), "title": broken.rule.title} for broken in proof.warnings],
        "counts": proof.counts,
        "summary": _summary(proof),
    }


def show_json(proof: Proof) -> None:
    """Print the proof as JSON."""
    console.result_json(as_json(proof))


def as_json(proof: Proof) -> dict[str, Any]:
    """Return the proof for programs; times are in seconds."""
    return {
        "functions": [_function_json(function) for function in proof.functions],
        "unbuilt": dict(proof.unbuilt),
        "counts": proof.counts,
        "outdated": list(proof.outdated),
        "errors": [_fault_json(broken) for broken in proof.errors],
        "warnings": [_fault_json(broken) for broken in proof.warnings],
        "seconds": proof.seconds,
    }


def _unbuilt(subject: Subject) -> dict[str, str]:
    """Return why something has no built tree, by its name; with its stack where several have that name."""
    without_tree = skipped.without_tree(subject.project.stacks, frozenset(subject.trees))
    reasons = {(stack.name, entry.logical_id): entry.why for stack, entry in without_tree}
    for owner in _owners(subject):
        if owner not in subject.trees:
            reasons.setdefault(owner, _NOT_BUILT)

    names = [name for _, name in reasons]
    unbuilt = {_label(stack, name, repeated=names.count(name) > 1): why for (stack, name), why in reasons.items()}
    return unbuilt | {f"stack {name}": f"cannot be read: {why}" for name, why in subject.project.unread.items()}


def _missing(subject: Subject, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return what a build should have built and did not, what has no template that can be read included.

    Args:
        names: of functions; then only these and the layers that they mount count, if there are any.
    """
    without_tree = skipped.without_tree(subject.project.stacks, frozenset(subject.trees))
    excused = {(stack.name, entry.logical_id) for stack, entry in without_tree} | subject.trees.keys()
    missing = [owner[1] for owner in _owners(subject) if owner not in excused]
    missing += [entry.logical_id for _, entry in without_tree if entry.is_fault]
    missing += [f"stack {name}" for name in subject.project.unread]
    chosen = [mount for mount in subject.mounts if mount.function.logical_id in names]
    wanted = {*names, *chain.from_iterable(mount.unbuilt for mount in chosen)}
    return tuple(name for name in missing if not names or name in wanted)


def _owners(subject: Subject) -> list[tuple[str, str]]:
    """Return the stack and the logical id of every function and layer."""
    owners: list[tuple[str, str]] = []
    for stack in subject.project.stacks:
        owners += [(stack.name, owner.logical_id) for owner in stack.owners]
    return owners


def _label(stack: str, name: str, *, repeated: bool) -> str:
    return f"{stack}: {name}" if repeated else name


def _repeated(functions: Iterable[Evidence]) -> frozenset[str]:
    """Return the logical ids that several stacks have."""
    names = [function.mount.function.logical_id for function in functions]
    return frozenset(name for name in names if names.count(name) > 1)


@contextmanager
def _importing(subject: Subject, names: tuple[str, ...]) -> Iterator[Callable[[], tuple[Evidence, ...]]]:
    chosen = tuple(mount for mount in subject.mounts if not names or mount.function.logical_id in names)
    root, site = subject.project.root, subject.runtime_site
    with (
        console.steps("importing", len(chosen)) as advance,
        evidence.gathering(chosen, root, site=site, origins=subject.origins, on_imported=advance) as finish,
    ):
        yield finish


def _logical_ids(names: Iterable[str], loaded: Project) -> tuple[str, ...]:
    """Return the logical ids of the functions that these names mean; one may stand in a template that is unreadable."""
    try:
        return function_names.logical_ids(names, loaded.functions, where="prove")
    except UsageError as cause:
        for failure in loaded.unread.values():
            raise failure from cause
        raise


def _row(function: Evidence, repeated: frozenset[str]) -> tuple[str, str, str, str, str]:
    name = function.mount.function.logical_id
    label = _label(function.mount.stack.name, name, repeated=name in repeated)
    seconds = f"{function.imported.seconds:.2f}" if function.imported and function.imported.seconds else ""
    mount = function.mount
    layers = {
        "layers outside the template": [name for name in mount.unknown if name not in {*mount.unbuilt, *mount.macros}],
        "layers without a built tree": mount.unbuilt,
        "may be changed by": mount.macros,
        "layers that a condition may leave out": [layer.logical_id for layer in mount.optional],
    }
    method = "failed" if function.has_failed else str(function.method)
    remarks = [function.why]
    remarks += [f"{text}: {', '.join(map(public_layers.label, names))}" for text, names in layers.items() if names]
    return label, method, function.python, seconds, "; ".join(filter(None, remarks))


def _failure(proof: Proof) -> str:
    rules = sorted({broken.rule.id for broken in proof.errors})
    return f"{len(proof.errors)} fault(s) would fail on Lambda: {', '.join(rules)}"


def _function_json(function: Evidence) -> dict[str, Any]:
    return {
        "stack": function.mount.stack.name,
        "name": function.mount.function.logical_id,
        "how": str(function.method),
        "failed": function.has_failed,
        "why": function.why,
        "python": function.python,
        "import_seconds": function.imported.seconds if function.imported else None,
    }


def _fault_json(broken: "BrokenRule") -> Mapping[str, str]:
    fault = broken.fault
    return {"rule": broken.rule.id, "where": fault.where, "what": fault.what, "why": broken.rule.why, "fix": fault.fix}


def _summary(proof: Proof) -> str:
    methods = [function.method for function in proof.functions]
    counts = {method: methods.count(method) for method in ProofMethod}
    counts[ProofMethod.SKIPPED] += len(proof.unbuilt)
    proven = ", ".join(f"{count} {method}" for method, count in counts.items() if count) or "nothing to prove"
    return f"{proven}; {len(proof.errors)} error(s), {len(proof.warnings)} warning(s); {proof.seconds:.1f} s"

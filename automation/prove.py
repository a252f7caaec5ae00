"""Prove that the built artifacts work on Lambda: import every handler on what will be mounted, and hold every rule."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from automation.building import built
from automation.lambda_runtime import runtime
from automation.project import model
from automation.project.model import Project
from automation.proof import artifact_rules, code_rules, evidence, freshness, template_rules
from automation.proof.evidence import Evidence, How
from automation.proof.model import Fault, Rule, Severity, Subject
from automation.system import console, files
from automation.system.errors import CheckFailedError, Finding, UsageError

# These ask nothing of the code, so they are asked while it is being imported.
_OTHERS: tuple[Rule, ...] = (*artifact_rules.RULES, *template_rules.RULES)
RULES: tuple[Rule, ...] = (*code_rules.RULES, *_OTHERS)


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule and a fault that it found."""

    rule: Rule
    fault: Fault


@dataclass(frozen=True, slots=True)
class Proof:
    """What was proven, and what was not.

    Attributes:
        functions: the evidence of each function, in the order of the templates.
        unbuilt: functions that have no built tree, and why.
        broken: errors first.
        outdated: sources that have changed since the build, so that this proves what they were.
    """

    functions: tuple[Evidence, ...]
    unbuilt: Mapping[str, str]
    broken: tuple[Broken, ...]
    seconds: float
    outdated: tuple[str, ...] = ()

    @property
    def errors(self) -> tuple[Broken, ...]:
        return tuple(one for one in self.broken if one.fault.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Broken, ...]:
        return tuple(one for one in self.broken if one.fault.severity is Severity.WARNING)


def prove(loaded: Project, *, names: Iterable[str] = ()) -> Proof:
    """Import every handler and ask every rule.

    Args:
        names: logical ids of functions; when given, the others are not imported and their code is not read.

    Raises:
        ConfigurationError: a stack was not built.
        UsageError: there is no function of such a name.
        ToolError: there is no interpreter to import with.
    """
    started = time.monotonic()
    bare = _subject(loaded)
    with _importing(bare, tuple(names)) as finish:
        broken = ask(_OTHERS, bare)
        subject = replace(bare, evidence=finish())
    broken += ask(code_rules.RULES, subject)
    told = sorted(distinct(broken), key=lambda one: (one.fault.severity, one.rule.id, one.fault.where))
    outdated = freshness.outdated(subject)
    return Proof(subject.evidence, _unbuilt(subject), tuple(told), time.monotonic() - started, outdated)


def gather(loaded: Project, *, names: tuple[str, ...] = (), site: Path | None = None) -> Subject:
    """Everything that the rules look at.

    Args:
        names: logical ids of the functions whose code is looked at; none means all.
        site: a folder to take for the packages of the managed runtime, where it is another than runtime.py's.

    Raises:
        ConfigurationError: a stack was not built.
        UsageError: there is no function of such a name.
        ToolError: there is no interpreter to import with.
    """
    subject = _subject(loaded, site)
    with _importing(subject, names) as finish:
        return replace(subject, evidence=finish())


def ask(rules: Iterable[Rule], subject: Subject) -> list[Broken]:
    """What rules find."""
    return [Broken(rule, fault) for rule in rules for fault in rule.check(subject)]


def distinct(broken: Iterable[Broken]) -> list[Broken]:
    """Without the failing imports that a fault of another rule explains."""
    found = list(broken)
    causes = {module for one in found if one.rule not in code_rules.RULES for module in one.fault.explains}
    return [one for one in found if one.rule not in code_rules.RULES or not _is_explained(one.fault, causes)]


def prove_once(loaded: Project) -> Proof | None:
    """`prove`, and fail when there is an error; skipped, with None, when the very same has passed before.

    Raises:
        CheckFailedError: its findings name each fault.
    """
    record = loaded.root / ".alchemiser" / "proven"
    made_of = _made_of(loaded)
    if record.is_file() and record.read_text(encoding="utf-8") == made_of:
        return None
    proof = prove(loaded)
    if proof.errors:
        raise CheckFailedError(_failure(proof), findings=findings(proof))
    files.write_atomically(record, made_of)
    return proof


def require(proof: Proof) -> None:
    """Raises CheckFailedError when there is an error; the findings have been shown."""
    if proof.errors:
        raise CheckFailedError(_failure(proof))


def findings(proof: Proof) -> tuple[Finding, ...]:
    """The errors, for a caller that shows no table."""
    return tuple(Finding(one.fault.where, f"{one.rule.id}: {one.fault.what}", one.fault.mend) for one in proof.errors)


def show(proof: Proof) -> None:
    """Print the functions, then what is broken, rule by rule."""
    rows = [_row(one) for one in proof.functions]
    rows += [(name, str(How.SKIPPED), "", why) for name, why in proof.unbuilt.items()]
    console.table(("function", "how", "import s", "remark"), rows, right=("import s",))
    for title, broken in (("error", proof.errors), ("warning", proof.warnings)):
        for rule in dict.fromkeys(one.rule for one in broken):
            console.result()
            console.result(f"{title}: {rule.id}. {rule.title}. {rule.why}", style="bold" if title == "error" else "")
            for one in broken:
                if one.rule is rule:
                    console.result(f"  {one.fault.where}: {one.fault.what}")
                    console.result(f"    mend: {one.fault.mend}")
    console.result()
    console.result(_summary(proof))
    if proof.outdated:
        more = f" and {len(proof.outdated) - 1} more" if len(proof.outdated) > 1 else ""
        console.warning(f"the build is older than {proof.outdated[0]}{more}; run inv build, and prove that")


def show_json(proof: Proof) -> None:
    """Print what `as_json` makes."""
    console.result_json(as_json(proof))


def as_json(proof: Proof) -> dict[str, Any]:
    """The proof for programs; times in seconds."""
    return {
        "functions": [
            {
                "stack": one.mount.stack.name,
                "name": one.mount.function.logical_id,
                "how": str(one.how),
                "failed": one.has_failed,
                "why": one.why,
                "import_seconds": one.imported.seconds if one.imported else None,
            }
            for one in proof.functions
        ],
        "unbuilt": dict(proof.unbuilt),
        "outdated": list(proof.outdated),
        "errors": [_fault_json(one) for one in proof.errors],
        "warnings": [_fault_json(one) for one in proof.warnings],
        "seconds": proof.seconds,
    }


def _unbuilt(subject: Subject) -> dict[str, str]:
    found = [one for one in subject.project.functions if (one.stack, one.logical_id) not in subject.trees]
    return {
        one.logical_id: "has no built tree: inline code, an image, or on S3"
        if str(one.runtime).startswith("python")
        else f"its runtime is {one.runtime or 'not named'}"
        for one in found
    }


def _subject(loaded: Project, site: Path | None = None) -> Subject:
    """All but the evidence."""
    mounted = built.mounts_of_project(loaded)
    trees = {
        (stack.name, logical_id): tree
        for stack in loaded.stacks
        for logical_id, tree in built.trees(stack, loaded.root).items()
    }
    settings = model.read_settings(loaded.root)
    return Subject(loaded, mounted, trees, site or runtime.ensure(loaded.root).site, settings)


@contextmanager
def _importing(subject: Subject, names: tuple[str, ...]) -> Iterator[Callable[[], tuple[Evidence, ...]]]:
    _require_known(names, subject.project)
    chosen = tuple(one for one in subject.mounts if not names or one.function.logical_id in names)
    root, site = subject.project.root, subject.runtime_site
    with (
        console.progress(f"proving {len(chosen)} function(s)"),
        evidence.gathering(chosen, root, site=site, origins=subject.origins) as finish,
    ):
        yield finish


def _is_explained(fault: Fault, causes: set[str]) -> bool:
    return any(f"{module}.".startswith(f"{cause}.") for module in fault.explains for cause in causes)


def _require_known(names: tuple[str, ...], loaded: Project) -> None:
    known = sorted({one.logical_id for one in loaded.functions})
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(f"there is no function {unknown[0]}; the functions are: {', '.join(known)}", where="prove")


def _made_of(loaded: Project) -> str:
    """The digest of what a proof depends on: the builds, the templates, the settings, the rules and the stand-in."""
    root = loaded.root
    builds = [files.signature(root / stack.build_dir) for stack in loaded.stacks]
    named = [*(stack.template.path for stack in loaded.stacks), "pyproject.toml", "locks/runtime.txt"]
    texts = [(root / name).read_bytes() for name in named if (root / name).is_file()]
    rules = Path(__file__).parent
    code = [(rules / path).read_bytes() for path in files.walk(rules, keep=lambda one: one.name != "__pycache__")]
    return files.digest_of([*builds, *texts, *code])


def _row(one: Evidence) -> tuple[str, str, str, str]:
    seconds = f"{one.imported.seconds:.2f}" if one.imported and one.imported.seconds else ""
    unknown = f"layers that are not of the template: {', '.join(one.mount.unknown)}" if one.mount.unknown else ""
    how = "failed" if one.has_failed else str(one.how)
    return one.mount.function.logical_id, how, seconds, "; ".join(part for part in (one.why, unknown) if part)


def _failure(proof: Proof) -> str:
    rules = sorted({one.rule.id for one in proof.errors})
    return f"{len(proof.errors)} fault(s) would fail on Lambda: {', '.join(rules)}"


def _fault_json(one: Broken) -> Mapping[str, str]:
    fault = one.fault
    return {"rule": one.rule.id, "where": fault.where, "what": fault.what, "why": one.rule.why, "mend": fault.mend}


def _summary(proof: Proof) -> str:
    counts = {how: sum(one.how is how for one in proof.functions) for how in How}
    counts[How.SKIPPED] += len(proof.unbuilt)
    proven = ", ".join(f"{count} {how}" for how, count in counts.items() if count)
    return f"{proven}; {len(proof.errors)} error(s), {len(proof.warnings)} warning(s); {proof.seconds:.1f} s"

"""A rule of the proof, the subject that it checks, and the faults that it finds."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from itertools import chain
from pathlib import Path

from automation.building import built
from automation.lambda_runtime import runtime
from automation.lambda_runtime.mounts import Mount
from automation.project.model import Function, Project, Stack
from automation.proof import built_trees, origins, registry
from automation.proof.built_trees import BuiltTree
from automation.proof.evidence import Evidence
from automation.proof.origins import Origins
from automation.proof.registry import Route


class Severity(StrEnum):
    """An error certainly fails on Lambda; a warning may fail there."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that breaks on Lambda.

    Attributes:
        where: the file and line, or the template and resource.
        what: what is wrong there.
        fix: the line to edit or the command to type.
        severity: a rule lowers it to a warning where it has to guess.
        explains: the modules that cannot be imported because of this fault; their failing imports are not reported
            again.
        libraries: each shared library that is missing, after the code folder of the function that lacks it.
    """

    where: str
    what: str
    fix: str
    severity: Severity = Severity.ERROR
    explains: tuple[str, ...] = ()
    libraries: frozenset[tuple[str, str]] = frozenset()


def merged(check: Callable[["Subject"], Iterable[Fault]]) -> Callable[["Subject"], Iterator[Fault]]:
    """Return a check that merges the faults that differ in nothing but the function or layer.

    `{owners}` in a fix is replaced by those that share it.
    """

    def check_and_merge(subject: "Subject") -> Iterator[Fault]:
        shared: dict[tuple[str, Fault], list[str]] = {}
        for fault in check(subject):
            template, _, owner = fault.where.partition(": ")
            shared.setdefault((template, replace(fault, where=template)), []).append(owner)

        for (template, fault), owners in shared.items():
            names = list(dict.fromkeys(owners))
            fix = fault.fix.replace("{owners}", ", ".join(names))
            yield replace(fault, where=f"{template}: {built_trees.abbreviate(names)}", fix=fix)

    return check_and_merge


@dataclass(frozen=True)
class Subject:
    """Everything that the rules check: the built artifacts and what the templates say about them.

    Attributes:
        trees: the built tree of each function and layer, by (stack name, logical id).
        runtime_site: the packages that the managed runtime provides (boto3 and its dependencies).
        evidence: the result of importing and reading each Python function's code.
    """

    project: Project
    mounts: tuple[Mount, ...]
    trees: Mapping[tuple[str, str], Path]
    runtime_site: Path
    evidence: tuple[Evidence, ...] = ()

    def with_evidence(self, evidence: tuple[Evidence, ...]) -> "Subject":
        """Return the same subject with evidence, and with what was read of its trees."""
        proven = replace(self, evidence=evidence)
        vars(proven)["built_trees"] = self.built_trees
        return proven

    @property
    def functions(self) -> Iterator[tuple[Function, Stack]]:
        """Yield every function of the templates with its stack."""
        for stack in self.project.stacks:
            for function in stack.functions:
                yield function, stack

    @cached_property
    def evidence_of(self) -> Mapping[tuple[str, str], Evidence]:
        """The evidence about each function that was proven, by (stack name, logical id)."""
        return {(entry.mount.stack.name, entry.mount.function.logical_id): entry for entry in self.evidence}

    @cached_property
    def origins(self) -> Origins:
        """The source folder of each built tree."""
        return origins.of_project(self.project, self.trees)

    @cached_property
    def built_trees(self) -> tuple[BuiltTree, ...]:
        """The trees of Python functions and layers, read once for all rules."""
        return built_trees.of_project(self.project, self.trees)

    @cached_property
    def routes(self) -> tuple[Route, ...]:
        """The message registry that pyproject.toml names; empty when it names none.

        Raises:
            ConfigurationError: the registry cannot be loaded.
        """
        name = self.project.settings.messages
        if not name:
            return ()

        sites = chain.from_iterable(tree.sites for tree in self.built_trees)
        return registry.load(self.project.root, name, fallbacks=sites)


def subject_of(project: Project, site: Path | None = None) -> Subject:
    """Return everything that the rules check, except the evidence.

    Args:
        site: a folder to use as the packages of the managed runtime instead of runtime.py's.

    Raises:
        ConfigurationError: a stack was not built.
        ToolError: the stand-in for the runtime could not be created.
    """
    mounted = built.mounts_of_project(project)
    trees: dict[tuple[str, str], Path] = {}
    for stack in project.stacks:
        trees |= {(stack.name, logical_id): tree for logical_id, tree in built.trees(stack, project.root).items()}
    return Subject(project, mounted, trees, site or runtime.ensure(project.root).site)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the proof.

    Attributes:
        id: its name in reports, in kebab case.
        title: what must be true, in one line.
        why: what happens on Lambda when the rule is broken, in one sentence.
        check: yields the faults of a subject, and changes nothing.
    """

    id: str
    title: str
    why: str
    check: Callable[[Subject], Iterable[Fault]]

"""Measure the built artifacts, compare them with a baseline, and check them against their budgets and AWS's limit."""

import os
from collections.abc import Iterable
from pathlib import Path

from automation.building import built
from automation.project import selection, skipped
from automation.project.model import Project
from automation.sizing import baseline, budgets, changes, markdown, page, record, tables, weighing
from automation.sizing.changes import SizeComparison
from automation.sizing.model import Sizes
from automation.system import console
from automation.system.errors import CheckFailedError, Finding, UsageError

PAGE = ".alchemiser/size.html"


def measure(project: Project, *, names: Iterable[str] = ()) -> Sizes:
    """Measure the artifacts of the last build.

    Args:
        names: of layers, and of functions, which include the layers they mount; empty means all.

    Raises:
        ConfigurationError: a stack was not built, or a BudgetMB is not a number.
        UsageError: a name means no function or layer of the project, or several.
    """
    selected = frozenset(_logical_ids(project, names))
    return select(weighing.weigh(built.as_built(project)), selected)


def select(sizes: Sizes, names: frozenset[str]) -> Sizes:
    """Keep the functions and layers with these names, and the layers that these functions mount; empty keeps all."""
    if not names:
        return sizes

    functions = tuple(function for function in sizes.functions if function.logical_id in names)
    mounted: set[tuple[str, str]] = set()
    for function in functions:
        mounted.update(layer.key for layer in function.layers)
    return Sizes(
        functions=functions,
        layers=tuple(layer for layer in sizes.layers if layer.logical_id in names or layer.key in mounted),
        not_built=tuple(artifact for artifact in sizes.not_built if artifact.rpartition(": ")[2] in names),
        runtime_distributions=sizes.runtime_distributions,
        root=sizes.root,
    )


def compare(sizes: Sizes, reference: str, project: Project, *, names: Iterable[str] = ()) -> SizeComparison:
    """Compare with a baseline: a file that `inv size --json` wrote, or a git revision, which is built.

    Raises:
        UsageError: the reference is neither a file nor a git revision.
        ConfigurationError: the file is not the output of `inv size --json`, or the revision cannot be built.
        ToolError: git is not installed, or cannot check out the revision.
    """
    before = baseline.load(reference, project)
    selected = select(before.sizes, frozenset(_logical_ids(project, names)))
    return changes.compare(selected, sizes, label=before.label, notes=before.notes)


def find_exceeded(sizes: Sizes, comparison: SizeComparison | None = None) -> tuple[Finding, ...]:
    """Return a finding for each budget or AWS limit that is exceeded: by how much, why, and the line to edit."""
    return budgets.exceeded(sizes, comparison)


def require_within_limits(sizes: Sizes, comparison: SizeComparison | None = None) -> None:
    """Check every budget and AWS's limit.

    Raises:
        CheckFailedError: a limit is exceeded.
    """
    exceeded = find_exceeded(sizes, comparison)
    if exceeded:
        raise CheckFailedError(f"{len(exceeded)} size budget(s) exceeded", findings=exceeded)


def warn_if_nearly_exceeded(sizes: Sizes) -> None:
    """Warn on stderr about limits of which 80 % or more is used."""
    findings = budgets.nearly_exceeded(sizes)
    if findings:
        details = "; ".join(f"{finding.where}: {finding.what}" for finding in findings)
        console.warning(f"{len(findings)} size budget(s) over {budgets.NEAR_PERCENT} used: {details}")


def show(sizes: Sizes, comparison: SizeComparison | None = None) -> None:
    """Print tables for people."""
    tables.show(sizes, comparison)


def show_json(sizes: Sizes, comparison: SizeComparison | None = None) -> None:
    """Print JSON for programs; it can be a baseline later."""
    console.result_json(record.as_json(sizes, comparison))


def show_markdown(sizes: Sizes, comparison: SizeComparison | None = None) -> None:
    """Print Markdown for a review comment."""
    console.result(markdown.render(sizes, comparison))


def publish(sizes: Sizes, comparison: SizeComparison | None = None) -> None:
    """Publish the Markdown as a comment on the pull request of this job, or in the summary of the job."""
    from automation import reviews  # noqa: PLC0415 - only few commands publish

    reviews.publish(("size",), markdown.render(sizes, comparison), variables=os.environ)


def write_page(sizes: Sizes, path: Path, comparison: SizeComparison | None = None) -> None:
    """Write one self-contained HTML page, and print its path."""
    page.write(sizes, path, comparison)
    console.result(str(path))


def _logical_ids(project: Project, names: Iterable[str]) -> tuple[str, ...]:
    return selection.resolved(project, selection.Chosen(names=tuple(names))).names


def report(
    project: Project,
    *,
    names: Iterable[str] = (),
    reference: str = "",
    json: bool = False,
    markdown: bool = False,
    html: str | bool = "",
    comment: bool = False,
) -> None:
    """Measure, compare with a baseline, show the sizes in one format, and check the limits.

    Args:
        names: as in `measure`.
        reference: the baseline, as in `compare`; empty for none.
        html: a path, or True for `.alchemiser/size.html`.
        comment: publish the Markdown too; see reviews.publish.

    Raises:
        UsageError: more than one format was chosen, or as in `measure` and `compare`.
        ConfigurationError, ToolError: as in `measure` and `compare`.
        CheckFailedError: a limit is exceeded; the sizes are shown first.
    """
    if sum(map(bool, (json, markdown, html))) > 1:
        raise UsageError("--json, --markdown and --html exclude one another; choose one", where="size")

    selected = tuple(names)
    sizes = measure(project, names=selected)
    comparison = compare(sizes, reference, project, names=selected) if reference else None

    if html:
        write_page(sizes, project.root / PAGE if html is True else Path(html), comparison)
    else:
        show_in_format = show_json if json else show_markdown if markdown else show
        show_in_format(sizes, comparison)
        if show_in_format is show and not selected:
            console.result(skipped.counts(project.stacks, {artifact.key for artifact in sizes.artifacts}))

    if comment:
        publish(sizes, comparison)
    warn_if_nearly_exceeded(sizes)
    try:
        require_within_limits(sizes, comparison)
    except CheckFailedError as failed:
        raise (_with_findings_in_message(failed) if json or markdown else failed) from None


def _with_findings_in_message(failed: CheckFailedError) -> CheckFailedError:
    """Move the findings to the message on stderr: printed on stdout, they would corrupt the JSON or Markdown."""
    details = " ".join(f"{finding.where}: {finding.what}; {finding.fix}." for finding in failed.findings)
    return CheckFailedError(f"{failed.message}: {details}")

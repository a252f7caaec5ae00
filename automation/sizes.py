"""Measure the built artifacts against the house budgets, against what Lambda takes, and against another time."""

from collections.abc import Iterable
from pathlib import Path

from automation.building import built
from automation.project import selection
from automation.project.model import Project
from automation.sizing import baseline, budgets, changes, markdown, page, record, tables, weighing
from automation.sizing.changes import Comparison
from automation.sizing.model import Sizes
from automation.system import console
from automation.system.errors import CheckFailedError, Finding, UsageError

PAGE = ".alchemiser/size.html"


def measure(project: Project, *, names: Iterable[str] = ()) -> Sizes:
    """Weigh the artifacts as they were built.

    Args:
        names: logical ids of functions, which bring the layers they mount, and of layers; none means all.

    Raises:
        ConfigurationError: a stack was not built, or a BudgetMB is not a number.
        UsageError: the project has no function or layer of that name.
    """
    wanted = tuple(names)
    selection.stacks(project, selection.Chosen(names=wanted))
    return choose(weighing.weigh(built.as_built(project)), frozenset(wanted))


def choose(sizes: Sizes, names: frozenset[str]) -> Sizes:
    """The functions of these names with the layers they mount, and the layers of these names; no name means all."""
    if not names:
        return sizes
    functions = tuple(one for one in sizes.functions if one.logical_id in names)
    mounted = {layer.key for one in functions for layer in one.layers}
    return Sizes(
        functions=functions,
        layers=tuple(one for one in sizes.layers if one.logical_id in names or one.key in mounted),
        not_built=tuple(one for one in sizes.not_built if one.rpartition(": ")[2] in names),
        runtime=sizes.runtime,
        root=sizes.root,
    )


def compare(sizes: Sizes, reference: str, project: Project, *, names: Iterable[str] = ()) -> Comparison:
    """Compare with a baseline: a file that `inv size --json` wrote, or a git revision, which is built.

    Raises:
        UsageError: there is no such file or revision.
        ConfigurationError: the file is something else, or the revision does not build.
    """
    before = baseline.load(reference, project)
    chosen = choose(before.sizes, frozenset(names))
    return changes.compare(chosen, sizes, label=before.label, notes=before.notes)


def excesses(sizes: Sizes, comparison: Comparison | None = None) -> tuple[Finding, ...]:
    """What is over its budget or over AWS's limit, by how much, why, and which line mends it."""
    return budgets.exceeded(sizes, comparison)


def require_within(sizes: Sizes, comparison: Comparison | None = None) -> None:
    """Raises CheckFailedError when anything is over its budget or over AWS's limit."""
    found = excesses(sizes, comparison)
    if found:
        raise CheckFailedError(f"{len(found)} size budget(s) exceeded", findings=found)


def warn_of_near(sizes: Sizes) -> None:
    """Say on stderr what has used 80 % of a limit."""
    close = budgets.near(sizes)
    if close:
        told = "; ".join(f"{one.where}: {one.what}" for one in close)
        console.warning(f"{len(close)} size budget(s) over {budgets.NEAR_TEXT} used: {told}")


def show(sizes: Sizes, comparison: Comparison | None = None) -> None:
    """Print tables for people."""
    tables.show(sizes, comparison)


def show_json(sizes: Sizes, comparison: Comparison | None = None) -> None:
    """Print JSON for programs, which is also a baseline for later."""
    console.result_json(record.as_json(sizes, comparison))


def show_markdown(sizes: Sizes, comparison: Comparison | None = None) -> None:
    """Print Markdown for a review comment."""
    console.result(markdown.render(sizes, comparison))


def write_page(sizes: Sizes, path: Path, comparison: Comparison | None = None) -> None:
    """Write one HTML page that needs nothing but itself, and print where it is."""
    page.write(sizes, path, comparison)
    console.result(str(path))


def report(
    project: Project,
    *,
    names: Iterable[str] = (),
    reference: str = "",
    json: bool = False,
    markdown: bool = False,
    html: str | bool = "",
) -> None:
    """Measure, compare with a baseline if one is named, tell in one form, and hold to the budgets.

    Args:
        html: a path, or True for `.alchemiser/size.html`.

    Raises:
        UsageError: two forms were asked for at once.
        CheckFailedError: anything is over its budget; it was told before.
    """
    if sum(map(bool, (json, markdown, html))) > 1:
        raise UsageError("--json, --markdown and --html exclude one another; choose one", where="size")
    chosen = tuple(names)
    sizes = measure(project, names=chosen)
    comparison = compare(sizes, reference, project, names=chosen) if reference else None
    if html:
        write_page(sizes, project.root / PAGE if html is True else Path(html), comparison)
    else:
        (show_json if json else show_markdown if markdown else show)(sizes, comparison)
    warn_of_near(sizes)
    try:
        require_within(sizes, comparison)
    except CheckFailedError as failed:
        raise (_told_on_stderr(failed) if json or markdown else failed) from None


def _told_on_stderr(failed: CheckFailedError) -> CheckFailedError:
    """The findings in the message, because what follows JSON or Markdown on stdout would break it."""
    told = " ".join(f"{one.where}: {one.what}; {one.mend}." for one in failed.findings)
    return CheckFailedError(f"{failed.message}: {told}")

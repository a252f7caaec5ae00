"""What `inv watch` prints: a line per edit, why a proof refused it, and at the end what runs now."""

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from automation.deploying.watching.replaced import ReplacedFunction
from automation.system import console
from automation.system.errors import AutomationError, CheckFailedError, Finding

_NAMED = 3
_SOURCES = "without an edit"


@dataclass(slots=True)
class Counts:
    """What has become of the edits."""

    updates: int = 0
    refused: int = 0


@dataclass(slots=True)
class Timing:
    """The steps of one edit and their times in milliseconds, since it was noticed."""

    started: float = field(default_factory=time.perf_counter)
    laps: dict[str, int] = field(default_factory=dict)

    def lap(self, step: str) -> None:
        """Note that a step has ended."""
        self.laps[step] = self.total_ms - sum(self.laps.values())

    @property
    def total_ms(self) -> int:
        return round((time.perf_counter() - self.started) * 1000)

    def __str__(self) -> str:
        steps = ", ".join(f"{step} {lap_ms}" for step, lap_ms in self.laps.items())
        return f"{self.total_ms} ms ({steps})"


def started(environment: str, release: str, functions: int, target: str) -> None:
    """Say what runs now."""
    console.result(f"{environment}: {target}; {release} runs {functions} function(s)")
    console.flush()


def watching(folders: Iterable[str]) -> None:
    """Say that edits of these folders are noticed from now on."""
    console.result(f"watching {', '.join(folders) or 'nothing'}; Ctrl-C ends it", style="bold")
    console.flush()


def updated(edited: Collection[str], functions: Sequence[str], timing: Timing) -> None:
    """Print the line of an edit that runs."""
    _line(edited, f"{listed(functions)} updated, proven first, {timing}", style="green")


def unchanged(edited: Collection[str], timing: Timing) -> None:
    """Print the line of an edit after which every function runs the right code already."""
    _line(edited, f"nothing to update, {timing}", style="dim")


def refused(edited: Collection[str], functions: Sequence[str], findings: Iterable[Finding], timing: Timing) -> None:
    """Print the line of an edit whose proof has failed, and why."""
    kept = "keeps its old code" if len(functions) == 1 else "keep their old code"
    _line(edited, f"refused: {listed(functions)} {kept}, {timing}", style="bold red")
    _findings(findings)


def failed(edited: Collection[str], cause: AutomationError) -> None:
    """Print the line of an edit that could not be built, or not be put into the functions."""
    _line(edited, f"nothing was updated: {cause}", style="bold red")
    _findings(cause.findings if isinstance(cause, CheckFailedError) else ())


def blocked(function: str, why: str, environment: str) -> None:
    """Print why a function cannot be updated."""
    console.warning(f"{function} is not updated: {why}; deploy it: inv deploy --env {environment}")


def not_watched(names: Iterable[str], environment: str) -> None:
    """Say that a file that is not code has changed."""
    what = "inv watch updates only the code of functions and shared layers"
    console.warning(f"{listed(sorted(names))} changed: {what}; deploy it: inv deploy --env {environment}")


def moved(release: str, environment: str) -> None:
    """Say that somebody else has deployed."""
    console.warning(f"{environment} was deployed meanwhile: {release} runs there now")


def answered(function: str, answer: str) -> None:
    """Print what a function has answered."""
    console.result(f"          {function}: {answer}")
    console.flush()


def finished(counts: Counts, replaced: Sequence[ReplacedFunction], environment: str, release: str) -> None:
    """Print what was done, what runs now, and how to deploy it or to go back."""
    console.result(f"stopped: {counts.updates} edit(s) updated functions, {counts.refused} refused")
    if not replaced:
        console.result(f"every function runs the code of {release}")
        return
    console.result(f"other code than {release} runs in: {', '.join(entry.function.name for entry in replaced)}")
    console.result(f"  deploy the working copy:  inv deploy --env {environment}")
    console.result(f"  go back to {release}:  inv rollback --env {environment} --to {release}")


def relative(paths: Iterable[Path], root: Path) -> tuple[str, ...]:
    """Return paths for messages, sorted."""
    top = root.resolve()
    return tuple(sorted(str(path.relative_to(top) if path.is_relative_to(top) else path) for path in paths))


def listed(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def _line(edited: Collection[str], text: str, *, style: str) -> None:
    # The clock of the person who reads it.
    now = datetime.now().astimezone()
    console.result(f"{now:%H:%M:%S}  {listed(tuple(edited)) or _SOURCES}: {text}", style=style if _is_styled() else "")
    console.flush()


def _findings(findings: Iterable[Finding]) -> None:
    for finding in sorted(findings):
        console.result(f"          {finding.where}: {finding.what}{f'; {finding.fix}' if finding.fix else ''}")
    console.flush()


def _is_styled() -> bool:
    return console.is_terminal()

"""Compare `inv build` with `sam build --cached --parallel`: cold, unchanged, and after a change of a shared file."""

from collections.abc import Callable, Iterator
from pathlib import Path

from automation.building.shared_cache import FOLDER_VARIABLE
from benchmarks import timing
from benchmarks.checkout import Checkout, checked_out
from benchmarks.timing import Result, Side

VERSION = "inv --version"


def run(*, quick: bool) -> Iterator[Result]:
    """Build the same files with both builders in turns."""
    with checked_out() as project:
        cache = project.path.with_name("cache")
        project.inv("sync")

        def forget() -> None:
            project.forget_ours()
            timing.set_aside(cache, into=project.aside)

        times = 1 if quick else 3
        cold = _measure(project, cache, times, before_ours=forget, before_sams=project.forget_sams)
        yield timing.compare_medians("cold, first clone, wheels in uv's cache", *cold, at_least=6)
        cold = _measure(project, cache, times, before_ours=project.forget_ours, before_sams=project.forget_sams)
        yield timing.compare_medians("cold, another clone", *cold, at_least=20)

        times = 3 if quick else 7
        unchanged = _measure(project, cache, times)
        yield timing.compare_medians("nothing changed", *unchanged, at_least=25)
        version = [timing.time_once(Side(_nothing, lambda: _inv(project, cache, "--version"))) for _ in range(times)]
        yield timing.check_ratio("nothing changed, whole process", unchanged[0], version, of=VERSION, at_most=1.4)

        def sync() -> None:
            _inv(project, cache, "sync")

        times = 2 if quick else 3
        changed = _measure(project, cache, times, before_ours=project.edit_shared, before_sams=sync)
        yield timing.compare_medians("one shared file changed", *changed, at_least=12)


def _measure(
    project: Checkout,
    cache: Path,
    times: int,
    *,
    before_ours: Callable[[], None] = lambda: None,
    before_sams: Callable[[], None] = lambda: None,
) -> tuple[list[float], list[float]]:
    ours = Side(before_ours, lambda: _inv(project, cache, "build"))
    return timing.time_in_turns(ours, Side(before_sams, project.build_with_sam), times=times)


def _inv(project: Checkout, cache: Path, word: str) -> None:
    """Run a task with a cache of its own, so that the user's is neither used nor filled."""
    project.inv(word, variables={FOLDER_VARIABLE: str(cache)})


def _nothing() -> None:
    """Prepare nothing."""

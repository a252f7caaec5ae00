"""`inv build` against `sam build --cached --parallel` of both stacks: cold, unchanged, one shared file changed."""

from collections.abc import Iterator

from benchmarks import timing
from benchmarks.checkout import Checkout, checked_out
from benchmarks.timing import Result, Side


def run(*, quick: bool) -> Iterator[Result]:
    """Both builders from the same files, in turns."""
    with checked_out() as project:
        project.inv("sync")
        cold = _measure(project, _Forget, times=1 if quick else 3)
        yield timing.compare("cold, wheels in the cache", *cold, at_least=4)
        unchanged = _measure(project, _Nothing, times=3 if quick else 5)
        yield timing.compare("nothing changed", *unchanged, at_least=20)
        yield timing.under("nothing changed, inv build as a whole process", unchanged[0], limit_s=0.5)
        changed = _measure(project, _EditShared, times=2 if quick else 3)
        yield timing.compare("one shared file changed", *changed, at_least=10)


class _Nothing:
    """What is done before a run of ours, and before one of SAM's."""

    def ours(self, project: Checkout) -> None: ...

    def sams(self, project: Checkout) -> None: ...


class _Forget(_Nothing):
    def ours(self, project: Checkout) -> None:
        project.forget_ours()

    def sams(self, project: Checkout) -> None:
        project.forget_sams()


class _EditShared(_Nothing):
    def ours(self, project: Checkout) -> None:
        project.edit_shared()

    def sams(self, project: Checkout) -> None:
        project.inv("sync")


def _measure(project: Checkout, before: type[_Nothing], *, times: int) -> tuple[list[float], list[float]]:
    steps = before()

    def ours() -> None:
        project.inv("build")

    return timing.in_turns(
        Side(lambda: steps.ours(project), ours),
        Side(lambda: steps.sams(project), project.build_with_sam),
        times=times,
    )

"""Compare `inv build` with `sam build --cached --parallel`: cold, unchanged, and after a change of a shared file."""

from collections.abc import Iterator

from benchmarks import timing
from benchmarks.checkout import Checkout, checked_out
from benchmarks.timing import Result, Side


def run(*, quick: bool) -> Iterator[Result]:
    """Build the same files with both builders in turns."""
    with checked_out() as project:
        project.inv("sync")
        cold = _measure(project, _ForgetBuild, times=1 if quick else 3)
        yield timing.compare_medians("cold, wheels in the cache", *cold, at_least=4)
        unchanged = _measure(project, _NoPreparation, times=3 if quick else 5)
        yield timing.compare_medians("nothing changed", *unchanged, at_least=20)
        yield timing.check_limit("nothing changed, inv build as a whole process", unchanged[0], limit_s=0.5)
        changed = _measure(project, _EditShared, times=2 if quick else 3)
        yield timing.compare_medians("one shared file changed", *changed, at_least=10)


class _NoPreparation:
    """The preparation before each build of ours and before each build of SAM."""

    def ours(self, project: Checkout) -> None: ...

    def sams(self, project: Checkout) -> None: ...


class _ForgetBuild(_NoPreparation):
    def ours(self, project: Checkout) -> None:
        project.forget_ours()

    def sams(self, project: Checkout) -> None:
        project.forget_sams()


class _EditShared(_NoPreparation):
    def ours(self, project: Checkout) -> None:
        project.edit_shared()

    def sams(self, project: Checkout) -> None:
        project.inv("sync")


def _measure(project: Checkout, preparation: type[_NoPreparation], *, times: int) -> tuple[list[float], list[float]]:
    prepare = preparation()

    def build() -> None:
        project.inv("build")

    return timing.time_in_turns(
        Side(lambda: prepare.ours(project), build),
        Side(lambda: prepare.sams(project), project.build_with_sam),
        times=times,
    )

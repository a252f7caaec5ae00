"""Build generated projects of 10, 50 and 200 functions: the time must depend on what changed, not on project size."""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from automation.building.shared_cache import FOLDER_VARIABLE
from benchmarks import timing
from benchmarks.checkout import ROOT
from benchmarks.timing import Result, Side

_SIZES = (10, 50, 200)
_TASKS = "from automation import commands, tasks\n\nnamespace = commands.assemble(tasks.collection())\n"
_HEADER = """Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.12, Handler: app.handler, Layers: [!Ref Common]}}
Resources:
  Common:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layers/common/, CompatibleRuntimes: [python3.12]}
    Metadata: {BuildMethod: python3.12}
"""
_FUNCTION = """  Function{0}:
    Type: AWS::Serverless::Function
    Properties: {{CodeUri: functions/f{0}/}}
"""
_MODULE = "def total_{0}(prices: list[float]) -> float:\n    return sum(prices) * {0}\n\n\n"


def run(*, quick: bool) -> Iterator[Result]:
    """Measure cold builds, builds after one change, and unchanged builds; the targets are for 200 functions."""
    times = 3 if quick else 5
    seconds = {count: _measure(count, times=times) for count in _SIZES}

    for count, (cold, changed, unchanged) in seconds.items():
        measured = f"cold {cold:.2f} s, one changed {changed:.2f} s, nothing changed {unchanged:.2f} s"
        yield Result(f"{count} functions", measured, "under 2 s when nothing changed", unchanged < 2)

    few, many = seconds[_SIZES[1]], seconds[_SIZES[2]]
    growth = (many[0] - many[2]) / (few[0] - few[2])
    yield Result("200 against 50 functions, cold", f"{growth:.1f} times the work", "at most 5 times", growth <= 5)
    growth = (many[1] - many[2]) / max(few[1] - few[2], 0.05)
    yield Result(
        "200 against 50 functions, one changed", f"{growth:.1f} times the work", "at most 5 times", growth <= 5
    )


def _measure(count: int, *, times: int) -> tuple[float, float, float]:
    """Return the median seconds of a cold build, of one after a change, and of an unchanged one."""
    with TemporaryDirectory(prefix="growth-") as folder:
        root, cache = Path(folder, "project"), Path(folder, "cache")
        write_project(root, count)

        def build() -> None:
            inv = Path(sys.executable).parent / "inv"
            timing.run_command([inv, "build"], cwd=root, variables={FOLDER_VARIABLE: str(cache)})

        def forget() -> None:
            timing.set_aside(root / ".aws-sam", root / ".alchemiser", cache, into=Path(folder, "aside"))

        def edit() -> None:
            with (root / "functions/f0/app.py").open("a") as file:
                file.write("# changed\n")

        def median_seconds(prepare: Callable[[], None]) -> float:
            return median(timing.time_once(Side(prepare, build)) for _ in range(times))

        return median_seconds(forget), median_seconds(edit), median_seconds(lambda: None)


def write_project(root: Path, count: int) -> None:
    """Write a SAM project with `count` functions of five modules each, one layer, and a copy of the automation."""
    root.mkdir()
    shutil.copytree(ROOT / "automation", root / "automation", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "tasks.py").write_text(_TASKS)
    (root / "template.yaml").write_text(_HEADER + "".join(_FUNCTION.format(number) for number in range(count)))
    text = "".join(_MODULE.format(number) for number in range(40))
    folders = [root / "layers/common", *(root / f"functions/f{number}" for number in range(count))]
    for folder in folders:
        folder.mkdir(parents=True)
        for name in ("prices", "orders", "risk", "book"):
            (folder / f"{name}.py").write_text(f"{text}NAME = '{folder.name} {name}'\n")
        (folder / "app.py").write_text("import prices\n\n\ndef handler(event, context):\n    return prices.NAME\n")

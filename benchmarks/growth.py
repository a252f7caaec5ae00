"""Generated projects of 10, 50 and 200 functions: time follows what changed, not what there is."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

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
    """Cold, one function changed, nothing changed; the targets are for 200 functions."""
    times = 3 if quick else 5
    measured = {count: _measure(count, times=times) for count in _SIZES}
    for count, (cold, changed, unchanged) in measured.items():
        told = f"cold {cold:.2f} s, one changed {changed:.2f} s, nothing changed {unchanged:.2f} s"
        yield Result(f"{count} functions", told, "under 2 s when nothing changed", unchanged < 2)
    few, many = measured[_SIZES[1]], measured[_SIZES[2]]
    grown = (many[0] - many[2]) / (few[0] - few[2])
    yield Result("200 against 50 functions, cold", f"{grown:.1f} times the work", "at most 5 times", grown <= 5)
    extra = (many[1] - many[2]) / max(few[1] - few[2], 0.05)
    yield Result("200 against 50 functions, one changed", f"{extra:.1f} times the work", "at most 5 times", extra <= 5)


def _measure(count: int, *, times: int) -> tuple[float, float, float]:
    with TemporaryDirectory(prefix="growth-") as folder:
        root = Path(folder)
        write_project(root, count)

        def build() -> None:
            timing.command([Path(sys.executable).parent / "inv", "build"], cwd=root)

        def forget() -> None:
            for name in (".aws-sam", ".alchemiser"):
                shutil.rmtree(root / name, ignore_errors=True)

        def edit() -> None:
            with (root / "functions/f0/app.py").open("a") as file:
                file.write("# changed\n")

        sides = (Side(forget, build), Side(edit, build), Side(lambda: None, build))
        cold, changed, unchanged = (median(timing.once(side) for _ in range(times)) for side in sides)
        return cold, changed, unchanged


def write_project(root: Path, count: int) -> None:
    """A SAM project of `count` functions of five modules each, a layer, and the automation beside it."""
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

import importlib.util
import marshal
import platform
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from automation import coldstart
from automation.coldstart import ColdStart, Measurement, Timing
from automation.lambda_runtime import local_coldstarts
from automation.lambda_runtime.importtime import PackageImport
from automation.project.model import Project
from automation.system import files
from automation.system.errors import CheckFailedError, ConfigurationError, UsageError
from tests.automation.proof.small import TEMPLATE, make

BROKEN = "raise RuntimeError('it was compiled again')\n"


@pytest.fixture
def small(tmp_path: Path) -> Project:
    return make(tmp_path)


def with_budget(value: object) -> str:
    return f"{TEMPLATE}    Metadata: {{Alchemiser: {{ColdStartMs: {value}}}}}\n"


def put_bytecode(source: Path, text: str) -> None:
    """Write bytecode of another text than the module's, with a header that Python trusts without a check."""
    pyc = Path(importlib.util.cache_from_source(str(source)))
    pyc.parent.mkdir(exist_ok=True)
    header = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + importlib.util.source_hash(source.read_bytes())
    pyc.write_bytes(header + marshal.dumps(compile(text, "shared.py", "exec")))


def layer_module(small: Project) -> Path:
    return small.root / ".aws-sam/build/Common/python/shared/__init__.py"


def by_name(measured: Measurement) -> Mapping[str, ColdStart]:
    return {cold_start.name: cold_start for cold_start in measured.functions}


def till(*samples_ms: float, budget_ms: float | None) -> ColdStart:
    packages = (PackageImport("numpy", 90.0, 95.0, "shared.risk", 80), PackageImport("httpx", 9.0, 20.0, "", 12))
    return ColdStart("app", "Till", Timing(samples_ms), None, packages, budget_ms, "app.yaml:7")


def test_measure_each_function_has_one_sample_per_run(small: Project) -> None:
    measured = coldstart.measure(small, runs=2)

    assert {name: len(function.timing.samples_ms) for name, function in by_name(measured).items()} == {
        "One": 2,
        "Two": 2,
    }


def test_measure_named_function_skips_the_others(small: Project) -> None:
    assert list(by_name(coldstart.measure(small, names=["functions/two"], runs=1))) == ["Two"]


def test_measure_import_of_the_handler_has_no_importer(small: Project) -> None:
    (function,) = coldstart.measure(small, names=["One"], runs=1).functions

    assert [package.imported_by for package in function.packages if package.package == "shared"] == [""]


def test_measure_counts_exactly_the_imports_that_the_runtime_has_not_made(tmp_path: Path) -> None:
    imports = "import __future__, collections.abc, decimal, enum, json, logging, math, os, sys, time, traceback, typing"
    project = make(tmp_path, {"functions/one/app.py": f"{imports}\ndef handler(event, context): ...\n"})

    (function,) = coldstart.measure(project, names=["One"], runs=1).functions

    assert {package.package for package in function.packages} == {"typing", "_typing"}


def test_measure_writes_nothing_beside_the_code(small: Project) -> None:
    before = files.digest_tree(small.root, keep=lambda path: path.parts[0] != ".alchemiser")

    coldstart.measure(small, runs=1, without_bytecode=True)

    assert files.digest_tree(small.root, keep=lambda path: path.parts[0] != ".alchemiser") == before


def test_measure_bytecode_of_the_artifacts_is_used(small: Project) -> None:
    layer_module(small).write_text(BROKEN)
    put_bytecode(layer_module(small), "")

    assert "One" in by_name(coldstart.measure(small, runs=1))


def test_measure_without_bytecode_compiles_the_source(small: Project) -> None:
    layer_module(small).write_text(BROKEN)
    put_bytecode(layer_module(small), "")

    with pytest.raises(CheckFailedError, match="it was compiled again"):
        coldstart.measure(small, runs=1, without_bytecode=True)


def test_measure_broken_handlers_are_all_reported(tmp_path: Path) -> None:
    broken = make(tmp_path, {"functions/one/app.py": "import absent\n", "functions/two/app.py": "1 / 0\n"})

    with pytest.raises(CheckFailedError) as caught:
        coldstart.measure(broken, runs=1)

    assert [(finding.where, finding.fix) for finding in caught.value.findings] == [
        ("template.yaml: One", "run inv prove One"),
        ("template.yaml: Two", "run inv prove Two"),
    ]
    assert "ModuleNotFoundError: No module named 'absent'" in caught.value.findings[0].what


def test_measure_handler_that_exits_is_reported(tmp_path: Path) -> None:
    ending = make(tmp_path, {"functions/two/app.py": "import os\nos._exit(7)\n"})

    with pytest.raises(CheckFailedError) as caught:
        coldstart.measure(ending, names=["Two"], runs=1)

    assert "ended with exit code 7" in caught.value.findings[0].what


def test_measure_handler_that_hangs_is_reported(tmp_path: Path) -> None:
    hanging = make(tmp_path, {"functions/two/app.py": "while True: ...\n"})

    with pytest.raises(CheckFailedError) as caught:
        coldstart.measure(hanging, names=["Two"], runs=1, timeout_s=1)

    assert "took longer than 1 s" in caught.value.findings[0].what


def test_measure_code_for_another_machine_is_skipped(tmp_path: Path) -> None:
    machine = "arm64" if platform.machine() == "x86_64" else "x86_64"
    template = TEMPLATE.replace("python3.12, Env", f"python3.12, Architectures: [{machine}], Env")
    foreign = make(tmp_path, template=template)

    measured = coldstart.measure(foreign, runs=1)

    assert (measured.functions, sorted(measured.skipped)) == ((), ["One", "Two"])


def test_measure_unknown_function_is_a_usage_error(small: Project) -> None:
    with pytest.raises(UsageError, match="no function 'Three'; the functions are: One, Two"):
        coldstart.measure(small, names=["Three"])


def test_measure_zero_runs_is_a_usage_error(small: Project) -> None:
    with pytest.raises(UsageError, match="--runs must be at least 1, got 0"):
        coldstart.measure(small, runs=0)


def test_measure_budget_in_metadata_is_for_one_function(tmp_path: Path) -> None:
    measured = by_name(coldstart.measure(make(tmp_path, template=with_budget(5000)), runs=1))

    assert (measured["One"].budget_ms, measured["Two"].budget_ms) == (None, 5000.0)


def test_measure_budget_in_pyproject_is_the_default(tmp_path: Path) -> None:
    settings = "[tool.alchemiser]\n[tool.alchemiser.budgets]\ncold_start_ms = 4000\n"

    measured = by_name(coldstart.measure(make(tmp_path, settings=settings, template=with_budget(5000)), runs=1))

    assert (measured["One"].budget_ms, measured["Two"].budget_ms) == (4000.0, 5000.0)


@pytest.mark.parametrize("value", ["fast", "0", "true"])
def test_measure_invalid_budget_says_where(tmp_path: Path, value: str) -> None:
    with pytest.raises(ConfigurationError, match=r"template.yaml:\d+: Two: Metadata.*positive number of milliseconds"):
        coldstart.measure(make(tmp_path, template=with_budget(value)), runs=1)


def test_require_within_budgets_slow_import_names_the_line(tmp_path: Path) -> None:
    slow = {"functions/two/app.py": "import time\ntime.sleep(0.05)\ndef handler(event, context): ...\n"}
    measured = coldstart.measure(make(tmp_path, slow, template=with_budget(40)), runs=1)

    with pytest.raises(CheckFailedError) as caught:
        coldstart.require_within_budgets(measured)

    where = caught.value.findings[0].where
    assert re.fullmatch(r"template.yaml:\d+: Two: Metadata: Alchemiser: ColdStartMs", where)


def test_require_within_budgets_names_the_slowest_imports() -> None:
    with pytest.raises(CheckFailedError) as caught:
        coldstart.require_within_budgets(Measurement((till(150, 120, 400, budget_ms=100),), {}, 3))

    assert caught.value.findings[0].what == (
        "Till imports in 120 ms at best, 20 ms over its budget of 100 ms; the slowest imports: "
        "numpy 90 ms (imported by shared.risk), httpx 9 ms (imported by the handler)"
    )


def test_require_within_budgets_one_fast_run_passes() -> None:
    coldstart.require_within_budgets(Measurement((till(900, 99, 800, budget_ms=100),), {}, 3))


def test_require_within_budgets_no_budget_passes() -> None:
    coldstart.require_within_budgets(Measurement((till(9000, budget_ms=None),), {}, 1))


def test_show_without_bytecode_prints_the_ratio(capsys: pytest.CaptureFixture[str]) -> None:
    function = ColdStart("app", "Till", Timing((100.0, 90.0, 300.0)), Timing((250.0,)), (), 200.0, "app.yaml:7")

    coldstart.show(Measurement((function,), {}, 3))

    assert capsys.readouterr().out.splitlines()[1].split() == ["Till", "100", "90", "300", "200", "250", "2.5"]


def test_as_json_contains_every_sample() -> None:
    report = coldstart.as_json(Measurement((till(150, 120, budget_ms=100),), {"Other": "why"}, 2))

    assert report["functions"][0]["with_bytecode"] == {
        "median_ms": 135.0,
        "min_ms": 120,
        "max_ms": 150,
        "samples_ms": [150, 120],
    }


def test_remember_stores_the_medians(tmp_path: Path) -> None:
    coldstart.remember(Measurement((till(30.0, 10.0, 11.0, budget_ms=None),), {}, 3), tmp_path)

    assert local_coldstarts.read(tmp_path) == {("app", "Till"): 11.0}

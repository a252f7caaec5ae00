"""Hooks run in processes of their own; the project's are written to a folder first."""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from automation.deploying import scope
from automation.deploying.checks import hooks
from automation.deploying.checks.hooks import Context
from automation.deploying.remarks import Level, Remark
from automation.deploying.scope import Scope
from automation.project import environments, model
from automation.project.model import Project
from automation.system.errors import ConfigurationError
from automation.system.targets import Target
from tests.automation.projects import APP, PYPROJECT, SAMCONFIG, make_shop, write_files

AWS = Target("eu-west-1", key_id="key", secret="word")
CONTEXT = Context("live", "eu-west-1", stacks={"app": "shop-live"}, breaking_contracts=("Sold",), now="2026-03-04")
NOW = datetime(2026, 3, 4, 5, 6, 7, 8, tzinfo=UTC)

GUARDS = """
import os, sys, time

def agrees(context): return []

def objects(context):
    return [{"level": "stop", "where": "queue", "what": "is not empty", "fix": "wait"},
            {"level": "warn", "what": "late"}, {"level": "info", "where": "x", "what": "fine"}]

def repeats(context): return [{"level": "info", "where": key, "what": str(value)} for key, value in context.items()]

def shows_process(context):
    names = ("AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE")
    return [{"level": "info", "where": name, "what": os.environ.get(name, "missing")} for name in names]

def shows_path(context): return [{"level": "info", "where": path, "what": "on sys.path"} for path in sys.path]

def breaks(context): return 1 / 0

def prints(context): print('{"function": "shop.guards:agrees"}'); return []

def hangs(context): time.sleep(60)

def dies(context): sys.exit("goodbye")

def returns_object(context): return object()

def returns_none(context): return None

def returns_wrong_level(context): return [{"level": "ok", "what": "x"}]

def returns_no_text(context): return [{"level": "stop", "what": 3}]

def schemas(context): return {"Sold": {"type": "object"}, "env": context["environment"]}

def more_schemas(context): return {"Bought": {}}

CONSTANT = 3
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_files(tmp_path, {"shop/guards.py": GUARDS, "shop/broken.py": "import nowhere\n"})
    return tmp_path


def run(root: Path, *functions: str, kind: str = "guards", timeout_s: float = 30.0) -> tuple[Remark, ...]:
    names = [f"shop.guards:{function}" for function in functions]
    return hooks.run(kind, names, CONTEXT, root=root, target=AWS, timeout_s=timeout_s)


def test_run_without_functions_starts_nothing(tmp_path: Path) -> None:
    assert hooks.run("guards", [], CONTEXT, root=tmp_path / "missing", target=AWS) == ()


def test_run_returns_the_lines_of_every_hook_in_order(root: Path) -> None:
    assert run(root, "objects", "agrees", "prints") == (
        Remark(Level.STOP, "queue", "is not empty", "wait"),
        Remark(Level.WARN, "", "late"),
        Remark(Level.INFO, "x", "fine"),
    )


def test_run_hook_sees_the_context(root: Path) -> None:
    assert {remark.where: remark.what for remark in run(root, "repeats")} == {
        "environment": "live",
        "region": "eu-west-1",
        "endpoint": "",
        "account": "",
        "stacks": "{'app': 'shop-live'}",
        "outputs": "{}",
        "parameters": "{}",
        "breaking_contracts": "['Sold']",
        "missing": "[]",
        "is_temporary": "False",
        "applies": "False",
        "now": "2026-03-04",
    }


def test_run_hook_has_the_credentials_of_the_target(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "somebody")

    assert [remark.what for remark in run(root, "shows_process")] == ["eu-west-1", "key", "word", "missing"]


def test_run_hook_imports_from_the_project_only(root: Path) -> None:
    paths = [remark.where for remark in run(root, "shows_path")]

    assert paths[0] == str(root)
    assert str(Path(hooks.__file__).parent) not in paths
    assert list(root.rglob("*.pyc")) == []


@pytest.mark.parametrize(
    ("function", "what"),
    [
        ("breaks", "failed: ZeroDivisionError: division by zero"),
        ("dies", "ended without an answer (exit code 1): goodbye"),
        ("returns_object", "failed: TypeError: Object of type object is not JSON serializable"),
        ("returns_none", "returned null; a hook returns a list of "),
        ("returns_wrong_level", 'returned the line {"level": "ok", "what": "x"}; a hook returns'),
        ("returns_no_text", 'returned the line {"level": "stop", "what": 3}; a hook returns'),
    ],
)
@pytest.mark.parametrize(("kind", "level"), [("guards", Level.STOP), ("status", Level.WARN), ("pause", Level.WARN)])
def test_run_failing_hook_stops_only_as_a_guard(root: Path, function: str, what: str, kind: str, level: Level) -> None:
    [remark] = run(root, function, kind=kind)

    assert (remark.level, remark.where) == (level, f"shop.guards:{function}")
    assert remark.what.startswith(what)
    assert remark.fix == f"fix it, or remove it from {kind} in pyproject.toml: [tool.alchemiser]"


def test_run_failing_hook_does_not_keep_others_from_running(root: Path) -> None:
    assert [remark.where for remark in run(root, "breaks", "objects")] == ["shop.guards:breaks", "queue", "", "x"]


def test_run_slow_hook_is_stopped_and_earlier_answers_count(root: Path) -> None:
    *answered, slow, waiting = run(root, "objects", "hangs", "agrees", timeout_s=3.0)

    assert [remark.what for remark in answered] == ["is not empty", "late", "fine"]
    assert (slow.where, slow.what) == ("shop.guards:hangs", "did not answer within 3 s")
    assert (waiting.where, waiting.what) == ("shop.guards:agrees", "did not answer within 3 s")


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("nowhere.guards:f", "there is no module nowhere"),
        ("shop.nothing:f", "there is no module shop.nothing"),
        ("shop.guards:nothing", "shop.guards has no function nothing"),
        ("shop.guards:CONSTANT", "shop.guards has no function CONSTANT"),
    ],
)
def test_run_unknown_function_names_pyproject(root: Path, function: str, reason: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        hooks.run("status", [function], CONTEXT, root=root, target=AWS)

    assert str(caught.value) == f"pyproject.toml: [tool.alchemiser] status: {function} does not exist: {reason}"


def test_run_module_that_cannot_be_imported_is_a_failing_hook(root: Path) -> None:
    [remark] = hooks.run("guards", ["shop.broken:f"], CONTEXT, root=root, target=AWS)

    assert remark.what == "failed: ModuleNotFoundError: No module named 'nowhere'"


def test_run_uses_this_interpreter(root: Path) -> None:
    write_files(root, {"shop/which.py": "import sys\ndef f(c): return [{'level': 'info', 'what': sys.executable}]\n"})

    [remark] = hooks.run("guards", ["shop.which:f"], CONTEXT, root=root, target=AWS)

    assert remark.what == sys.executable


def test_started_loads_modules_before_the_context_is_known(root: Path) -> None:
    write_files(root, {"shop/slow.py": "from pathlib import Path\nPath('loaded').touch()\ndef f(c): return []\n"})

    with hooks.started(["shop.slow:f"], root=root, target=AWS) as run_started:
        while not (root / "loaded").exists():
            time.sleep(0.01)
        (root / "loaded").unlink()
        remarks = run_started("guards", ["shop.slow:f"], CONTEXT, root=root, target=AWS)

    assert remarks == ()
    assert not (root / "loaded").exists()


def test_started_calls_no_hook_that_is_not_due(root: Path) -> None:
    write_files(root, {"shop/marks.py": "from pathlib import Path\ndef f(c): Path('called').touch()\n"})

    with hooks.started(["shop.marks:f"], root=root, target=AWS):
        pass

    assert not (root / "called").exists()


def test_started_without_functions_has_no_remarks(tmp_path: Path) -> None:
    with hooks.started([], root=tmp_path / "missing", target=AWS) as run_started:
        assert run_started("guards", [], CONTEXT, root=tmp_path, target=AWS) == ()


def test_started_hook_that_stops_is_reported(root: Path) -> None:
    with hooks.started(["shop.guards:objects"], root=root, target=AWS) as run_started:
        remarks = run_started("guards", ["shop.guards:objects"], CONTEXT, root=root, target=AWS)

    assert remarks[0] == Remark(Level.STOP, "queue", "is not empty", "wait")


@pytest.mark.parametrize("code", ["raise SystemExit(2)", "1 / 0"])
def test_run_module_that_ends_its_import_does_not_keep_earlier_hooks_from_answering(root: Path, code: str) -> None:
    write_files(root, {"shop/ends.py": f"{code}\n"})

    remarks = hooks.run("guards", ["shop.guards:objects", "shop.ends:f"], CONTEXT, root=root, target=AWS)

    assert [remark.where for remark in remarks] == ["queue", "", "x", "shop.ends:f"]
    assert remarks[-1].level is Level.STOP


def test_run_hook_has_no_input(root: Path) -> None:
    write_files(root, {"shop/reads.py": "import sys\ndef f(c): return [{'level': 'info', 'what': sys.stdin.read()}]\n"})

    [remark] = hooks.run("guards", ["shop.reads:f"], CONTEXT, root=root, target=AWS)

    assert remark.what == ""


def test_contracts_merges_the_schemas_of_all_hooks(root: Path) -> None:
    names = ["shop.guards:schemas", "shop.guards:more_schemas"]

    schemas = hooks.documents("contracts", names, CONTEXT, root=root, target=AWS)

    assert schemas == {"Sold": {"type": "object"}, "env": "live", "Bought": {}}


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("agrees", r"contracts: shop.guards:agrees: returned \[\]; it must return a mapping by name"),
        ("breaks", r"\[tool.alchemiser\] contracts: shop.guards:breaks: failed: ZeroDivisionError"),
        ("nothing", r"\[tool.alchemiser\] contracts: shop.guards:nothing does not exist"),
    ],
)
def test_contracts_failing_hook_raises(root: Path, function: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        hooks.documents("contracts", [f"shop.guards:{function}"], CONTEXT, root=root, target=AWS)


def scope_of(shop: Project, name: str) -> Scope:
    samconfig = environments.read_samconfig(shop.root)
    return scope.resolve(shop, name, samconfig=samconfig, variables={}, machine="x86_64")


def test_context_of_describes_scope_and_stacks(shop: Project) -> None:
    deployed: list[dict[str, Any]] = [{"Url": "https://live"}, {"Colour": "red", "Pin": "****"}]

    context = hooks.context_of(
        scope_of(shop, "live"),
        now=NOW,
        account="123456789012",
        outputs=[{"A": "1", "B": "2"}, {"B": "3"}],
        parameters=deployed,
        breaking_contracts=["Sold"],
    )

    assert context == Context(
        environment="live",
        region="eu-west-1",
        account="123456789012",
        stacks={"base": "shop-live-base", "app": "shop-live"},
        outputs={"A": "1", "B": "3"},
        parameters={"Machine": "x86_64", "Url": "https://live", "BaseStack": "shop-live-base", "Colour": "red"},
        breaking_contracts=("Sold",),
        now="2026-03-04T05:06:07+00:00",
    )


def test_context_of_an_endpoint_names_it(shop: Project) -> None:
    assert hooks.context_of(scope_of(shop, "here"), now=NOW).endpoint == "http://127.0.0.1:4566"


@pytest.mark.parametrize(("no_echo", "is_visible"), [("true", False), ('"TRUE"', False), ("false", True)])
def test_context_of_leaves_out_hidden_parameters(tmp_path: Path, no_echo: str, is_visible: bool) -> None:
    app = APP.replace("Colour: {", f"Colour: {{NoEcho: {no_echo}, ")
    shop = model.load(make_shop(tmp_path, app_yaml=app, pyproject_toml=PYPROJECT, samconfig_toml=SAMCONFIG))

    assert ("Colour" in hooks.context_of(scope_of(shop, "here"), now=NOW).parameters) is is_visible

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from invoke.program import Program

from automation import commands, deploy, destroy, diff, expiring, measuring_tasks, tasks
from automation import prune as prune_front
from automation.project.model import Project
from tests.automation.projects import write_build

ROOT = Path(__file__).parents[2]
BUILT = {
    ".aws-sam/base": {"Code": 1_000, "Stock": 100},
    ".aws-sam/build": {"Code": 1_000, "Wheels": 2_000, "Till": 10, "Ledger": 20},
}


@pytest.fixture(autouse=True)
def _here(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "ROOT", shop.root)
    monkeypatch.setattr(measuring_tasks, "ROOT", shop.root)


def inv(*words: str) -> int:
    """Run a command line; return its exit code."""
    try:
        Program(namespace=commands.assemble(tasks.collection()), name="inv").run(["inv", *words])
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def test_sync_then_check_finds_no_drift(shop: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert inv("sync-shared-layer") == 0
    assert inv("sync") == 0
    assert inv("sync", "--check") == 0

    assert capsys.readouterr().out.splitlines() == [
        "synced: 2 written, 0 deleted, 0 unchanged",
        "synced: 3 written, 0 deleted, 2 unchanged",
        "5 files already up to date",
    ]


def test_sync_check_edited_file_exits_3_and_is_named(shop: Project, capsys: pytest.CaptureFixture[str]) -> None:
    inv("sync")
    (shop.root / "functions/till/shop/till/handler.py").write_text("edited")

    assert inv("sync", "--check") == 3
    assert "functions/till/shop/till/handler.py: edited" in capsys.readouterr().out


def test_size_prints_json_for_programs(shop: Project, capsys: pytest.CaptureFixture[str]) -> None:
    write_build(shop.root, BUILT)

    assert inv("size", "--json") == 0
    assert json.loads(capsys.readouterr().out)["exceeded"] == []


def test_size_over_budget_exits_3_after_the_table(shop: Project, capsys: pytest.CaptureFixture[str]) -> None:
    write_build(shop.root, BUILT | {".aws-sam/base": {"Code": 600_000, "Stock": 100}})

    assert inv("size") == 3
    captured = capsys.readouterr()
    assert "base.yaml: Code: the layer is 600.0 kB, its budget is 500.0 kB: over by 100.0 kB" in captured.out
    assert captured.err == "error: 1 size budget(s) exceeded\n"


def test_build_unknown_engine_exits_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert inv("build", "--engine", "steam") == 2
    assert "'steam'" in capsys.readouterr().err


def test_deploy_dry_run_changes_nothing(shop: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert inv("deploy", "--env", "live", "--dry-run") == 0
    assert not (shop.root / ".alchemiser").exists()


def test_deploy_dry_run_shows_stacks_and_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    assert inv("deploy", "--env", "live", "--dry-run") == 0
    assert capsys.readouterr().out.splitlines() == [
        "live: AWS account 123456789012, eu-west-1",
        "base: shop-live-base from base.yaml",
        "app: shop-live from app.yaml with BaseStack=shop-live-base",
    ]


@pytest.mark.parametrize("command", ["deploy", "diff", "rollback"])
def test_allow_may_be_repeated(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    front = importlib.import_module(f"automation.{command}")
    taken: list[tuple[str, ...]] = []

    def take(*_arguments: object, options: Any, **_keywords: object) -> int:
        taken.append(options.allow)
        return 0

    monkeypatch.setattr(front, command, take)

    assert inv(command, "--env", "live", "--allow", "replace:Ledger", "--allow", "dirty") == 0
    assert inv(command, "--env", "live") == 0
    assert taken == [("replace:Ledger", "dirty"), ()]


def test_deploy_and_diff_options_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[object] = []

    def take(root: Path, name: str, *, variables: object, options: object) -> int:
        assert variables is os.environ
        taken.extend([root, name, options])
        return 7

    monkeypatch.setattr(deploy, "deploy", take)
    monkeypatch.setattr(diff, "diff", take)

    assert inv("deploy", "--env", "live", "--yes", "--plan", "p.json", "--ttl", "2d") == 0
    assert inv("diff", "--env", "live", "--out", "p.json", "--markdown", "--against", "HEAD", "--json") == 7
    assert taken == [
        *(tasks.ROOT, "live", deploy.Options(yes=True, plan="p.json", ttl="2d")),
        *(tasks.ROOT, "live", diff.Options(json=True, markdown=True, out="p.json", against="HEAD")),
    ]


@pytest.mark.parametrize(
    ("command", "options"),
    [
        (
            "deploy",
            ["--adopt", "--allow", "--dry-run", "--env=STRING", "--plan=STRING", "--set", "--ttl=STRING", "--yes"],
        ),
        (
            "diff",
            [
                *("--adopt", "--against=STRING", "--allow", "--comment", "--env=STRING"),
                *("--json", "--markdown", "--out=STRING", "--set"),
            ],
        ),
        ("prune", ["--dry-run", "--env=STRING", "--keep=INT", "--yes"]),
        ("rollback", ["--allow", "--env=STRING", "--to=STRING", "--yes"]),
        (
            "destroy",
            ["--confirm=STRING", "--data-only", "--delete-data", "--dry-run", "--env=STRING", "--expired", "--yes"],
        ),
    ],
)
def test_help_lists_every_option(command: str, options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert inv(command, "--help") == 0
    assert re.findall(r"^  (--\S+)", capsys.readouterr().out, re.MULTILINE) == options


def test_set_is_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[object] = []

    def take(*_arguments: object, options: object, **_keywords: object) -> int:
        taken.append(options)
        return 0

    monkeypatch.setattr(deploy, "deploy", take)
    monkeypatch.setattr(diff, "diff", take)
    values = ("--set", "Owner=ann", "--set", "Pin=1")

    inv("deploy", "--env", "live", *values)
    inv("diff", "--env", "live", *values)

    assert taken == [deploy.Options(set=("Owner=ann", "Pin=1")), diff.Options(set=("Owner=ann", "Pin=1"))]


def test_prune_options_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[object] = []

    def take(root: Path, name: str, *, variables: object, options: object) -> None:
        taken.extend([root, name, options])

    monkeypatch.setattr(prune_front, "prune", take)

    inv("prune", "--env", "live", "--keep", "30", "--yes", "--dry-run")

    assert taken == [tasks.ROOT, "live", prune_front.Options(keep=30, yes=True, dry_run=True)]


def test_adopt_and_delete_data_are_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[object] = []

    def take(*_arguments: object, options: object, **_keywords: object) -> int:
        taken.append(options)
        return 0

    for front, name in ((deploy, "deploy"), (diff, "diff"), (destroy, "destroy")):
        monkeypatch.setattr(front, name, take)
    decisions = ("--adopt", "Ledger=new", "--adopt", "Sales=shop-Sales-1")

    assert inv("deploy", "--env", "live", *decisions) == inv("diff", "--env", "live", *decisions) == 0
    assert inv("destroy", "--env", "live", "--delete-data", "Ledger", "--delete-data", "releases", "--data-only") == 0
    assert inv("destroy", "--env", "live", "--yes", "--confirm", "live", "--dry-run") == 0
    assert taken == [
        deploy.Options(adopt=("Ledger=new", "Sales=shop-Sales-1")),
        diff.Options(adopt=("Ledger=new", "Sales=shop-Sales-1")),
        destroy.Options(("Ledger", "releases"), data_only=True),
        destroy.Options(yes=True, confirm="live", dry_run=True),
    ]


def test_destroy_expired_options_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[object] = []

    def take(root: Path, env: str, *, variables: object, options: object) -> None:
        assert variables is os.environ
        taken.extend([root, env, options])

    monkeypatch.setattr(expiring, "destroy_expired", take)

    assert inv("destroy", "--expired", "--yes") == inv("destroy", "--expired", "--env", "live", "--dry-run") == 0
    assert taken == [
        *(tasks.ROOT, "", destroy.Options(yes=True)),
        *(tasks.ROOT, "live", destroy.Options(dry_run=True)),
    ]


def test_deploy_stray_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A name that is not an option must not be taken for a danger to allow."""
    assert inv("deploy", "replace:Ledger") == 1
    assert "replace:Ledger" in capsys.readouterr().err


def test_deploy_without_terminal_exits_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert inv("deploy", "--env", "live") == 2
    assert "add --yes" in capsys.readouterr().err


def test_lock_then_clean_print_what_they_did(shop: Project, capsys: pytest.CaptureFixture[str]) -> None:
    inv("lock")
    capsys.readouterr()

    assert inv("lock") == 0
    assert inv("clean") == 0
    assert inv("clean", "--all") == 0
    assert capsys.readouterr().out.splitlines() == [
        "every lock is up to date",
        "nothing to remove",
        "nothing to remove",
    ]


@pytest.mark.parametrize(
    "front_door", ["build", "sync", "prove", "sizes", "affected", "coldstart", "diff", "tasks", "validate"]
)
def test_front_door_that_calls_no_aws_imports_no_sdk(front_door: str) -> None:
    """Importing boto3 takes longer than a whole incremental build."""
    code = f"import sys; import automation.{front_door}; sys.exit('boto3' in sys.modules)"

    finished = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)

    assert finished.returncode == 0

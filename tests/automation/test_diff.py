"""`inv diff`: what a deployment would change, shown in three forms, with an exit code, and nothing is changed."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from automation import affected, diff, preparing
from automation.deploying import plan_files
from automation.deploying.changes.model import Verdict
from automation.deploying.connections import Connections
from automation.deploying.plans import NextRelease
from automation.deploying.releases.records import Release, Smoke
from automation.deploying.sessions import Session
from automation.deploying.views.plan_view import PlanView, StackView
from automation.project import model
from automation.project.model import Project
from automation.system import console
from automation.system.accounts import CallError, Problem
from automation.system.errors import CheckFailedError, ConfigurationError, UsageError
from automation.system.files import digest
from tests.automation.deployable_shop import ShopDeployments
from tests.automation.deploying.fake_accounts import PUSHED, scope_of
from tests.automation.deploying.planned_stacks import session_of
from tests.automation.fake_aws import FakeAws
from tests.automation.repositories import commit_all

REHEARSED = "the target is an emulator: quotas, time-outs and refusals of AWS are not rehearsed here"


def run(deployments: ShopDeployments, **options: Any) -> int:
    return diff.diff(
        deployments.root,
        "live",
        variables=deployments.variables,
        options=diff.Options(**options),
        connect=deployments.aws.connect,
    )


def changes_in(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str, str]]:
    """Return stack, resource and text of each change of the JSON that was printed."""
    return [(row["stack"], row["resource"], row["what"]) for row in json.loads(capsys.readouterr().out)["changes"]]


def test_diff_of_an_empty_account_shows_new_stacks(
    deployments: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(deployments) == 7

    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "live: http://127.0.0.1:1, eu-west-1, r1",
        "base shop-live-base: new",
        "app shop-live: new (provisional: waits for the exports shop-live-base-sales)",
    ]
    assert lines[-2:] == [f"note: {REHEARSED}", "safe: 7 changes"]


def test_diff_changes_nothing_and_leaves_nothing(deployments: ShopDeployments) -> None:
    run(deployments)

    aws = deployments.aws
    assert (aws.stacks.sets, aws.stacks.stacks, aws.table.rows, aws.table.lock) == ({}, {}, {}, None)


def test_diff_changed_code_is_the_only_change(deployments: ShopDeployments, capsys: pytest.CaptureFixture[str]) -> None:
    deployments.deploy()
    deployments.change_till()
    deployments.take_calls()
    capsys.readouterr()

    assert run(deployments, json=True) == 7
    assert changes_in(capsys) == [("app", "Till", "code: changed")]
    assert deployments.take_calls() == [
        "create shop-live-base",
        "discard shop-live-base",
        "create shop-live",
        "discard shop-live",
    ]


def test_diff_as_json_names_releases_stacks_and_notes(
    deployments: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    deployments.deploy()
    deployments.change_till()
    capsys.readouterr()

    run(deployments, json=True)

    printed = json.loads(capsys.readouterr().out)
    assert (printed["environment"], printed["from_release"], printed["to_commit"]) == ("live", "r1", "r2")
    assert [(stack["name"], stack["status"]) for stack in printed["stacks"]] == [
        ("base", "unchanged"),
        ("app", "changes"),
    ]
    assert printed["notes"] == [REHEARSED]


def test_diff_as_markdown_is_a_review_comment(deployments: ShopDeployments, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(deployments, markdown=True) == 7
    assert capsys.readouterr().out.startswith(
        "### Deployment plan\n\nlive: http://127.0.0.1:1, eu-west-1, r1\n\n**safe:"
    )


def test_diff_forbidden_plan_exits_3_unless_it_is_allowed(
    deployments: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    deployments.deploy()
    deployments.edit("base.yaml", "AttributeName: id", "AttributeName: day")
    capsys.readouterr()

    assert run(deployments) == 3
    assert "  or allow it: --allow replace:Sales\n" in capsys.readouterr().out
    assert run(deployments, allow=("replace:Sales",)) == 7
    assert deployments.aws.stacks.sets == {}


def test_diff_nothing_changed_exits_0_without_a_change_set(
    deployments: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    deployments.deploy()
    deployments.take_calls()
    capsys.readouterr()

    assert run(deployments) == 0
    assert capsys.readouterr().out.splitlines() == [
        "live: http://127.0.0.1:1, eu-west-1, r1",
        "base shop-live-base: unchanged",
        "app shop-live: unchanged",
        "nothing to do",
    ]
    assert deployments.take_calls() == []


def test_diff_what_runs_without_a_release_is_nothing_to_do(deployments: ShopDeployments) -> None:
    """Somebody deployed it without this program: there is no release, but no change either."""
    deployments.deploy()
    deployments.aws.table.rows.clear()

    assert run(deployments) == 0
    assert deployments.aws.stacks.sets == {}


def test_diff_starts_the_target_before_it_asks(deployments: ShopDeployments) -> None:
    order: list[str] = []
    deployments.aws.stacks.on_call = lambda name, _argument: order.append(name)

    diff.diff(
        deployments.root,
        "live",
        variables=deployments.variables,
        options=diff.Options(),
        start_target=lambda: order.append("start"),
        connect=deployments.aws.connect,
    )

    assert order[0] == "start"


def test_diff_refused_credentials_build_nothing(deployments: ShopDeployments, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "prepare", lambda _scope: pytest.fail("prepared"))
    deployments.aws.account.failing = {"identity": CallError(Problem.EXPIRED, "ExpiredToken")}

    with pytest.raises(CheckFailedError, match="live cannot be used with these credentials"):
        run(deployments)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"json": True, "markdown": True}, "diff: --json and --markdown exclude each other; use one of them"),
        (
            {"against": "HEAD", "out": "p.json"},
            "diff: --out saves a plan, but --against only compares templates; use one of them",
        ),
    ],
)
def test_diff_options_that_exclude_each_other_are_refused(
    deployments: ShopDeployments, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        run(deployments, **options)

    assert str(caught.value) == message


def test_diff_out_saves_the_plan_with_its_change_sets(
    deployments: ShopDeployments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes: list[str] = []
    monkeypatch.setattr(console, "note", notes.append)
    file = tmp_path / "my plan.json"

    assert run(deployments, out=str(file)) == 7

    saved = plan_files.read(file, environment="live")
    assert [stack.change_set for stack in saved.stacks] == [*deployments.aws.stacks.sets, ""]
    assert saved.assessment.verdict is Verdict.SAFE
    assert notes == [f"saved; deploy exactly this with inv deploy --env live --plan '{file}'"]


def test_diff_out_that_cannot_be_written_leaves_no_change_set(deployments: ShopDeployments, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="the plan cannot be written"):
        run(deployments, out=str(tmp_path))

    assert deployments.aws.stacks.sets == {}


def test_diff_interrupted_while_it_prints_leaves_no_change_set(
    deployments: ShopDeployments, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_view: PlanView, _options: diff.Options) -> None:
        assert deployments.aws.stacks.sets
        raise KeyboardInterrupt

    monkeypatch.setattr(diff, "show", interrupt)

    with pytest.raises(KeyboardInterrupt):
        run(deployments)
    assert deployments.aws.stacks.sets == {}


def test_prepare_builds_before_anything_is_uploaded(
    deployments: ShopDeployments, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # this test needs the real proof
    deployments.change_till("def broken(:\n")

    with pytest.raises(CheckFailedError, match=r"1 fault\(s\) would fail on Lambda: import-fails"):
        run(deployments)

    assert deployments.aws.store.objects == {}


def test_exit_codes_say_whether_there_is_something_to_do() -> None:
    assert {str(verdict): code for verdict, code in diff.EXIT_CODES.items()} == {
        "nothing to do": 0,
        "safe": 7,
        "needs consent": 7,
        "forbidden": 3,
    }


def test_open_connections_opens_those_it_is_given(shop: Project) -> None:
    scope, aws = scope_of(shop, "live"), FakeAws()

    assert preparing.open_connections(scope, aws.connect).table is aws.table


def test_open_connections_opens_the_real_ones_otherwise(shop: Project) -> None:
    connections = preparing.open_connections(scope_of(shop, "here"), None)

    assert isinstance(connections, Connections)
    assert type(connections.table).__name__ == "ReleaseTable"
    assert connections.table.name == "shop-here-releases"


def test_next_release_has_the_state_of_the_working_copy(shop: Project) -> None:
    session = replace(session_of(shop), known=(Release(7),), tree=replace(PUSHED, is_dirty=True))

    release = diff.next_release(session, contracts="s3://shop/c.json", breaking=("Order",))

    assert release == NextRelease(8, "c" * 40, is_dirty=True, contracts="s3://shop/c.json", breaking=("Order",))
    assert diff.next_release(replace(session, tree=None)) == NextRelease(8, "", is_dirty=False)


def test_notes_of_an_emulator_say_what_is_not_rehearsed(shop: Project) -> None:
    assert diff.notes(scope_of(shop, "here")) == (REHEARSED,)
    assert diff.notes(scope_of(shop, "live")) == ()


@pytest.mark.parametrize(
    ("smoke", "notes"),
    [
        (Smoke.PASSED, ()),
        (Smoke.FAILED, ("r7 has not passed its smoke test: inv deploy --env live tests it again",)),
    ],
)
def test_unchanged_view_says_whether_the_release_is_proven(shop: Project, smoke: Smoke, notes: tuple[str, ...]) -> None:
    view = diff.unchanged_view(replace(session_of(shop), running=Release(7, smoke=smoke)))

    assert view == PlanView(
        environment="live",
        target="AWS account 123456789012, eu-west-1",
        from_release="r7",
        stacks=(StackView("base", "shop-live-base", "unchanged"), StackView("app", "shop-live", "unchanged")),
        notes=notes,
    )


def test_unchanged_view_without_a_release_names_none(shop: Project) -> None:
    view = diff.unchanged_view(session_of(shop))

    assert (view.from_release, view.notes, len(view.stacks)) == ("", (), 2)


ORDER = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}


def with_contracts(deployments: ShopDeployments, schemas: Any) -> Session:
    """Return a session of the shop whose hooks return these schemas."""
    deployments.add_hooks(schemas)
    return session_of(model.load(deployments.root), deployments.aws)


def test_compare_contracts_first_release_breaks_nothing(deployments: ShopDeployments) -> None:
    session = with_contracts(deployments, {"Order": ORDER})

    changes, location = diff.compare_contracts(session, "s3://shop/code/base.json")

    content = json.dumps({"Order": ORDER}, sort_keys=True).encode()
    assert (changes.breaking, location) == ((), f"s3://shop/code/{digest(content)}.json")
    assert deployments.aws.store.objects == {("shop", f"code/{digest(content)}.json"): content}


def test_compare_contracts_with_those_of_the_running_release(deployments: ShopDeployments) -> None:
    session = with_contracts(deployments, {"Order": ORDER})
    _, location = diff.compare_contracts(session, "s3://shop/code/base.json")
    (deployments.root / "contracts.json").write_text(json.dumps({"Bill": ORDER}))

    changes, after = diff.compare_contracts(
        replace(session, running=Release(7, contracts=location)), "s3://shop/code/base.json"
    )

    assert changes.breaking == ("Order",)
    assert after != location


def test_compare_contracts_without_hooks_keeps_nothing(shop: Project) -> None:
    aws = FakeAws()

    changes, location = diff.compare_contracts(session_of(shop, aws), "s3://shop/code/base.json")

    assert (changes.breaking, changes.lines, location, aws.store.objects) == ((), (), "", {})


def test_diff_breaking_contract_is_a_line_that_needs_attention(
    deployments: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    deployments.add_hooks({"Order": ORDER})
    deployments.deploy()
    (deployments.root / "contracts.json").write_text(json.dumps({"Bill": ORDER}))
    deployments.change_till()
    capsys.readouterr()

    assert run(deployments, json=True) == 7
    printed = json.loads(capsys.readouterr().out)
    assert printed["verdict"] == "needs consent"
    assert (printed["changes"][0]["resource"], printed["changes"][0]["type"]) == ("Order", "a contract")


def commit_of(root: Path) -> str:
    finished = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=True)
    return finished.stdout.strip()


def test_code_reasons_name_the_file_that_changed(shop: Project) -> None:
    commit_all(shop.root)
    session = replace(session_of(shop), running=Release(7, commit=commit_of(shop.root)))
    (shop.root / "shop/till/handler.py").write_text("def main(event, context): return 1\n")

    reasons = diff.code_reasons(session)

    assert list(reasons) == ["Till"]
    assert "shop/till/handler.py" in reasons["Till"]


def test_code_reasons_are_a_help_and_never_an_error(shop: Project) -> None:
    session, running = session_of(shop), Release(7, commit="f" * 40)
    commit_all(shop.root)

    assert diff.code_reasons(replace(session, running=running)) == {}


def test_code_reasons_without_a_commit_are_not_looked_for(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(affected, "find", lambda *_arguments, **_options: pytest.fail("looked"))
    session, running = session_of(shop), Release(7, commit="f" * 40)

    assert diff.code_reasons(session) == {}
    assert diff.code_reasons(replace(session, running=Release(7))) == {}
    assert diff.code_reasons(replace(session, running=running, tree=None)) == {}


def test_inside_is_a_path_in_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop").mkdir()
    root = Path("shop")

    assert preparing.inside(root, "shop/plans/p.json") == "plans/p.json"
    assert preparing.inside(root, str(tmp_path / "shop" / "p.json")) == "p.json"
    assert preparing.inside(root, "shop/../p.json") == ""
    assert preparing.inside(tmp_path, "") == ""

"""`inv deploy` up to its consent: what is checked, planned, shown and asked, and that a refusal changes nothing."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from automation import deploy
from automation.deploying.releases import records as releases
from automation.system import deployers
from automation.system.errors import CheckFailedError, UsageError
from tests.automation.deployable_shop import CREATED, ENDPOINT, STACK_NAMES, ShopDeployments, is_untouched
from tests.automation.deploying.fake_accounts import TIMELESS
from tests.automation.projects import make_shop
from tests.automation.release_tables import LOCK, NOW


def test_deploy_first_creates_both_stacks_in_order(
    deployments: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second stack imports an export of the first, so its change set has to wait."""
    release = deployments.deploy()

    assert release is not None
    assert deployments.take_calls() == CREATED
    assert deployments.history == [("deploy", "deployed", "passed")]
    output = capsys.readouterr().out
    assert "app shop-live: new (provisional: waits for the exports shop-live-base-sales)\n" in output
    assert "note: the target is an emulator" in output
    assert "shop-live-base: created, 3 resource(s) changed\nshop-live: created, 4 resource(s) changed\n" in output
    assert output.endswith("3 functions answered\nr1 runs in live: smoke test passed\n")


def test_deploy_first_records_the_release(deployments: ShopDeployments) -> None:
    deployments.deploy()

    (release,) = deployments.releases
    states = [deployments.aws.stacks.stack_state(name) for name in STACK_NAMES]
    assert release.arn == TIMELESS.arn
    assert release.person == deployers.this_process("").person
    assert datetime.fromisoformat(release.created_at).utcoffset() == timedelta(0)
    assert "." not in release.created_at
    assert (release.verdict, release.allowed, release.commit, release.is_dirty) == ("safe", (), "", False)
    assert [stack.stack_name for stack in release.stacks] == list(STACK_NAMES)
    assert [(stack.stack_id, stack.changed_at, stack.content_of) for stack in release.stacks] == [
        (state.stack_id, state.changed_at, 1) for state in states
    ]


def test_deploy_first_records_the_bytes_of_each_artifact(deployments: ShopDeployments) -> None:
    deployments.deploy()

    (release,) = deployments.releases
    base, app = release.stacks
    assert list(base.contents) == ["Code", "Stock"]
    till = (deployments.root / ".aws-sam/build/Till").rglob("*")
    assert app.contents["Till"] == {"(own code)": sum(path.stat().st_size for path in till if path.is_file())}
    assert (base.mounts, app.mounts) == ({"Stock": ("Code",)}, {"Till": ("Code", "Wheels"), "Ledger": ("Code",)})


def test_deploy_first_stores_the_plan_beside_the_templates(deployments: ShopDeployments) -> None:
    deployments.deploy()

    (release,) = deployments.releases
    folder, _, key = release.plan.removeprefix("s3://shop-artifacts/").rpartition("/")
    document = json.loads(deployments.aws.store.objects["shop-artifacts", f"{folder}/{key}"])
    assert folder == release.stacks[0].template.removeprefix("s3://shop-artifacts/").rpartition("/")[0]
    assert document["format"] == 1
    assert [stack["stack_name"] for stack in document["plan"]["stacks"]] == list(STACK_NAMES)


def test_deploy_stamps_the_templates_and_tags_the_table(deployments: ShopDeployments) -> None:
    tags: list[str] = []
    deployments.aws.table.on_call = lambda name, argument: tags.append(argument) if name == "create" else None

    deployments.deploy()

    assert [deployments.stamp(name) for name in STACK_NAMES] == [("r1", "none")] * 2
    assert set(tags) == {"{'created-by': 'inv deploy'}"}


def test_deploy_holds_the_lock_while_it_changes_and_gives_it_back(deployments: ShopDeployments) -> None:
    held: list[bool] = []
    table = deployments.aws.table
    deployments.aws.stacks.on_call = lambda name, _: held.append(table.lock is not None) if "execute" in name else None

    deployments.deploy()

    assert held == [True, True]
    assert table.lock is None
    assert (table.calls[:2], table.calls[-1]) == (["create", "lock"], "unlock")


def test_deploy_again_changes_nothing_and_takes_no_lock(
    deployments: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    deployments.deploy()
    deployments.take_calls()
    deployments.aws.table.calls.clear()
    deployments.aws.functions.requests.clear()
    capsys.readouterr()

    release = deployments.deploy()

    assert release == deployments.releases[0]
    assert (deployments.take_calls(), deployments.aws.table.calls) == ([], [])
    assert deployments.aws.functions.requests == {}
    assert capsys.readouterr().out == "nothing has changed in live: r1 runs\n"


def test_deploy_changed_code_updates_its_stack_only(
    deployments: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    deployments.deploy()
    before = deployments.till_code
    deployments.change_till()
    deployments.take_calls()
    capsys.readouterr()

    deployments.deploy()

    assert deployments.take_calls() == [
        "create shop-live-base",
        "discard shop-live-base",
        "create shop-live",
        "execute shop-live",
    ]
    assert deployments.till_code != before
    assert [deployments.stamp(name)[0] for name in STACK_NAMES] == ["r1", "r2"]
    output = capsys.readouterr().out
    assert "r1 -> r2\nbase shop-live-base: unchanged\napp shop-live: changes\n" in output
    assert "code  app    Till      code: changed" in output
    assert "shop-live-base: unchanged\nshop-live: updated, 1 resource(s) changed\n" in output


def test_deploy_prints_each_warning_of_the_checks(
    deployments: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    deployments.deploy()

    warning = "warning: git: there is no commit, so nobody can tell what is deployed; run git init, then git add -A"
    assert capsys.readouterr().err.startswith(warning)


def test_deploy_without_terminal_stops_before_any_call(deployments: ShopDeployments) -> None:
    started: list[str] = []

    with pytest.raises(UsageError, match="deploy --env live: must be confirmed, and there is no terminal"):
        deploy.deploy(
            deployments.root,
            "live",
            variables=ENDPOINT,
            options=deploy.Options(),
            start_target=lambda: started.append("target"),
            connect=deployments.aws.connect,
        )

    assert (started, deployments.aws.account.asked) == ([], [])


def test_deploy_starts_the_target_before_its_first_call(deployments: ShopDeployments) -> None:
    asked: list[list[str]] = []

    deploy.deploy(
        deployments.root,
        "live",
        variables=ENDPOINT,
        options=deploy.Options(yes=True),
        start_target=lambda: asked.append(list(deployments.aws.account.asked)),
        connect=deployments.aws.connect,
    )

    assert asked == [[]]


def test_deploy_dry_run_prints_the_scope_and_calls_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_shop(tmp_path)
    before = sorted(tmp_path.rglob("*"))

    release = deploy.deploy(tmp_path, "live", variables={}, options=deploy.Options(dry_run=True))

    assert release is None
    assert capsys.readouterr().out == (
        "live: AWS account 123456789012, eu-west-1\n"
        "base: shop-live-base from base.yaml\n"
        "app: shop-live from app.yaml with BaseStack=shop-live-base\n"
    )
    assert sorted(tmp_path.rglob("*")) == before


def test_deploy_unknown_environment_is_refused(deployments: ShopDeployments) -> None:
    with pytest.raises(UsageError, match="the environments are: here, live"):
        deployments.deploy("nonsense")


def test_deploy_another_account_builds_and_changes_nothing(deployments: ShopDeployments) -> None:
    deployments.aws.account.who = replace(TIMELESS, account="999999999999")
    deployments.edit("samconfig.toml", "shop-artifacts", "shop-artefacts")
    (deployments.root / ".aws-sam/build/packed.json").unlink()

    with pytest.raises(CheckFailedError, match=r"live: 1 finding\(s\) stop this; nothing was changed$") as caught:
        deployments.deploy()

    assert [finding.where for finding in caught.value.findings] == ["account"]
    assert not (deployments.root / ".aws-sam/build/packed.json").exists()
    assert is_untouched(deployments)


def test_deploy_another_account_is_not_asked_for_its_stacks(deployments: ShopDeployments) -> None:
    """A change that runs there is not ours to follow, let alone to cancel."""
    looks: list[str] = []
    deployments.aws.stacks.on_call = lambda name, stack: looks.append(f"{name} {stack}")
    deployments.aws.account.who = replace(TIMELESS, account="999999999999")

    with pytest.raises(CheckFailedError):
        deployments.deploy()

    assert looks == []


def test_deploy_reports_all_stops_at_once(deployments: ShopDeployments) -> None:
    deployments.deploy()
    deployments.aws.stacks.stacks["shop-live"].status = "UPDATE_ROLLBACK_FAILED"
    deployments.aws.table.lock = replace(LOCK, expires_at=NOW + timedelta(minutes=1))
    deployments.aws.stacks.calls.clear()
    deployments.aws.table.calls.clear()

    with pytest.raises(CheckFailedError, match=r"2 finding\(s\)") as caught:
        deployments.deploy()

    assert {finding.where for finding in caught.value.findings} == {"live", "shop-live"}
    assert (deployments.aws.stacks.calls, deployments.aws.table.calls) == ([], [])


def test_deploy_lock_taken_meanwhile_plans_nothing(deployments: ShopDeployments) -> None:
    """Somebody else begins while this deployment builds: the checks before it saw no lock."""
    table = deployments.aws.table

    def lock_first(name: str, _argument: str) -> None:
        if name == "create":
            table.lock = LOCK

    table.on_call = lock_first

    with pytest.raises(CheckFailedError, match="live: another deployer is at work"):
        deployments.deploy()

    assert deployments.take_calls() == []
    assert table.lock == LOCK


def test_deploy_release_made_meanwhile_is_seen(deployments: ShopDeployments) -> None:
    """What runs is read again under the lock."""
    table = deployments.aws.table
    deployments.deploy()
    rows = dict(table.rows)
    table.rows.clear()

    def restore_first(name: str, _argument: str) -> None:
        if name == "lock":
            table.rows = rows

    table.on_call = restore_first
    deployments.take_calls()

    deployments.deploy()

    assert deployments.take_calls() == []
    assert [release.number for release in releases.read(table)] == [1]


def test_report_unchanged_names_commit_and_uncommitted_changes(
    deployments: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    deployments.deploy()
    row = json.loads(deployments.aws.table.rows[1])
    deployments.aws.table.rows[1] = json.dumps(row | {"commit": "0123456789abcdef", "is_dirty": True})
    capsys.readouterr()

    deployments.deploy()

    line = "nothing has changed in live: r1 (012345678, with uncommitted changes) runs\n"
    assert capsys.readouterr().out == line


def test_report_unchanged_clean_commit_is_named_alone(
    deployments: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    deployments.deploy()
    row = json.loads(deployments.aws.table.rows[1])
    deployments.aws.table.rows[1] = json.dumps(row | {"commit": "0123456789abcdef"})
    capsys.readouterr()

    deployments.deploy()

    assert capsys.readouterr().out == "nothing has changed in live: r1 (012345678) runs\n"

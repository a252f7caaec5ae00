"""What may stop `inv deploy` besides the plan: the working copy, the project's guards, and message contracts."""

import json
from types import ModuleType

import pytest

from automation import prove, sizes, validate
from automation.system.errors import CheckFailedError
from tests.automation.deployable_shop import NEW_ORDER, ORDER, STOP, ShopDeployments, is_untouched, write_json
from tests.automation.deploying.changing_stacks import Person
from tests.automation.repositories import commit_all, git


def commit(deployments: ShopDeployments) -> str:
    """Commit all but what is generated, as pushed to a remote, and return the commit."""
    ignored = "/functions/\n/layers/common/python/\n/.alchemiser/\n/.aws-sam/\n"
    (deployments.root / ".gitignore").write_text(ignored)
    commit_all(deployments.root)
    git(deployments.root, "remote", "add", "origin", "https://example.com/shop.git")
    git(deployments.root, "update-ref", "refs/remotes/origin/main", "HEAD")
    return (deployments.root / ".git/refs/heads/main").read_text().strip()


@pytest.fixture
def changed(deployments: ShopDeployments) -> ShopDeployments:
    """Return a deployment whose messages change in a way that one of both releases cannot read."""
    deployments.add_hooks({"Order": ORDER})
    deployments.deploy()
    deployments.change_till()
    write_json(deployments, "contracts.json", {"Order": NEW_ORDER})
    (deployments.root / "guarded.jsonl").unlink()
    deployments.take_calls()
    return deployments


def test_deploy_records_and_stamps_the_commit(deployments: ShopDeployments) -> None:
    hash_of_head = commit(deployments)

    deployments.deploy()

    (release,) = deployments.releases
    assert (release.commit, release.is_dirty) == (hash_of_head, False)
    assert deployments.stamp("shop-live") == ("r1", hash_of_head)


def test_deploy_uncommitted_changes_stop_before_anything(deployments: ShopDeployments) -> None:
    commit(deployments)
    deployments.change_till()

    with pytest.raises(CheckFailedError) as caught:
        deployments.deploy()

    (finding,) = caught.value.findings
    assert finding.what == "files differ from the last commit"
    assert finding.fix.endswith("or add --allow dirty")
    assert deployments.take_calls() == []


def test_deploy_uncommitted_changes_allowed_are_recorded(
    deployments: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    hash_of_head = commit(deployments)
    deployments.change_till()

    deployments.deploy(allow=("dirty",))

    (release,) = deployments.releases
    assert (release.commit, release.is_dirty, release.allowed) == (hash_of_head, True, ())
    assert f"r1 {hash_of_head[:9]} (dirty)" in capsys.readouterr().out


def test_deploy_guard_stops_before_anything(deployments: ShopDeployments) -> None:
    deployments.add_hooks()
    write_json(deployments, "guard.json", [STOP])

    with pytest.raises(CheckFailedError, match=r"live: 1 finding\(s\) stop this; nothing was changed") as caught:
        deployments.deploy()

    assert [finding.what for finding in caught.value.findings] == ["3 orders are queued"]
    assert deployments.take_calls() == []


def test_deploy_warning_of_a_guard_is_printed_with_its_fix(
    deployments: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    deployments.add_hooks()
    write_json(
        deployments, "guard.json", [STOP | {"level": "warn"}, STOP | {"level": "warn", "what": "late", "fix": ""}]
    )

    deployments.deploy()

    errors = capsys.readouterr().err
    assert "warning: orders: 3 orders are queued; wait until they are done\n" in errors
    assert "warning: orders: late\n" in errors


def test_deploy_contracts_are_kept_with_the_release(deployments: ShopDeployments) -> None:
    deployments.add_hooks({"Order": ORDER})

    deployments.deploy()

    (release,) = deployments.releases
    key = release.contracts.removeprefix("s3://shop-artifacts/")
    assert json.loads(deployments.aws.store.objects["shop-artifacts", key]) == {"Order": ORDER}


def test_deploy_breaking_message_is_stopped_by_a_guard(changed: ShopDeployments) -> None:
    write_json(changed, "breaking.json", [STOP, STOP | {"level": "warn", "what": "late"}])

    with pytest.raises(
        CheckFailedError, match=r"live: Order cannot be read by both releases; nothing was changed$"
    ) as caught:
        changed.deploy()

    assert [finding.what for finding in caught.value.findings] == ["3 orders are queued"]
    assert changed.aws.stacks.sets == {}
    assert [release.number for release in changed.releases] == [1]


def test_deploy_guard_that_fails_about_a_message_stops(changed: ShopDeployments) -> None:
    """Nobody knows whether the message is queued, so nothing is deployed."""
    (changed.root / "breaking.json").write_text("not JSON")

    with pytest.raises(CheckFailedError, match="live: Order cannot be read by both releases") as caught:
        changed.deploy()

    (finding,) = caught.value.findings
    assert (finding.where, finding.fix) == (
        "shop_hooks:guard",
        "fix it, or remove it from guards in pyproject.toml: [tool.alchemiser]",
    )


def test_deploy_breaking_messages_are_all_named(changed: ShopDeployments) -> None:
    write_json(changed, "contracts.json", {})
    write_json(changed, "breaking.json", [STOP])
    changed.deploy()
    write_json(changed, "contracts.json", {"Bill": ORDER, "Order": ORDER})
    changed.change_till()
    changed.deploy()
    write_json(changed, "contracts.json", {"Bill": NEW_ORDER, "Order": NEW_ORDER})
    changed.change_till()

    with pytest.raises(CheckFailedError, match="live: Bill, Order cannot be read by both releases"):
        changed.deploy()


def test_deploy_breaking_message_passes_when_no_guard_stops(
    changed: ShopDeployments, person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is queued, and a guard that only warns does not decide."""
    write_json(changed, "breaking.json", [STOP | {"level": "warn"}])
    person.answers = ["live"]

    changed.deploy(yes=False)

    assert [release.number for release in changed.releases] == [1, 2]
    assert (changed.root / "guarded.jsonl").read_text() == '[]\n["Order"]\n'
    assert "Order" in capsys.readouterr().out


def test_deploy_readable_messages_ask_the_guards_once(deployments: ShopDeployments) -> None:
    deployments.add_hooks({"Order": ORDER})

    deployments.deploy()

    assert (deployments.root / "guarded.jsonl").read_text() == "[]\n"


@pytest.mark.parametrize(
    ("module", "check"), [(validate, "validate_once"), (prove, "prove_once"), (sizes, "require_within_limits")]
)
def test_deploy_failed_check_of_the_build_uploads_nothing(
    deployments: ShopDeployments, monkeypatch: pytest.MonkeyPatch, module: ModuleType, check: str
) -> None:
    def fail(*_arguments: object) -> None:
        raise CheckFailedError("1 fault")

    deployments.change_till()  # what has passed is not proven and measured again
    monkeypatch.setattr(module, check, fail)

    with pytest.raises(CheckFailedError, match="1 fault"):
        deployments.deploy()

    assert is_untouched(deployments)
    assert deployments.aws.store.objects == {}

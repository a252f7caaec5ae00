"""`inv doctor` prints every result and fails only when something stops a deployment."""

import json
from pathlib import Path

import pytest

from automation import doctor
from automation.project.model import Project
from automation.system import account_checks
from automation.system.accounts import Identity
from automation.system.errors import CheckFailedError, Finding, UsageError
from tests.automation import repositories
from tests.automation.deploying.fake_accounts import TIMELESS, FakeAccount, scope_of
from tests.automation.projects import PYPROJECT, make_shop


def connection(account: FakeAccount, lock: Finding | None = None) -> doctor.Connection:
    def find_lock(_identity: Identity) -> Finding | None:
        return lock

    return doctor.Connection(account, find_lock, dict)


def report(root: Path, account: FakeAccount, *, name: str = "here", as_json: bool = False) -> None:
    doctor.report(root, name, variables={}, json=as_json, connect=lambda _scope: connection(account))


def test_report_nothing_stops_prints_what_was_checked(shop: Project, capsys: pytest.CaptureFixture[str]) -> None:
    report(shop.root, FakeAccount(who=TIMELESS))

    first, *lines, last = capsys.readouterr().out.splitlines()
    assert first == "here: http://127.0.0.1:4566, us-east-1"
    assert "ok   region: us-east-1" in lines
    assert "ok   shop-here: will be created" in lines
    assert last == "nothing stops a deployment; 0 warning(s)"


def test_report_warnings_do_not_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_shop(tmp_path, pyproject_toml=f'{PYPROJECT}\n[[tool.alchemiser.secrets]]\nname = "/shop/{{env}}/till"\n')

    report(tmp_path, FakeAccount(who=TIMELESS))

    lines = capsys.readouterr().out.splitlines()
    assert "warn /shop/here/till: the secret does not exist; inv secrets.set --env here /shop/here/till" in lines
    assert lines[-1] == "nothing stops a deployment; 1 warning(s)"


def test_report_stop_is_exit_code_3(shop: Project, capsys: pytest.CaptureFixture[str]) -> None:
    repositories.commit_all(shop.root)
    (shop.root / "new.txt").touch()

    with pytest.raises(CheckFailedError) as caught:
        report(shop.root, FakeAccount(who=Identity("2", "arn")), name="live")

    # Its findings are printed already.
    assert (caught.value.exit_code, caught.value.findings) == (3, ())
    assert str(caught.value) == "2 finding(s) stop a deployment to live"
    output = capsys.readouterr().out
    assert "\nstop account: the credentials belong to account 2 (arn), but live needs 123456789012; name" in output
    assert "\nstop git: files differ from the last commit; see git status" in output
    assert "nothing stops" not in output


def test_report_another_deployer_stops(shop: Project) -> None:
    lock = Finding("here", "ann deploys", "wait")

    with pytest.raises(CheckFailedError, match=r"1 finding\(s\) stop a deployment to here"):
        doctor.report(
            shop.root, "here", variables={}, connect=lambda _scope: connection(FakeAccount(who=TIMELESS), lock)
        )


def test_report_json_has_every_remark(shop: Project, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CheckFailedError):
        report(shop.root, FakeAccount(who=Identity("2", "arn")), name="live", as_json=True)

    answer = json.loads(capsys.readouterr().out)
    assert (answer["format"], answer["environment"], answer["stops"], answer["warnings"]) == (1, "live", 1, 1)
    assert {"level": "ok", "where": "region", "what": "eu-west-1", "fix": ""} in answer["remarks"]


def test_report_unknown_environment_raises(shop: Project) -> None:
    with pytest.raises(UsageError, match="no environment 'moon'"):
        report(shop.root, FakeAccount(who=TIMELESS), name="moon")


def test_connect_calls_nobody(shop: Project) -> None:
    scope = scope_of(shop, "live")

    assert doctor.connect(scope).account == account_checks.Account(scope.target)

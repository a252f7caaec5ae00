"""`inv releases` lists the newest releases and says which of them runs."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from automation import releases as front
from automation.deploying.releases import records as releases
from automation.deploying.releases.records import Release, ReleasedStack, Smoke, Status
from automation.deploying.scope import Scope
from automation.releases import Sources
from automation.system.cloudformation import CloudFormation
from automation.system.errors import UsageError
from automation.system.release_table import ReleaseTable
from automation.system.stacks import StackState
from tests.automation.projects import make_shop
from tests.automation.release_tables import FakeReleaseTable

STATES = {
    "shop-live-base": StackState("shop-live-base", "CREATE_COMPLETE", "arn:base", "2026-01-01T00:00:00+00:00"),
    "shop-live": StackState("shop-live", "CREATE_COMPLETE", "arn:app", "2026-01-01T00:01:00+00:00"),
}
STACKS = (ReleasedStack("base", "shop-live-base"), ReleasedStack("app", "shop-live"))
FIRST = Release(
    commit="a" * 40,
    person="ann@desk",
    created_at="2026-01-01T00:00:30+00:00",
    verdict="safe",
    status=Status.DEPLOYED,
    smoke=Smoke.PASSED,
    stacks=STACKS,
)
SECOND = replace(FIRST, commit="b" * 40, is_dirty=True, status=Status.FAILED, smoke=Smoke.PENDING, rollback_to=1)


@dataclass
class FakeStacks:
    states: Mapping[str, StackState] = field(default_factory=lambda: STATES)

    def stack_state(self, stack: str) -> StackState:
        return self.states[stack]


@pytest.fixture
def table() -> FakeReleaseTable:
    """Return a table whose first release runs, and whose second failed before it changed anything."""
    table = FakeReleaseTable()
    first = releases.add(table, FIRST)
    first = releases.as_left(first, STATES.values(), before=None)
    releases.save(table, first)
    second = releases.add(table, SECOND)
    releases.save(table, releases.as_left(second, STATES.values(), before=first))
    return table


@pytest.fixture
def report(tmp_path: Path, table: FakeReleaseTable) -> Callable[..., None]:
    root = make_shop(tmp_path)

    def run(stacks: FakeStacks | None = None, **options: Any) -> None:
        sources = Sources(table, stacks or FakeStacks())
        front.report(root, "live", variables={}, connect=lambda _: sources, **options)

    return run


def test_report_lists_newest_first_and_marks_the_running_one(
    report: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    report()

    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "release runs what commit when who verdict status smoke test",
        "r2 rollback to r1 bbbbbbbbbbbb (dirty) 2026-01-01 00:00 ann@desk safe failed pending",
        "r1 yes deploy aaaaaaaaaaaa 2026-01-01 00:00 ann@desk safe deployed passed",
    ]


def test_report_marks_a_pruned_release(
    report: Callable[..., None], table: FakeReleaseTable, capsys: pytest.CaptureFixture[str]
) -> None:
    releases.save(table, replace(FIRST, number=1, pruned=True))

    report()

    assert "safe deployed, pruned passed" in " ".join(capsys.readouterr().out.split())


def test_report_outside_change_says_that_none_runs(
    report: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    changed = replace(STATES["shop-live"], changed_at="2026-01-09T00:00:00+00:00")

    report(FakeStacks({**STATES, "shop-live": changed}))

    output = capsys.readouterr().out
    assert "none of them runs on every stack; see why: inv status --env live" in output
    assert "yes" not in output


def test_report_limit_keeps_the_newest(report: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    report(limit=1)

    output = capsys.readouterr().out
    assert "r2" in output
    assert "aaaaaaaaaaaa" not in output


def test_report_json_is_complete(
    report: Callable[..., None], table: FakeReleaseTable, capsys: pytest.CaptureFixture[str]
) -> None:
    report(json=True, limit=1)

    content = json.loads(capsys.readouterr().out)
    assert content == {
        "format": 1,
        "environment": "live",
        "running": 1,
        "releases": [{"release": 2, **table.documents(1)[0][1]}],
    }


def test_report_json_without_a_running_release_is_null(
    report: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    report(FakeStacks({name: StackState(name) for name in STATES}), json=True)

    assert json.loads(capsys.readouterr().out)["running"] is None


def test_report_without_releases_says_how_to_make_one(
    report: Callable[..., None], table: FakeReleaseTable, capsys: pytest.CaptureFixture[str]
) -> None:
    table.rows.clear()

    report()

    assert capsys.readouterr().out == "live has no releases; make the first: inv deploy --env live\n"


@pytest.mark.parametrize("limit", [0, -1])
def test_report_limit_below_1_is_refused(report: Callable[..., None], limit: int) -> None:
    with pytest.raises(UsageError, match=f"releases: --limit must be at least 1, got {limit}"):
        report(limit=limit)


def test_report_unknown_environment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="here, live"):
        front.report(make_shop(tmp_path), "nonsense", variables={})


def test_connect_names_the_table_after_the_last_stack(tmp_path: Path) -> None:
    seen: list[Scope] = []

    def keep(scope: Scope) -> Sources:
        seen.append(scope)
        return Sources(FakeReleaseTable(), FakeStacks())

    front.report(make_shop(tmp_path), "live", variables={}, connect=keep)

    [scope] = seen
    assert front.connect(scope) == Sources(
        ReleaseTable(scope.target, "shop-live-releases"), CloudFormation(scope.target)
    )

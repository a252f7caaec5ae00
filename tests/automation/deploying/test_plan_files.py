"""A saved plan survives the file, is refused when it is damaged, and names everything that has moved."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from automation.deploying import plan_files
from automation.deploying.changes.model import Action, Assessment, Danger, Rank, RankedChange, Verdict
from automation.deploying.plan_files import PlannedStack, SavedPlan
from automation.system import files
from automation.system.errors import CheckFailedError, ConfigurationError, Finding

DANGER = Danger("replace", "app", "Ledger", Rank.REPLACEMENT, "the table is replaced", "keep its keys")
ASSESSMENT = Assessment(
    changes=(RankedChange(Rank.CODE, "app", "Till", "AWS::Lambda::Function", Action.MODIFY, "code", True),),
    dangers=(DANGER,),
    allowed=(replace(DANGER, kind="delete"),),
    unused=("widen:Role",),
)
APP = PlannedStack(
    stack="app",
    stack_name="shop-app",
    stack_id="arn:app",
    changed_at="2026-01-01T00:00:00+00:00",
    template="s3://b/app.json",
    digest="d" * 64,
    parameters={"Stage": "live", "Key": "(hidden)"},
    code={"Till": "a" * 64},
    change_set="arn:set",
)
BASE = PlannedStack("base", "shop-base")
PLAN = SavedPlan(
    environment="live",
    account="123456789012",
    region="eu-west-1",
    endpoint="",
    consent="word",
    commit="c" * 40,
    is_dirty=False,
    created_at="2026-01-02T03:04:05+00:00",
    stacks=(BASE, APP),
    assessment=ASSESSMENT,
)
AGAIN = "make the plan again: inv diff --env live --out plan.json"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path("plan.json")


def read(path: Path) -> SavedPlan:
    return plan_files.read(path, environment="live")


def refusal(path: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read(path)
    return str(caught.value)


def moved(**changes: Any) -> list[tuple[str, str]]:
    findings = plan_files.moved(PLAN, now=replace(PLAN, **changes), path=Path("plan.json"))
    assert {finding.fix for finding in findings} <= {AGAIN}
    return [(finding.where, finding.what) for finding in findings]


def moved_app(**changes: Any) -> list[tuple[str, str]]:
    return moved(stacks=(BASE, replace(APP, **changes)))


def test_read_returns_what_was_written(path: Path) -> None:
    plan_files.write(path, PLAN)

    assert read(path) == PLAN


def test_planned_stack_that_does_not_exist_has_empty_fields() -> None:
    assert PlannedStack("new", "shop-new") == PlannedStack("new", "shop-new", "", "", "", "", {}, {}, "")


def test_write_names_format_and_verdict(path: Path) -> None:
    plan_files.write(path, PLAN)

    content = json.loads(path.read_text())
    assert (content["format"], content["verdict"]) == (1, "forbidden")
    assert read(path).assessment.verdict is Verdict.FORBIDDEN


def test_write_file_is_for_its_owner_only(path: Path) -> None:
    path.write_text("old")
    path.chmod(0o644)

    plan_files.write(path, PLAN)

    assert path.stat().st_mode & 0o777 == 0o600


def test_write_to_a_folder_is_an_error(path: Path) -> None:
    path.mkdir()

    with pytest.raises(ConfigurationError, match=r"plan\.json: the plan cannot be written: Is a directory"):
        plan_files.write(path, PLAN)


def test_read_missing_file_says_how_to_make_it(path: Path) -> None:
    assert refusal(path) == f"plan.json: the plan does not exist; {AGAIN}"


def test_read_folder_is_an_error(path: Path) -> None:
    path.mkdir()

    assert refusal(path) == "plan.json: the plan cannot be read: Is a directory"


def test_read_cut_file_is_damaged(path: Path) -> None:
    plan_files.write(path, PLAN)
    path.write_text(path.read_text()[:-20])

    assert refusal(path).startswith("plan.json: the plan is damaged (")
    assert refusal(path).endswith(AGAIN)


def test_read_text_that_is_not_json_says_where(path: Path) -> None:
    path.write_text("[3")

    reason = "Expecting ',' delimiter: line 1 column 3 (char 2)"
    assert refusal(path) == f"plan.json: the plan is damaged ({reason}); {AGAIN}"


@pytest.mark.parametrize("text", ["[]", "3", '"plan"'])
def test_read_other_json_is_damaged(path: Path, text: str) -> None:
    path.write_text(text)

    assert refusal(path) == f"plan.json: the plan is damaged (not a JSON object); {AGAIN}"


def test_read_bytes_that_are_not_text_are_damaged(path: Path) -> None:
    path.write_bytes(b"\xff\xfe")

    assert refusal(path).startswith("plan.json: the plan is damaged (")


@pytest.mark.parametrize(("text", "version"), [('{"format": 2}', "2"), ("{}", "None")])
def test_read_other_format_is_refused(path: Path, text: str, version: str) -> None:
    path.write_text(text)

    message = f"plan.json: is a plan in format {version}, but this version reads format 1; {AGAIN}"
    assert refusal(path) == message


def test_read_edited_file_is_refused(path: Path) -> None:
    """A danger that is moved to `allowed` by hand must not count as allowed."""
    plan_files.write(path, PLAN)
    path.write_text(path.read_text().replace("123456789012", "999999999999"))

    assert refusal(path) == f"plan.json: the plan was edited or damaged; {AGAIN}"


def drop_stacks(plan: dict[str, Any]) -> None:
    del plan["stacks"]


def add_field(plan: dict[str, Any]) -> None:
    plan["colour"] = "red"


def unknown_rank(plan: dict[str, Any]) -> None:
    plan["assessment"]["dangers"][0]["rank"] = 99


def wrong_assessment(plan: dict[str, Any]) -> None:
    plan["assessment"]["changes"] = [3]


@pytest.mark.parametrize("spoil", [drop_stacks, add_field, unknown_rank, wrong_assessment])
def test_read_wrong_content_is_damaged(path: Path, spoil: Callable[[dict[str, Any]], None]) -> None:
    plan_files.write(path, PLAN)
    content = json.loads(path.read_text())
    spoil(content["plan"])
    content["digest"] = files.digest(json.dumps(content["plan"], sort_keys=True).encode())
    path.write_text(json.dumps(content))

    assert refusal(path).startswith("plan.json: the plan is damaged (")


def test_moved_same_circumstances_are_no_finding() -> None:
    assert moved() == []


def test_moved_ignores_what_every_plan_has_anew() -> None:
    assert moved(created_at="2026-09-09T00:00:00+00:00", assessment=Assessment()) == []
    assert moved_app(change_set="arn:another", template="s3://b/other.json") == []
    assert moved_app(changed_at="2026-01-01T01:00:00+01:00") == []


@pytest.mark.parametrize(
    ("field", "value", "what"),
    [
        ("environment", "dev", "environment was live, is now dev"),
        ("account", "999999999999", "account was 123456789012, is now 999999999999"),
        ("region", "us-east-1", "region was eu-west-1, is now us-east-1"),
        ("endpoint", "http://127.0.0.1:7", "endpoint was missing, is now http://127.0.0.1:7"),
        ("consent", "none", "consent was word, is now none"),
        ("commit", "e" * 40, "commit was cccccccccccc, is now eeeeeeeeeeee"),
        ("is_dirty", True, "uncommitted changes was no, is now yes"),
    ],
)
def test_moved_names_each_circumstance(field: str, value: Any, what: str) -> None:
    assert moved(**{field: value}) == [("live", what)]


@pytest.mark.parametrize(
    ("field", "value", "what"),
    [
        ("stack_id", "arn:again", "stack id was arn:app, is now arn:again"),
        (
            "changed_at",
            "2026-02-01T00:00:00+00:00",
            "last change was 2026-01-01T00:00:00+00:00, is now 2026-02-01T00:00:00+00:00",
        ),
        ("changed_at", "", "last change was 2026-01-01T00:00:00+00:00, is now missing"),
        ("digest", "e" * 64, "digest of template, code and parameters was dddddddddddd, is now eeeeeeeeeeee"),
        (
            "parameters",
            {"Stage": "dev", "Key": "(hidden)", "New": "1"},
            "parameters: New was missing, is now 1; Stage was live, is now dev",
        ),
        (
            "code",
            {"Till": "b" * 64, "Stock": "c" * 40},
            "code: Stock was missing, is now cccccccccccc; Till was aaaaaaaaaaaa, is now bbbbbbbbbbbb",
        ),
    ],
)
def test_moved_names_each_change_of_a_stack(field: str, value: Any, what: str) -> None:
    assert moved_app(**{field: value}) == [("shop-app", what)]


def test_moved_names_removed_and_new_stacks() -> None:
    assert moved(stacks=(APP,)) == [("shop-base", "the environment does not have this stack any more")]
    assert moved(stacks=(BASE, APP, PlannedStack("new", "shop-new"))) == [
        ("shop-new", "the environment has this new stack")
    ]


def test_moved_names_all_at_once() -> None:
    assert len(moved(account="999999999999", commit="e" * 40, stacks=(replace(BASE, stack_id="arn:base"), APP))) == 3


def test_require_unmoved_refuses_with_the_findings() -> None:
    now = replace(PLAN, region="us-east-1")

    plan_files.require_unmoved(PLAN, now=PLAN, path=Path("plan.json"))
    with pytest.raises(CheckFailedError) as caught:
        plan_files.require_unmoved(PLAN, now=now, path=Path("plan.json"))

    message = "plan.json: the plan is stale: 1 thing(s) have changed since it was made; nothing was changed"
    assert str(caught.value) == message
    assert caught.value.findings == (Finding("live", "region was eu-west-1, is now us-east-1", AGAIN),)

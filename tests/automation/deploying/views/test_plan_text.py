"""A plan on the terminal."""

from dataclasses import replace

import pytest

from automation.deploying.changes.model import Assessment
from automation.deploying.views import plan_text
from automation.deploying.views.plan_view import PlanView
from tests.automation.deploying.plan_examples import VIEW, WIDEN


def test_show_prints_the_whole_plan(capsys: pytest.CaptureFixture[str]) -> None:
    plan_text.show(VIEW)

    printed = [" ".join(text.split()) for text in capsys.readouterr().out.splitlines()]
    assert printed == [
        "prod: AWS account 1, us-east-1, r7 -> 34fef64",
        "data shop-data: unchanged",
        "trading shop (provisional: imports BusName)",
        "kind stack resource change",
        "! data loss trading Ledger is replaced",
        "! monitoring trading Alarm Threshold: 0 -> 1",
        "other trading F, G MemorySize: 1 -> 2",
        "replace:Ledger (trading): is replaced",
        "instead: keep KeySchema",
        "or allow it: --allow replace:Ledger",
        "gsi:Runs (trading): adds a, adds b",
        "instead: deploy one index at a time",
        "allowed: widen:Role (trading): may s3:* on *",
        "note: not rehearsed here: quotas",
        "note: --allow delete:Ledger: this plan has no such danger",
        "forbidden: 2 dangers of 4 changes: replace:Ledger, gsi:Runs",
    ]
    assert capsys.readouterr().err == ""


def test_show_empty_plan_has_no_table(capsys: pytest.CaptureFixture[str]) -> None:
    plan_text.show(PlanView("prod", "AWS"))

    assert capsys.readouterr().out.splitlines() == ["prod: AWS", "nothing to do"]


def test_danger_lines_without_fix_are_short() -> None:
    view = replace(VIEW, assessment=Assessment(dangers=(WIDEN,)))

    assert list(plan_text.danger_lines(view)) == [
        "widen:Role (trading): may s3:* on *",
        "  or allow it: --allow widen:Role",
    ]


def test_styles_tell_dangers_from_attention() -> None:
    styles = [plan_text.style(change, VIEW) for change in VIEW.assessment.changes]

    assert styles == ["red", "yellow", "", ""]
    assert plan_text.style(replace(VIEW.assessment.changes[0], stack="data"), VIEW) == "yellow"


@pytest.mark.parametrize("with_dangers", [True, False])
def test_show_explains_dangers_unless_the_error_does(capsys: pytest.CaptureFixture[str], with_dangers: bool) -> None:
    plan_text.show(VIEW, with_dangers=with_dangers)

    assert ("or allow it: --allow " in capsys.readouterr().out) is with_dangers

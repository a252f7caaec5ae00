import json
from dataclasses import replace
from pathlib import Path

import pytest

from automation.system.errors import Finding
from sandbox.evidence import DayEvidence
from sandbox.summary import Files, as_json, show, signal_rows, strategy_rows
from tests.sandbox import days
from tests.the_alchemiser import run_builders as make
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.run.runs import RunItem

FILES = Files(Path("/reports/2022-03-16.html"), (Path("/reports/2022-03-16-mail.html"),))


def printed(day: DayEvidence, capsys: pytest.CaptureFixture[str]) -> str:
    show(day, FILES)
    return " ".join(capsys.readouterr().out.split())


def test_show_a_good_day_prints_strategies_signal_trades_equity_mail_and_report(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = printed(days.good_day(), capsys)

    for part in (
        "Wednesday, 16 March 2022: local-2022-03-16 COMPLETED",
        "bold 50.00% SPY 100.00%",
        "SPY 100.00% bold 50.00%, calm 50.00%",
        "$100.01",
        "equity $100,000.00 before, $99,990.00 after",
        "mail [local] 2022-03-16 completed: /reports/2022-03-16-mail.html",
        "report /reports/2022-03-16.html",
    ):
        assert part in text


def test_show_a_day_without_trades_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    quiet = replace(days.good_day(), run=make.loaded(days.planned_run()))

    assert "no trades" in printed(quiet, capsys)


def test_rows_of_a_failed_run_tell_who_failed_and_who_did_not_answer() -> None:
    store = make.evaluating()
    store.put_once(make.RUN_ID, RunItem("STRATEGY#calm", outbox.encode(make.strategy_failed("calm"))))
    day = replace(days.good_day(), run=make.loaded(store))

    assert strategy_rows(day) == [
        ("bold", "50.00%", "no answer"),
        ("calm", "50.00%", "failed: too_little_history: SPY: 120 bars present, 200 needed"),
    ]
    assert signal_rows(day) == []


def test_as_json_of_a_good_day_is_json_and_ok() -> None:
    told = json.loads(json.dumps(as_json(days.good_day(), FILES, ())))

    assert (told["ok"], told["equity_after"], [one["filled"] for one in told["trades"]]) == (
        True,
        "99990.00",
        ["10", "990"],
    )


def test_as_json_of_a_day_with_findings_is_not_ok() -> None:
    told = as_json(days.good_day(), FILES, [Finding("here", "wrong", "mend")])

    assert (told["ok"], told["findings"]) == (False, [{"where": "here", "what": "wrong", "mend": "mend"}])

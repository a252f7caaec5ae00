import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import structs

from automation.system.errors import Finding
from sandbox.evidence import DayEvidence
from sandbox.function_logs import FailureKind, LogFailure
from sandbox.summary import DayFiles, day_as_json, print_day, signal_rows, strategy_rows
from tests.sandbox import book_checks, days
from tests.the_alchemiser import run_builders as make
from the_alchemiser.shared.books.checks import BooksCheck
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.run.runs import RunItem

FILES = DayFiles(Path("/reports/2022-03-16.html"), (Path("/reports/2022-03-16-mail.html"),))


def printed(day: DayEvidence, capsys: pytest.CaptureFixture[str]) -> str:
    print_day(day, FILES)
    return " ".join(capsys.readouterr().out.split())


def test_print_day_of_a_good_day_prints_every_part(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = printed(days.good_day(), capsys)

    for part in (
        "Wednesday, 16 March 2022: local-2022-03-16 COMPLETED",
        "bold 50.00% SPY 100.00%",
        "SPY 100.00% bold 50.00%, calm 50.00%",
        "$100.01",
        "equity $100,000.00 before, $99,990.00 after",
        "books agree with the account after the close, 1 holding",
        "mail [local] 2022-03-16: run completed, no trades, equity $99,990.00: /reports/2022-03-16-mail.html",
        "report /reports/2022-03-16.html",
    ):
        assert part in text
    assert "missed" not in text
    assert "survived" not in text


def test_print_day_lists_missed_trades_and_survived_faults(capsys: pytest.CaptureFixture[str]) -> None:
    retried = replace(days.log("execution_v2"), failures=(LogFailure("no answer", is_survived=True),))
    day = replace(
        days.good_day(),
        run=days.run_with_outcome(days.UNSETTLED),
        functions={"execution_v2": retried},
    )

    text = printed(day, capsys)

    assert f"missed {days.BOUGHT.trade_id}: retries exhausted" in text
    assert "survived 1 retry of execution_v2" in text


def test_print_day_without_trades_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    quiet = replace(days.good_day(), run=make.loaded(days.planned_run()))

    assert "no trades" in printed(quiet, capsys)


def test_rows_of_a_failed_run_name_failed_and_silent_strategies() -> None:
    store = make.evaluating()
    store.put_once(make.RUN_ID, RunItem("STRATEGY#calm", outbox.encode(make.strategy_failed("calm"))))
    day = replace(days.good_day(), run=make.loaded(store))

    assert strategy_rows(day) == [
        ("bold", "50.00%", "no answer"),
        ("calm", "50.00%", "failed: too_little_history: SPY: 120 bars present, 200 needed"),
    ]
    assert signal_rows(day) == []


def test_rows_show_what_stays_in_cash() -> None:
    store = make.evaluating()
    answer = make.evaluated("calm", {"SPY": "0.6"}).changed(cash=Decimal("0.4"))
    store.put_once(make.RUN_ID, RunItem("STRATEGY#calm", outbox.encode(answer)))
    signal = make.signal().changed(weights={"SPY": Decimal("0.3")}, cash=Decimal("0.7"))
    store.put_once(make.RUN_ID, RunItem("SIGNAL", outbox.encode(signal)))
    day = replace(days.good_day(), run=make.loaded(store))

    assert strategy_rows(day)[1] == ("calm", "50.00%", "SPY 60.00%, in cash 40.00%")
    assert signal_rows(day)[-1] == ("in cash", "70.00%", "")
    assert day_as_json(day, FILES, ())["cash"] == "0.7"


def test_day_as_json_of_a_good_day_is_ok() -> None:
    summary = json.loads(json.dumps(day_as_json(days.good_day(), FILES, ())))

    assert (summary["survived"], summary["findings"]) == ([], [])
    assert (summary["ok"], summary["equity_after"], [trade["filled"] for trade in summary["trades"]]) == (
        True,
        "99990.00",
        ["10", "990"],
    )


@pytest.mark.parametrize(
    ("books", "text", "state"),
    [
        (book_checks.books(), "agree with the account after the close, 1 holding", "AGREED"),
        (book_checks.books(book_checks.BY_HAND), "DIFFER from the account after the close in 1 place", "DIFFERS"),
        (None, "not compared with the account after the close", None),
    ],
)
def test_day_says_how_its_books_compare(
    books: BooksCheck | None, text: str, state: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    day = replace(days.good_day(), books=books)

    assert f"books {text}" in printed(day, capsys)
    assert day_as_json(day, FILES, ())["books"] == state


@pytest.mark.parametrize("is_degraded", [False, True])
def test_day_that_left_something_undone_is_degraded(is_degraded: bool, capsys: pytest.CaptureFixture[str]) -> None:
    day = days.good_day()
    outbox_of_run = tuple(message.changed(degraded=is_degraded) for message in day.run.outbox)
    day = replace(day, run=structs.replace(day.run, outbox=outbox_of_run))

    assert day_as_json(day, FILES, ())["degraded"] is is_degraded
    assert ("COMPLETED, degraded (market" in printed(day, capsys)) is is_degraded


def test_day_of_a_failed_run_is_not_degraded() -> None:
    assert day_as_json(replace(days.good_day(), run=days.failed_run()), FILES, ())["degraded"] is False


def test_day_as_json_has_what_was_survived() -> None:
    crash = LogFailure("Worker process died", kind=FailureKind.CRASH, is_survived=True)
    functions = {"data_v2": replace(days.log("data_v2"), failures=(crash,))}

    summary = day_as_json(replace(days.good_day(), functions=functions), FILES, ())

    assert (summary["survived"], summary["ok"]) == (["1 crash of data_v2"], True)


def test_day_as_json_with_findings_is_not_ok() -> None:
    summary = day_as_json(days.good_day(), FILES, [Finding("here", "wrong", "fix it")])

    assert (summary["ok"], summary["findings"]) == (False, [{"where": "here", "what": "wrong", "fix": "fix it"}])

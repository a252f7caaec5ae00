"""`inv pnl`: figures as text and JSON, and exit code 3 with each difference from the broker."""

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from automation.system.errors import CheckFailedError, ConfigurationError, UsageError
from desk.performance import pnl as command
from tests.desk.operations.duty import ROOT, World, environment
from tests.desk.performance.office import Office, position
from tests.the_alchemiser.shared.performance.account_rows import TUESDAY
from the_alchemiser.shared.broker.account_check import WrongAccountError
from the_alchemiser.shared.formats import MINUS
from the_alchemiser.shared.performance.table import DynamoPerformances

Out = pytest.CaptureFixture[str]


def lines_of(capsys: Out) -> list[str]:
    """Return the lines without alignment, and with a hyphen for each minus sign."""
    return [" ".join(line.split()) for line in capsys.readouterr().out.replace(MINUS, "-").splitlines()]


def run(office: Office, account: str = "PA1", **options: Any) -> World:
    """Type the command in an environment whose broker, table and ledger are the office's."""
    world = World()
    command.pnl(
        ROOT,
        "prod",
        connect=lambda *_: environment(world),
        sources_of=lambda *_: office.sources(account),
        **options,
    )
    return world


def test_pnl_shows_total_owners_parts_days_and_reconciliation(capsys: Out) -> None:
    world = run(Office())

    notes = "dividends +$0.02; MISC +$0.25; unexplained -$0.25"
    lines = lines_of(capsys)
    assert lines == [
        "ACCOUNT, from the first run through 2022-03-15",
        "equity $1,000.50 -> $1,259.50",
        "deposits +$250.00",
        "P&L +$9.00 (+0.71% time-weighted)",
        "",
        "owner P&L return realised unrealised value exposure turnover wins slippage",
        "calm +$10.00 +0.80% $0.00 +$10.00 $620.00 49.2% $610.00 2/3 67% +$1.25",
        "ACCOUNT +$9.00 +0.71% $0.00 $0.00 $620.00 49.2% $610.00 - $0.00",
        "",
        "where the P&L comes from USD",
        "strategies +$10.00",
        "fees -$0.52",
        "dividends +$0.02",
        "MISC +$0.25",
        "unexplained -$0.75",
        "",
        "date equity deposits P&L return exposure turnover slippage fees notes",
        "2022-03-14 $1,000.00 - -$0.50 -0.05% 0.0% $0.00 $0.00 - unexplained -$0.50",
        f"2022-03-15 $1,259.50 +$250.00 +$9.50 +0.76% 49.2% $610.00 $0.00 -$0.52 {notes}",
        "",
        "last run 2022-03-15: equity $1,259.50; since then no move",
        "books $1,259.50, broker $1,259.50: equal",
    ]
    assert world.broker.is_closed


def test_pnl_of_a_strategy_shows_its_days(capsys: Out) -> None:
    run(Office(), strategy="calm")

    lines = lines_of(capsys)
    assert lines[0] == "calm, from the first run through 2022-03-15"
    assert lines[3] == "P&L +$10.00 (+0.80% of the account's capital, time-weighted)"
    assert not any(line.startswith(("ACCOUNT", "where")) for line in lines)
    assert "2022-03-15 +$10.00 +0.80% $0.00 +$10.00 $620.00 49.2% $610.00 2/3 67% +$1.25" in lines
    assert lines[-1] == "books $1,259.50, broker $1,259.50: equal"


def test_pnl_since_a_date_starts_from_the_row_before(capsys: Out) -> None:
    office = Office()

    run(office, since="2022-03-15")

    assert capsys.readouterr().out.startswith("ACCOUNT, from the end of 2022-03-14 through 2022-03-15\n")
    assert office.since == [TUESDAY]


def test_pnl_since_the_last_run_has_only_the_reconciliation(capsys: Out) -> None:
    run(Office(), since="2022-03-16")

    assert capsys.readouterr().out.splitlines() == [
        "no run has completed since 2022-03-16",
        "",
        "last run 2022-03-15: equity $1,259.50; since then no move",
        "books $1,259.50, broker $1,259.50: equal",
    ]


def test_pnl_before_the_first_run_says_so(capsys: Out) -> None:
    office = Office()
    office.rows = ()

    run(office)

    assert capsys.readouterr().out == "there are no figures yet: they begin with the first run that completes\n"


def test_pnl_of_many_days_shows_the_last_ones(capsys: Out) -> None:
    office = Office()
    base = office.rows[2]
    office.rows = tuple(base.changed(trading_date=date(2022, 3, 1) + timedelta(days=number)) for number in range(43))

    run(office)

    out = capsys.readouterr().out
    shown = [line.split()[0] for line in out.splitlines() if line.startswith("2022-")]
    assert (shown[0], shown[-1], len(shown)) == ("2022-03-14", "2022-04-12", 30)
    assert "12 earlier days: --since 2022-03-02 shows them" in out
    assert "last run 2022-04-12: " in out


def test_pnl_with_moving_prices_compares_cash_and_shares(capsys: Out) -> None:
    office = Office()
    office.moves = [Decimal(1250) + number for number in range(20)]

    run(office)

    last = capsys.readouterr().out.splitlines()[-1]
    assert last.endswith(": cash and shares are equal; prices moved while they were read")


def test_pnl_that_differs_from_the_broker_names_each_difference(capsys: Out) -> None:
    office = Office()
    office.held = [position("SPY", "3", "310")]
    office.equity += 310

    with pytest.raises(
        CheckFailedError, match=r"books \$1,259.50, broker \$1,569.50: they differ in 1 place"
    ) as failure:
        run(office)

    (finding,) = failure.value.findings
    assert (finding.where, finding.what) == ("SPY", "the broker shows 3 shares, the books say 2")
    assert finding.fix == "run inv reconcile --env prod"
    assert capsys.readouterr().out.endswith("books $1,259.50, broker $1,569.50: differ\n")


def test_pnl_as_json_has_every_figure_as_text(capsys: Out) -> None:
    run(Office(), as_json=True)

    shown = json.loads(capsys.readouterr().out)
    assert (shown["environment"], shown["owner"]) == ("prod", "ACCOUNT")
    assert [day["through"] for day in shown["days"]] == ["2022-03-14", "2022-03-15"]
    assert (shown["total"]["pnl"], shown["total"]["deposits"], shown["total"]["opened"]) == ("9.0", "250", None)
    assert shown["total"]["breakdown"] == {
        "strategies": "10",
        "unattributed": "0",
        "fees": "-0.52",
        "dividends": "0.02",
        "interest": "0",
        "other": {"MISC": "0.25"},
        "rounding": "0",
        "unexplained": "-0.75",
    }
    (calm,) = shown["owners"]
    figures = (calm["owner"], calm["closed_lots"], calm["winning_lots"], calm["slippage"], calm["breakdown"])
    assert figures == ("calm", 3, 2, "1.25", None)
    assert calm["turnover_rate"].startswith("0.4843")
    assert shown["reconciliation"] == {
        "last_run": "local-2022-03-15",
        "last_equity": "1259.5",
        "moves": {},
        "at": "2022-03-16T21:00:00+00:00",
        "books_equity": "1259.50",
        "broker_equity": "1259.5",
        "books_cash": "639.5",
        "broker_cash": "639.5",
        "equal": True,
        "prices_moved": False,
        "differences": [],
    }


def test_pnl_of_a_strategy_as_json_has_only_its_figures(capsys: Out) -> None:
    run(Office(), strategy="calm", as_json=True)

    shown = json.loads(capsys.readouterr().out)
    assert (shown["owner"], shown["total"]["owner"], shown["owners"]) == ("calm", "calm", [])


def test_pnl_as_json_that_differs_has_the_differences_only_there(capsys: Out) -> None:
    office = Office()
    office.cash, office.equity = office.cash - 1, office.equity - 1

    with pytest.raises(CheckFailedError) as failure:
        run(office, as_json=True)

    assert failure.value.findings == ()
    reconciliation = json.loads(capsys.readouterr().out.replace(r"\u2212", "-"))["reconciliation"]
    assert reconciliation["equal"] is False
    assert reconciliation["differences"] == ["cash: the broker has $638.50, the books say $639.50 (-$1.00)"]


def test_pnl_before_the_first_run_as_json_is_empty(capsys: Out) -> None:
    office = Office()
    office.rows = ()

    run(office, as_json=True)

    shown = json.loads(capsys.readouterr().out)
    assert (shown["total"], shown["owners"], shown["days"], shown["reconciliation"]) == (None, [], [], None)


def test_pnl_of_an_unknown_strategy_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="there are no figures of bold; there are those of: calm"):
        run(Office(), strategy="bold")


def test_pnl_since_no_date_says_what_to_write() -> None:
    with pytest.raises(UsageError, match="'soon' is not a date; write it as 2022-03-16"):
        run(Office(), since="soon")


def test_pnl_with_keys_of_another_account_is_refused() -> None:
    office = Office()
    office.number = "PA2"

    with pytest.raises(ConfigurationError, match="PA2") as failure:
        run(office)

    assert isinstance(failure.value.__cause__, WrongAccountError)


def test_sources_are_those_of_the_environment() -> None:
    world = World(account="PA7")
    deployed = environment(world, BrokerAccount="PA7")
    deployed = replace(deployed, outputs={**deployed.outputs, "PerformanceTable": "performance"})

    sources = command.sources_of(deployed, Office())

    assert (sources.account, sources.ledger) == ("PA7", world.ledger)
    assert isinstance(sources.performances, DynamoPerformances)
    assert sources.actions().actions == ()

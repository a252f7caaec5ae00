"""The strategies of the book are listed as a table or JSON."""

import json

import pytest

from desk.strategies.listing import list_strategies
from the_alchemiser.shared.book import load_book

Out = pytest.CaptureFixture[str]


def test_list_strategies_prints_a_table_with_the_total(capsys: Out) -> None:
    list_strategies(as_json=False)

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["name", "allocation", "inception", "rebalance", "symbols", "nodes", "file"]
    assert lines[1].split() == ["trend-shield", "0.20", "2021-01-04", "daily", "5", "13", "trend-shield.clj"]
    assert lines[-1] == "10 strategies, 1.00 of the account, 21 symbols"
    assert "threshold 0.05" in "\n".join(lines)


def test_list_strategies_as_json_prints_every_symbol(capsys: Out) -> None:
    list_strategies(as_json=True)

    document = json.loads(capsys.readouterr().out)
    assert document["total"] == "1.00"
    assert set(document["symbols"]) == load_book().universe
    assert document["strategies"][0]["symbols"] == ["GLD", "IWM", "QQQ", "SPY", "TLT"]

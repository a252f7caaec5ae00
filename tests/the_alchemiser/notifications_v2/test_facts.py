import pytest

from tests.the_alchemiser.results import completed, mark
from the_alchemiser.notifications_v2.facts import by_symbol, holdings


def test_holdings_lists_targets_and_positions_once_largest_first() -> None:
    lines = holdings(completed(positions=(mark("GLD", "1", "50"), mark("SPY", "94", "400"))))

    assert [line.symbol for line in lines] == ["SPY", "TLT", "GLD"]
    assert [line.value for line in lines] == [37600, 0, 50]


@pytest.mark.parametrize("symbols", [("b", "A", "C"), ("C", "b", "A")])
def test_by_symbol_ignores_case(symbols: tuple[str, ...]) -> None:
    assert by_symbol(dict.fromkeys(symbols, "odd_symbol")) == [(symbol, "odd_symbol") for symbol in ("A", "b", "C")]

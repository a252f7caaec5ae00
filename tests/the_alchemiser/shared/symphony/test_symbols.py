"""The canonical spelling of symbols, and the symbols of a strategy."""

import pytest

from the_alchemiser.shared.symphony import canonical_symbol, parse, required_symbols


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("spy", "SPY"),
        ("BRK/B", "BRK.B"),
        ("brk.b", "BRK.B"),
        ("EQUITIES::SPY//USD", "SPY"),
        ("EQUITIES::BRK/B//USD", "BRK.B"),
    ],
)
def test_canonical_symbol_unifies_known_spellings(text: str, symbol: str) -> None:
    assert canonical_symbol(text) == symbol


@pytest.mark.parametrize("text", ["", "$SPX", "CRYPTO::BTC//USD", "A B", ".A", "A.", "1A", "EQUITIES::SPY//EUR"])
def test_canonical_symbol_not_an_equity_raises(text: str) -> None:
    with pytest.raises(ValueError, match="is not an equity symbol"):
        canonical_symbol(text)


def test_required_symbols_contain_held_and_read_symbols() -> None:
    symphony = parse(
        '(defsymphony "S" {:asset-class "EQUITIES", :rebalance-frequency :daily}'
        '(if (> (rsi "qqq" {:window 3}) (current-price "BRK/B"))'
        ' [(filter (rsi {:window 2}) (select-top 1) [(asset "TLT" nil)])] [(asset "SPY" "x")]))'
    )

    assert required_symbols(symphony) == {"QQQ", "BRK.B", "TLT", "SPY"}


def test_required_symbols_include_those_of_every_part_of_a_condition() -> None:
    symphony = parse(
        '(defsymphony "S" {:asset-class "EQUITIES", :rebalance-frequency :daily}'
        '(if (any (> (current-price "A") 1) (all (> 2 (current-price "B")))) [(empty)] [(asset "C" nil)]))'
    )

    assert required_symbols(symphony) == {"A", "B", "C"}

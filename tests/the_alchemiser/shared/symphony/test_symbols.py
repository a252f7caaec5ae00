"""One spelling of symbols."""

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
def test_canonical_symbol_known_spellings_become_one(text: str, symbol: str) -> None:
    assert canonical_symbol(text) == symbol


@pytest.mark.parametrize("text", ["", "$SPX", "CRYPTO::BTC//USD", "A B", ".A", "A.", "1A", "EQUITIES::SPY//EUR"])
def test_canonical_symbol_no_equity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no symbol of an equity"):
        canonical_symbol(text)


def test_required_symbols_held_or_looked_at_are_all_there() -> None:
    symphony = parse(
        '(defsymphony "S" {:asset-class "EQUITIES", :rebalance-frequency :daily}'
        '(if (> (rsi "qqq" {:window 3}) (current-price "BRK/B"))'
        ' [(filter (rsi {:window 2}) (select-top 1) [(asset "TLT" nil)])] [(asset "SPY" "x")]))'
    )

    assert required_symbols(symphony) == {"QQQ", "BRK.B", "TLT", "SPY"}

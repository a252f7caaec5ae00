"""Strategies, days and bars named on the command line are read."""

from pathlib import Path

import pytest

from automation.system.errors import CheckFailedError, ConfigurationError, UsageError
from desk.strategies.arguments import choose_strategy, error_facts, read_bars, read_book, translate_product_errors
from tests.desk.strategies.files import BOOK, SPY, bars_folder, book_folder, rising, strategy_file
from the_alchemiser.shared.symphony.options import StrategyOptions
from the_alchemiser.strategy_v2.errors import ZeroVolatilityError


def test_choose_strategy_in_the_book_has_its_options_and_inception(tmp_path: Path) -> None:
    folder = book_folder(tmp_path, f"{BOOK}options = {{ ddof = 0 }}\n")

    chosen = choose_strategy(["bold"], task="t", directory=folder)
    assert (chosen.name, chosen.label, chosen.options) == ("bold", "bold", StrategyOptions(ddof=0))
    assert str(chosen.inception) == "2022-01-12"


def test_choose_strategy_file_has_its_own_name_and_no_inception(tmp_path: Path) -> None:
    path = strategy_file(tmp_path, SPY)

    chosen = choose_strategy([str(path)], task="t")
    assert (chosen.name, chosen.label, chosen.inception) == ("S", str(path), None)


def test_choose_strategy_prefers_name_in_the_book_to_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = book_folder(tmp_path / "strategies")
    monkeypatch.chdir(tmp_path)
    for name in ("bold", "mine"):
        strategy_file(tmp_path, SPY, name=name)

    assert choose_strategy(["bold"], task="t", directory=folder).path == folder / "bold.clj"
    assert choose_strategy(["mine"], task="t", directory=folder).path == Path("mine")


def test_choose_strategy_folder_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file: "):
        choose_strategy([str(tmp_path)], task="t")


def test_read_book_invalid_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"allocations sum to 0\.9.*inv strategies\.check"):
        read_book(book_folder(tmp_path, BOOK.replace("0.6", "0.5")))


def test_read_bars_without_folder_reads_the_bundled_prices() -> None:
    bars = read_bars("", ["SPY", "NOPE"])

    assert (bars.origin, set(bars.history.closes)) == ("the bundled prices", {"SPY"})


def test_read_bars_of_folder_reads_its_files(tmp_path: Path) -> None:
    folder = bars_folder(tmp_path / "bars", {"SPY": rising(), "TLT": rising()})

    bars = read_bars(str(folder), ["SPY"])
    assert (bars.origin, bars.columns, set(bars.history.closes)) == (str(folder), {"SPY": "close"}, {"SPY"})


def test_translate_product_errors_names_the_strategy() -> None:
    with pytest.raises(CheckFailedError, match="mine: no volatility"), translate_product_errors(about="mine"):
        raise ZeroVolatilityError("no volatility")


def test_error_facts_without_place_are_kind_and_message() -> None:
    assert error_facts(ZeroVolatilityError("none")) == {"kind": "ZeroVolatilityError", "message": "none"}

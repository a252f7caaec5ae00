"""What people name on the command line."""

from pathlib import Path

import pytest

from automation.system.errors import CheckFailedError, ConfigurationError, UsageError
from desk.strategies.sources import choose, facts_of, read_bars, read_book, reported
from tests.desk.strategies.files import BOOK, SPY, bars_folder, book_folder, rising, strategy_file
from the_alchemiser.shared.book import StrategyOptions
from the_alchemiser.strategy_v2.errors import ZeroVolatilityError


def test_choose_name_of_the_book_brings_its_options_and_inception(tmp_path: Path) -> None:
    folder = book_folder(tmp_path, f"{BOOK}options = {{ ddof = 0 }}\n")

    chosen = choose(["bold"], task="t", directory=folder)
    assert (chosen.name, chosen.label, chosen.options) == ("bold", "bold", StrategyOptions(ddof=0))
    assert str(chosen.inception) == "2022-01-12"


def test_choose_file_has_the_name_it_gives_itself_and_no_inception(tmp_path: Path) -> None:
    path = strategy_file(tmp_path, SPY)

    chosen = choose([str(path)], task="t")
    assert (chosen.name, chosen.label, chosen.inception) == ("S", str(path), None)


def test_choose_word_that_is_in_the_book_and_a_file_is_the_books(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = book_folder(tmp_path / "strategies")
    monkeypatch.chdir(tmp_path)
    for name in ("bold", "mine"):
        strategy_file(tmp_path, SPY, name=name)

    assert choose(["bold"], task="t", directory=folder).path == folder / "bold.clj"
    assert choose(["mine"], task="t", directory=folder).path == Path("mine")


def test_choose_folder_in_place_of_a_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no file"):
        choose([str(tmp_path)], task="t")


def test_read_book_that_cannot_be_traded_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"allocations sum to 0\.9.*inv strategies\.check"):
        read_book(book_folder(tmp_path, BOOK.replace("0.6", "0.5")))


def test_read_bars_without_a_folder_are_the_bundled_ones() -> None:
    bars = read_bars("", ["SPY", "NOPE"])

    assert (bars.origin, set(bars.history.closes)) == ("the bundled prices", {"SPY"})


def test_read_bars_of_a_folder_are_its_own(tmp_path: Path) -> None:
    folder = bars_folder(tmp_path / "bars", {"SPY": rising(), "TLT": rising()})

    bars = read_bars(str(folder), ["SPY"])
    assert (bars.origin, bars.columns, set(bars.history.closes)) == (str(folder), {"SPY": "close"}, {"SPY"})


def test_reported_error_of_an_evaluation_names_what_it_is_about() -> None:
    with pytest.raises(CheckFailedError, match="mine: no volatility"), reported(about="mine"):
        raise ZeroVolatilityError("no volatility")


def test_facts_of_an_error_without_a_place_are_its_kind_and_message() -> None:
    assert facts_of(ZeroVolatilityError("none")) == {"kind": "ZeroVolatilityError", "message": "none"}

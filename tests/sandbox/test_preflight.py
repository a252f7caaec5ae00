from datetime import date
from pathlib import Path

import pytest

import sandbox
from automation.system.errors import CheckFailedError, ConfigurationError
from sandbox.preflight import first_bar_dates, read_universe, require_bars

HISTORY = Path(sandbox.__file__).parent / "history"
BOOK = """
[[strategy]]
name = "only"
file = "only.clj"
allocation = "1"
inception = 2021-01-04
"""


def test_first_bar_dates_of_the_history_cover_the_book() -> None:
    first_dates = first_bar_dates(HISTORY)

    require_bars(read_universe(), first_dates, before=date(2022, 3, 16))
    assert first_dates["SPY"] == date(2020, 1, 2)


def test_require_bars_names_the_symbols_without_bars() -> None:
    first_dates = {"SPY": date(2014, 1, 2), "NEW": date(2022, 3, 16)}

    with pytest.raises(CheckFailedError, match="NEW, NONE") as raised:
        require_bars(["SPY", "NEW", "NONE"], first_dates, before=date(2022, 3, 16))
    assert [finding.what for finding in raised.value.findings] == [
        "has its first bar on 2022-03-16",
        "is not in the bundled market history",
    ]


def test_read_universe_of_a_broken_strategy_names_its_place(tmp_path: Path) -> None:
    (tmp_path / "book.toml").write_text(BOOK)
    (tmp_path / "only.clj").write_text('(defsymphony "x" {}\n  (asset "SPY" nil)')

    with pytest.raises(ConfigurationError, match=r"only\.clj:\d+:\d+: "):
        read_universe(tmp_path)


def test_read_universe_without_a_book_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"book\.toml: cannot be read"):
        read_universe(tmp_path)

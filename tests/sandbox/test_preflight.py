from datetime import date
from pathlib import Path

import pytest

import sandbox
from automation.system.errors import CheckFailedError, ConfigurationError
from sandbox.preflight import first_bars, read_universe, require_bars

HISTORY = Path(sandbox.__file__).parent / "history"
BOOK = """
[[strategy]]
name = "only"
file = "only.clj"
allocation = "1"
inception = 2021-01-04
"""


def test_first_bars_of_the_bundled_history_know_every_symbol_of_the_book() -> None:
    first = first_bars(HISTORY)

    require_bars(read_universe(), first, before=date(2022, 3, 16))
    assert first["SPY"] == date(2020, 1, 2)


def test_require_bars_names_the_symbols_without() -> None:
    first = {"SPY": date(2014, 1, 2), "NEW": date(2022, 3, 16)}

    with pytest.raises(CheckFailedError, match="NEW, NONE") as raised:
        require_bars(["SPY", "NEW", "NONE"], first, before=date(2022, 3, 16))
    assert [finding.what for finding in raised.value.findings] == [
        "has its first bar on 2022-03-16",
        "is not in the bundled market history",
    ]


def test_read_universe_of_a_broken_strategy_names_file_line_and_column(tmp_path: Path) -> None:
    (tmp_path / "book.toml").write_text(BOOK)
    (tmp_path / "only.clj").write_text('(defsymphony "x" {}\n  (asset "SPY" nil)')

    with pytest.raises(ConfigurationError, match=r"only\.clj:\d+:\d+: "):
        read_universe(tmp_path)


def test_read_universe_without_a_book_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"book\.toml: cannot be read"):
        read_universe(tmp_path)

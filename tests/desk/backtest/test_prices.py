from datetime import date
from pathlib import Path

import numpy as np
import pytest

from automation.system.errors import UsageError
from desk.backtest.prices import load_prices


def write_csv(folder: Path, symbol: str, rows: dict[str, str]) -> None:
    lines = [f"{day},{close}" for day, close in rows.items()]
    (folder / f"{symbol}.csv").write_text("\n".join(["date,close", *lines]) + "\n")


def test_load_prices_folder_keeps_benchmark_separate(tmp_path: Path) -> None:
    write_csv(tmp_path, "AAA", {"2021-01-04": "10", "2021-01-05": "11"})
    write_csv(tmp_path, "BBB", {"2021-01-04": "5"})
    write_csv(tmp_path, "SPY", {"2021-01-04": "300", "2021-01-06": "310"})

    prices = load_prices(str(tmp_path), {"AAA"})

    assert set(prices.history.closes) == {"AAA"}
    assert prices.benchmark.of("SPY").tolist() == [300, 310]
    assert prices.origin == str(tmp_path)


def test_load_prices_unrelated_symbol_adds_no_session(tmp_path: Path) -> None:
    write_csv(tmp_path, "AAA", {"2021-01-04": "10", "2021-01-05": "11"})
    write_csv(tmp_path, "SPY", {"2021-01-09": "300"})

    prices = load_prices(str(tmp_path), {"AAA"})

    assert prices.history.dates.tolist() == [date(2021, 1, 4), date(2021, 1, 5)]


def test_load_prices_unusable_file_stays_a_flaw(tmp_path: Path) -> None:
    write_csv(tmp_path, "AAA", {"2021-01-04": "-1"})
    write_csv(tmp_path, "BBB", {"2021-01-04": "1"})

    assert "AAA" in load_prices(str(tmp_path), {"AAA", "BBB"}).history.flaws


def test_load_prices_without_folder_gives_bundled_prices() -> None:
    prices = load_prices("", {"KO"})

    assert prices.origin == "bundled prices"
    assert prices.history.dates[0] == np.datetime64("1990-01-02")
    assert prices.benchmark.dates[0] == np.datetime64("2020-01-02")


def test_load_prices_missing_folder_raises(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        load_prices(str(tmp_path / "nowhere"), {"AAA"})

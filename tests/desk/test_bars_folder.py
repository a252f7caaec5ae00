"""Folders of bars in the forms that users have."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from arro3.core import Array, DataType, Table
from arro3.io import write_parquet

from automation.system.errors import UsageError
from desk.bars_folder import load_bars
from the_alchemiser.shared.market_data.bars import DailyBar, encode_bars

DAYS = [date(2022, 1, 3), date(2022, 1, 4), date(2022, 1, 5)]
CLOSES = [477.71, 477.55, 468.38]
CSV = "date,close\n2022-01-03,477.71\n2022-01-04,477.55\n2022-01-05,468.38\n"


def write(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text)
    return folder


def write_table(folder: Path, name: str, columns: Mapping[str, Array]) -> Path:
    write_parquet(Table.from_pydict(dict(columns)), folder / name)
    return folder


def days_array() -> Array:
    return Array([(day - date(1970, 1, 1)).days for day in DAYS], type=DataType.int32()).cast(DataType.date32())


def closes_array() -> Array:
    return Array(CLOSES, type=DataType.float64())


def stamps_array(unit: str, zone: str | None, hour: int) -> Array:
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    seconds = [int(datetime(day.year, day.month, day.day, hour, tzinfo=UTC).timestamp()) for day in DAYS]
    numbers = Array([second * per_second for second in seconds], type=DataType.int64())
    return numbers.cast(DataType.timestamp(unit, tz=zone))  # type: ignore[arg-type]  # the unit is one of the four


def assert_bars(folder: Path, symbol: str = "SPY") -> None:
    bars = load_bars(folder, [symbol])
    dates, closes = bars.series[symbol]
    assert not bars.flaws
    assert dates.tolist() == DAYS
    assert closes.tolist() == CLOSES


@pytest.mark.parametrize(
    "text",
    [
        CSV,
        CSV.replace("date,close", " Date , Close "),
        CSV.replace("date", "timestamp"),
        CSV.replace("\n", "\r\n"),
        CSV.replace(",", ", "),
        f"\ufeff{CSV}\n\n",
        '"date","close"\n"2022-01-03","477.71"\n"2022-01-04","477.55"\n"2022-01-05","468.38"\n',
        "close,date\n468.38,2022-01-05\n477.71,2022-01-03\n477.55,2022-01-04\n",
        "timestamp,close\n2022-01-03T05:00:00Z,477.71\n2022-01-04T05:00:00Z,477.55\n2022-01-05T05:00:00Z,468.38\n",
        "Date,Open,Close,Adj Close,Volume\n2022-01-03,1,2,477.71,9\n2022-01-04,1,2,477.55,9\n2022-01-05,1,2,468.38,9\n",
    ],
)
def test_load_bars_csv_in_common_form_gives_dates_and_closes(tmp_path: Path, text: str) -> None:
    assert_bars(write(tmp_path, "SPY.csv", text))


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize(
    ("zone", "hour"), [(None, 0), ("UTC", 0), ("UTC", 5), ("+00:00", 5), ("America/New_York", 5), ("-05:00", 21)]
)
def test_load_bars_parquet_timestamps_give_session_dates(
    tmp_path: Path, unit: str, zone: str | None, hour: int
) -> None:
    columns = {"timestamp": stamps_array(unit, zone, hour), "close": closes_array()}

    assert_bars(write_table(tmp_path, "SPY.parquet", columns))


def test_load_bars_parquet_date_types_give_same_dates(tmp_path: Path) -> None:
    texts = Array([day.isoformat() for day in DAYS], type=DataType.string())
    numbers = Array([int(f"{day:%Y%m%d}") for day in DAYS], type=DataType.int64())

    for name, dates in (("A", days_array()), ("B", texts), ("C", numbers), ("D", days_array().cast(DataType.date64()))):
        write_table(tmp_path, f"{name}.parquet", {"Date": dates, "Close": closes_array()})
        assert_bars(tmp_path, name)


def test_load_bars_lake_file_uses_adjusted_close(tmp_path: Path) -> None:
    bars = [DailyBar(day, 1.0, 2.0, 0.5, 1.5, 100.0, close) for day, close in zip(DAYS, CLOSES, strict=True)]
    (tmp_path / "SPY.parquet").write_bytes(encode_bars(bars))

    assert_bars(tmp_path)
    assert load_bars(tmp_path).columns == {"SPY": "adjusted"}


def test_load_bars_parquet_decimals_and_integers_are_prices(tmp_path: Path) -> None:
    decimals = Array([1.25, 2.0, 3.0], type=DataType.float64()).cast(DataType.decimal128(10, 2))
    write_table(tmp_path, "A.parquet", {"date": days_array(), "close": decimals})
    write_table(tmp_path, "B.parquet", {"date": days_array(), "close": Array([1, 2, 3], type=DataType.int64())})

    series = load_bars(tmp_path).series
    assert series["A"][1].tolist() == [1.25, 2, 3]
    assert series["B"][1].tolist() == [1, 2, 3]


@pytest.mark.parametrize("name", ["BRK.B.csv", "BRK-B.csv", "BRK_B.CSV", "brk-b.Csv"])
def test_load_bars_share_class_spelling_gives_canonical_symbol(tmp_path: Path, name: str) -> None:
    assert_bars(write(tmp_path, name, CSV), "BRK.B")


def test_load_bars_with_symbols_reads_only_their_files(tmp_path: Path) -> None:
    write(tmp_path, "SPY.csv", CSV)
    write(tmp_path, "BAD.csv", "not bars")

    bars = load_bars(tmp_path, ["SPY", "QQQ"])
    assert bars.series.keys() == {"SPY"}
    assert not bars.flaws


def test_load_bars_unrelated_files_are_ignored(tmp_path: Path) -> None:
    for name in ("SPY.csv", "._SPY.csv", "notes.txt", "a b.csv"):
        write(tmp_path, name, CSV)

    assert load_bars(tmp_path).series.keys() == {"SPY"}


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        (CSV.replace("477.55", "nan"), "the close of 2022-01-04 is nan"),
        (CSV.replace("477.55", ""), "the close of 2022-01-04 is nan"),
        (CSV.replace("477.55", "null"), "the close of 2022-01-04 is nan"),
        (CSV.replace("477.55", "0"), "the close of 2022-01-04 is 0.0"),
        (CSV.replace("477.55", "-1"), "the close of 2022-01-04 is -1.0"),
        (CSV.replace("477.55", "inf"), "the close of 2022-01-04 is inf"),
        (CSV.replace("2022-01-04", "2022-01-03"), "2022-01-03 has more than one bar"),
        (CSV.replace("2022-01-04", "4 January"), "SPY.csv: '4 January' is not a date; write dates like 2022-01-03"),
        (CSV.replace(",477.55", ""), "SPY.csv: the row '2022-01-04' has too few values"),
        ("date,close\n", "SPY.csv: no rows"),
        ("", "SPY.csv: no rows"),
        (CSV.replace("date", "day"), "SPY.csv: no column date or timestamp; the columns are day, close"),
        (CSV.replace("close", "last"), "SPY.csv: no column close; the columns are date, last"),
    ],
)
def test_load_bars_faulty_csv_becomes_flaw(tmp_path: Path, text: str, flaw: str) -> None:
    history = load_bars(write(tmp_path, "SPY.csv", text)).history()

    assert flaw in history.flaws["SPY"]
    assert len(history.dates) == 0 or np.isnan(history.of("SPY")[-1])


def test_load_bars_binary_csv_becomes_flaw(tmp_path: Path) -> None:
    (tmp_path / "SPY.csv").write_bytes(b"\xff\xfe\x00")

    assert load_bars(tmp_path).flaws["SPY"].startswith("SPY.csv: 'utf-8' codec can't decode")


@pytest.mark.parametrize("body", [b"", b"PAR1 only", b"PAR1" + bytes(64) + b"PAR1"])
def test_load_bars_damaged_parquet_becomes_flaw(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "SPY.parquet").write_bytes(body)

    assert load_bars(tmp_path).flaws["SPY"].startswith("SPY.parquet: not a readable parquet file")


def test_load_bars_parquet_with_missing_values_becomes_flaw(tmp_path: Path) -> None:
    gap = Array([1.0, None, 2.0], type=DataType.float64())
    undated = Array([1, None, 2], type=DataType.int32()).cast(DataType.date32())
    write_table(tmp_path, "A.parquet", {"date": days_array(), "close": gap})
    write_table(tmp_path, "B.parquet", {"date": undated, "close": closes_array()})
    write_table(tmp_path, "C.parquet", {"date": days_array().slice(0, 0), "close": closes_array().slice(0, 0)})

    flaws = load_bars(tmp_path).history().flaws
    assert flaws["A"] == "the close of 2022-01-04 is nan"
    assert flaws["B"] == "B.parquet: a row has no date"
    assert flaws["C"] == "C.parquet: no rows"


def test_load_bars_parquet_with_wrong_types_becomes_flaw(tmp_path: Path) -> None:
    words = Array(["a", "b", "c"], type=DataType.string())
    write_table(tmp_path, "A.parquet", {"date": words, "close": closes_array()})
    write_table(tmp_path, "B.parquet", {"date": days_array(), "close": words})
    write_table(tmp_path, "C.parquet", {"date": days_array(), "close": days_array()})

    flaws = load_bars(tmp_path).history().flaws
    assert flaws["A"].startswith("A.parquet: 'a' is not a date")
    assert flaws["B"] == "the close of 2022-01-03 is nan"
    assert flaws["C"].startswith("C.parquet: close is not a column of numbers")


def test_load_bars_two_files_of_one_symbol_become_flaw(tmp_path: Path) -> None:
    write(tmp_path, "SPY.csv", CSV)
    write_table(tmp_path, "SPY.parquet", {"date": days_array(), "close": closes_array()})

    assert load_bars(tmp_path).flaws == {"SPY": "SPY.csv and SPY.parquet are for the same symbol; keep one"}


def test_load_bars_missing_or_empty_folder_raises(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="missing: no such folder"):
        load_bars(tmp_path / "missing")
    with pytest.raises(UsageError, match="no bars in this folder"):
        load_bars(tmp_path)

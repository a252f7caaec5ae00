"""Bars survive encoding, equal bars give equal bytes, and broken bytes raise UnreadableBarsError."""

import io
from collections.abc import Mapping
from datetime import date

import pytest
from arro3.core import Array, DataType, Table
from arro3.io import write_parquet
from hypothesis import given

from tests.the_alchemiser.shared.market_data.samples import bars, histories
from the_alchemiser.shared.market_data.bars import (
    Bars,
    DailyBar,
    UnreadableBarsError,
    decode_bars,
    decode_columns,
    encode_bars,
)


@given(histories())
def test_decode_after_encode_returns_the_bars(history: Bars) -> None:
    assert decode_bars(encode_bars(history)) == history


@given(histories())
def test_encode_twice_gives_the_same_bytes(history: Bars) -> None:
    assert encode_bars(history) == encode_bars(history)


def test_decode_before_1970_keeps_the_date() -> None:
    old = bars(1, first=date(1962, 1, 2))

    assert decode_bars(encode_bars(old))[0].date == date(1962, 1, 2)


def test_encode_without_bars_raises() -> None:
    with pytest.raises(ValueError, match="no bars"):
        encode_bars(())


@pytest.mark.parametrize("body", [b"", b"PAR1", b"nonsense" * 100], ids=["empty", "magic only", "text"])
def test_decode_other_bytes_raises_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableBarsError):
        decode_bars(body)


def test_decode_missing_column_raises_unreadable() -> None:
    with pytest.raises(UnreadableBarsError, match="open"):
        decode_bars(_parquet({"date": Array([1], type=DataType.int32()).cast(DataType.date32())}))


def test_decode_columns_ignores_missing_other_columns() -> None:
    body = _parquet({"adjusted": Array([1.5], type=DataType.float64())})
    (adjusted,) = decode_columns(body, ("adjusted",))

    assert adjusted.to_pylist() == [1.5]


def test_decode_null_raises_unreadable() -> None:
    columns = {name: Array([None], type=DataType.float64()) for name in DailyBar._fields[1:]}
    dates = Array([1], type=DataType.int32()).cast(DataType.date32())
    with pytest.raises(UnreadableBarsError, match="null"):
        decode_bars(_parquet({"date": dates, **columns}))


def test_is_close_only_flat_bar_without_volume_is_true() -> None:
    flat = DailyBar(date(2022, 1, 3), 5, 5, 5, 5, 0, 5)

    assert flat.is_close_only
    assert not flat._replace(volume=1).is_close_only
    assert not flat._replace(high=6).is_close_only


def _parquet(columns: Mapping[str, Array]) -> bytes:
    file = io.BytesIO()
    write_parquet(Table.from_pydict(dict(columns)), file)
    return file.getvalue()

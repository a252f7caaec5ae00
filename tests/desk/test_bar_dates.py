"""Stamps of daily bars and the sessions they belong to."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from desk.bar_dates import dates_from_instants, dates_from_numbers, dates_from_texts, session_date

WINTER = date(2022, 1, 3)
SUMMER = date(2022, 7, 5)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2022-01-03", WINTER),
        ("20220103", WINTER),
        ("2022-01-03 16:00:00", WINTER),
        ("2022-01-03T23:59:59", WINTER),
        ("2022-01-03T00:00:00Z", WINTER),
        ("2022-01-03 00:00:00+00:00", WINTER),
        ("2022-01-03T04:00:00Z", WINTER),
        ("2022-01-03T05:00:00Z", WINTER),
        ("2022-01-03T14:30:00Z", WINTER),
        ("2022-01-03T21:00:00.000Z", WINTER),
        ("2022-01-03 00:00:00-05:00", WINTER),
        ("2022-01-04T04:59:59Z", WINTER),
        ("2022-07-05T00:00:00Z", SUMMER),
        ("2022-07-05T04:00:00Z", SUMMER),
        ("2022-07-05T05:00:00Z", SUMMER),
        ("2022-07-05T20:00:00Z", SUMMER),
        ("2022-07-06T03:59:59Z", SUMMER),
        ("2022-07-05T00:00:00-04:00", SUMMER),
    ],
)
def test_dates_from_texts_common_stamp_gives_session_date(text: str, expected: date) -> None:
    assert dates_from_texts((text,)).tolist() == [expected]


@pytest.mark.parametrize(
    "number", [20220103, 1641186000, 1641186000_000, 1641186000_000_000, 1641186000_000_000_000, 1641168000]
)
def test_dates_from_numbers_any_unit_is_recognized_by_size(number: int) -> None:
    assert dates_from_numbers((number,)).tolist() == [WINTER]
    assert dates_from_texts((str(number),)).tolist() == [WINTER]


@pytest.mark.parametrize("texts", [("3 January",), ("2022-01-03", "01/04/2022"), ("",), ("12345",), ("20221350",)])
def test_dates_from_texts_unreadable_text_raises_with_example(texts: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"is not a date; write dates like 2022-01-03"):
        dates_from_texts(texts)


def test_session_date_midnight_in_other_zone_is_its_date() -> None:
    assert session_date(datetime(2022, 1, 3, tzinfo=ZoneInfo("Asia/Tokyo"))) == WINTER


def test_session_date_new_york_midnight_in_other_zone_is_new_york_date() -> None:
    assert session_date(datetime(2022, 1, 3, 14, tzinfo=ZoneInfo("Asia/Tokyo"))) == WINTER


@pytest.mark.parametrize("zone", [None, UTC, ZoneInfo("America/New_York")])
def test_dates_from_instants_within_session_gives_its_date(zone: ZoneInfo | None) -> None:
    noon_ns = 1641232800 * 10**9

    assert dates_from_instants((noon_ns,), 10**9, zone).tolist() == [WINTER]


def test_dates_from_texts_result_is_read_only() -> None:
    dates = dates_from_texts(("2022-01-03", "2022-01-04"))

    assert dates.dtype == np.dtype("datetime64[D]")
    assert not dates.flags.writeable

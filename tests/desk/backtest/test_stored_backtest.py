import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from automation.system.errors import UsageError
from desk.backtest.stored_backtest import read_track

DOCUMENT: dict[str, Any] = {
    "equity": [
        {"date": "2021-01-04", "equity": "1000"},
        {"date": "2021-01-05", "equity": "1010.50"},
        {"date": "2021-01-06", "equity": "990"},
    ],
    "decisions": [
        {"date": "2021-01-05", "weights": {"AAA": "1.000000000", "BBB": "0"}},
        {"date": "2021-01-06", "weights": {}},
    ],
    "trade_count": 3,
    "costs": "1.25",
}


def stored(folder: Path, document: object) -> Path:
    path = folder / "old.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def test_read_track_returns_what_was_stored(tmp_path: Path) -> None:
    track = read_track(stored(tmp_path, DOCUMENT))

    assert (track.name, track.trades, track.costs) == ("old.json", 3, Decimal("1.25"))
    assert track.curve.dates == (date(2021, 1, 4), date(2021, 1, 5), date(2021, 1, 6))
    assert track.curve.values.tolist() == [1000, 1010.5, 990]
    assert track.targets == {date(2021, 1, 5): {"AAA": Decimal(1)}, date(2021, 1, 6): {}}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in DOCUMENT.items() if key != name}


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ("{", "Expecting property name"),
        ("[]", "TypeError"),
        ("[" * 100_000, ""),
        (without("equity"), "'equity'"),
        (without("costs"), "'costs'"),
        (without("decisions"), "'decisions'"),
        ({**DOCUMENT, "equity": DOCUMENT["equity"][:1]}, "at least two rows"),
        ({**DOCUMENT, "equity": DOCUMENT["equity"][::-1]}, "ascending dates"),
        ({**DOCUMENT, "equity": [DOCUMENT["equity"][0]] * 2}, "ascending dates"),
        ({**DOCUMENT, "equity": [{"date": "yesterday", "equity": "1"}] * 2}, "isoformat"),
        ({**DOCUMENT, "equity": [{"date": "2021-01-04", "equity": "NaN"}] * 2}, "not a number above 0"),
        ({**DOCUMENT, "equity": [{"date": "2021-01-04", "equity": "0"}] * 2}, "not a number above 0"),
        ({**DOCUMENT, "costs": "much"}, "ConversionSyntax"),
        ({**DOCUMENT, "decisions": [{"date": "2021-01-05", "weights": []}]}, "AttributeError"),
    ],
)
def test_read_track_of_something_else_says_what_to_write(tmp_path: Path, document: object, problem: str) -> None:
    path = stored(tmp_path, document)

    with pytest.raises(UsageError, match="not a backtest") as refused:
        read_track(path)

    assert problem in str(refused.value)
    assert "write one with inv backtest --json > old.json" in str(refused.value)


def test_read_track_missing_file_raises(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read_track(tmp_path / "old.json")


def test_read_track_binary_file_raises(tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    path.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(UsageError, match="not a backtest"):
        read_track(path)

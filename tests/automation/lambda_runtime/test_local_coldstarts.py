from pathlib import Path

import pytest

from automation.lambda_runtime import local_coldstarts

TILL, DESK = ("app", "Till"), ("app", "Desk")


def test_read_returns_what_was_written(tmp_path: Path) -> None:
    local_coldstarts.write(tmp_path, {TILL: 12.5, DESK: 3.0})

    assert local_coldstarts.read(tmp_path) == {TILL: 12.5, DESK: 3.0}
    assert (tmp_path / ".alchemiser/coldstart.json").is_file()


def test_write_keeps_the_other_functions(tmp_path: Path) -> None:
    local_coldstarts.write(tmp_path, {TILL: 12.5, DESK: 3.0})
    local_coldstarts.write(tmp_path, {TILL: 10.0})

    assert local_coldstarts.read(tmp_path) == {TILL: 10.0, DESK: 3.0}


@pytest.mark.parametrize("text", [None, "{", "[]", "{}", '{"format": 2, "functions": []}', '{"format": 1}'])
def test_read_missing_or_broken_record_is_empty(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / ".alchemiser").mkdir()
        (tmp_path / local_coldstarts.RECORD).write_text(text)

    assert local_coldstarts.read(tmp_path) == {}


def test_read_other_format_is_empty(tmp_path: Path) -> None:
    local_coldstarts.write(tmp_path, {TILL: 12.5})
    record = tmp_path / local_coldstarts.RECORD
    record.write_text(record.read_text().replace('"format": 1', '"format": 2'))

    assert local_coldstarts.read(tmp_path) == {}

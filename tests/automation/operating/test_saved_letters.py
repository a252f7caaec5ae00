"""What is dropped can be read back as it was."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.operating import saved_letters
from automation.system.errors import UsageError
from tests.automation.fake_queues import message

BINARY = {"DataType": "Binary", "BinaryValue": b"\x00\xff"}
TEXT = {"DataType": "String", "StringValue": "a"}


def test_read_returns_what_was_saved(tmp_path: Path) -> None:
    full = message(
        "a", '{"x": "ä\u2028"}\n', group="g", deduplication="d#1", source_arn="arn", attributes={"B": BINARY, "T": TEXT}
    )
    path = tmp_path / "new" / "saved.jsonl"

    saved_letters.save([full, message("b", minute=1)], path)

    assert saved_letters.read(path) == (full, message("b", minute=1))
    assert path.stat().st_mode & 0o777 == 0o600


def test_save_writes_a_line_per_message(tmp_path: Path) -> None:
    saved_letters.save([message("a", "é"), message("b")], tmp_path / "f")

    lines = (tmp_path / "f").read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["a", "b"]
    assert '"body": "é"' in lines[0]


@given(body=st.text())
def test_read_returns_each_body_as_it_was(tmp_path_factory: pytest.TempPathFactory, body: str) -> None:
    path = tmp_path_factory.mktemp("letters") / "f"

    saved_letters.save([message("a", body)], path)

    assert [entry.body for entry in saved_letters.read(path)] == [body]


def test_path_of_names_environment_queue_and_time() -> None:
    path = saved_letters.path_of("app/Dead", "live", datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC))

    assert str(path) == ".alchemiser/dropped/live-app-Dead-20260102T030405000006Z.jsonl"


def test_read_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"f: cannot be read: .*No such file.*; name a file that inv dlq\.drop"):
        saved_letters.read(tmp_path / "f")


@pytest.mark.parametrize("line", ["x", "[]", "{}", '{"id": "a"}', '"text"', "1"])
def test_read_line_that_is_not_a_message_is_named(tmp_path: Path, line: str) -> None:
    saved_letters.save([message("a")], tmp_path / "f")
    with (tmp_path / "f").open("a") as file:
        file.write(f"{line}\n")

    with pytest.raises(UsageError, match=r"f:2: is not a message that inv dlq\.drop saved"):
        saved_letters.read(tmp_path / "f")


def test_record_has_each_field() -> None:
    record: dict[str, Any] = saved_letters.record(message("a", "b", group="g", attributes={"B": BINARY}))

    assert record == {
        "id": "a",
        "sent_at": "2026-01-02T15:00:00+00:00",
        "receives": 3,
        "source_arn": "",
        "group": "g",
        "deduplication": "",
        "attributes": {"B": {"DataType": "Binary", "BinaryValue": "AP8="}},
        "body": "b",
    }

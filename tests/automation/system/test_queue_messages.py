"""The ids with which a FIFO queue accepts a message again."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.system.queue_messages import QueueMessage


def message(deduplication: str, message_id: str = "m-1") -> QueueMessage:
    return QueueMessage(message_id, "", "", datetime(2026, 1, 1, tzinfo=UTC), deduplication=deduplication)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("trade-1", "trade-1#1"),
        ("trade-1#1", "trade-1#2"),
        ("trade-1#9", "trade-1#10"),
        ("a#b", "a#b#1"),
        ("a#1#2", "a#1#3"),
        ("", "m-1#1"),
        ("x" * 120, f"{'x' * 120}#1"),
    ],
)
def test_next_deduplication_counts_up(before: str, after: str) -> None:
    assert message(before).next_deduplication == after


def test_next_deduplication_of_a_long_id_is_its_digest() -> None:
    first = message("x" * 121).next_deduplication

    assert len(first) == 64 + len("#1")
    assert message(first).next_deduplication == first.replace("#1", "#2")
    assert message("y" * 121).next_deduplication != first


@given(st.text(alphabet="ab#1", min_size=1, max_size=128))
def test_next_deduplication_is_new_and_accepted_by_sqs(before: str) -> None:
    after = message(before).next_deduplication

    assert after != before
    assert len(after) <= 128
    assert message(before, "m-2").next_deduplication == after


def test_texts_are_the_attributes_with_text() -> None:
    attributes: dict[str, dict[str, Any]] = {
        "A": {"DataType": "String", "StringValue": "a"},
        "N": {"DataType": "Number", "StringValue": "7"},
        "B": {"DataType": "Binary", "BinaryValue": b"b"},
    }

    entry = QueueMessage("m", "", "", datetime(2026, 1, 1, tzinfo=UTC), attributes=attributes)

    assert entry.texts == {"A": "a", "N": "7"}

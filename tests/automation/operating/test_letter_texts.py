"""What a person reads about dead letters."""

from datetime import timedelta

import pytest

from automation.operating import letter_texts
from automation.operating.dead_letters import DeadLetters, Queue
from automation.system.errors import Finding
from automation.system.queue_messages import QueueMessage
from tests.automation.fake_queues import SENT, arn_of, message, url_of


def letters(waiting: int = 0, in_flight: int = 0, *, name: str = "Dead", sqs: str = "dead") -> DeadLetters:
    counts = {
        "ApproximateNumberOfMessages": str(waiting),
        "ApproximateNumberOfMessagesNotVisible": str(in_flight),
    }
    source = Queue("In", arn_of("in"), url_of("in"), {})
    return DeadLetters(Queue(name, arn_of(sqs), url_of(sqs), counts), (source,), ("Refunds",))


def test_row_has_numbers_age_and_origins() -> None:
    row = letter_texts.row(letters(2, 1), SENT, SENT + timedelta(minutes=5))

    assert row == ("Dead", 2, 1, "5 minutes", "In, Refunds")


def test_row_without_messages_has_no_age() -> None:
    assert letter_texts.row(letters(), None, SENT) == ("Dead", 0, 0, "", "In, Refunds")


@pytest.mark.parametrize(("oldest", "text"), [(SENT, "2026-01-02T15:00:00+00:00"), (None, "")])
def test_queue_record_has_each_field(oldest: object, text: str) -> None:
    assert letter_texts.queue_record(letters(2, 1), SENT if oldest else None) == {
        "name": "Dead",
        "url": url_of("dead"),
        "waiting": 2,
        "in_flight": 1,
        "oldest": text,
        "sources": ["In"],
        "other_sources": ["Refunds"],
    }


def test_message_record_has_the_reason() -> None:
    record = letter_texts.message_record(message("a"), "no price")

    assert (record["id"], record["reason"]) == ("a", "no price")


@pytest.mark.parametrize(
    ("waiting", "in_flight", "count"), [(1, 0, "1 message"), (0, 1, "1 message"), (2, 1, "3 messages")]
)
def test_finding_counts_all_and_has_the_command(waiting: int, in_flight: int, count: str) -> None:
    finding = letter_texts.finding(letters(waiting, in_flight), "live")

    assert finding == Finding("Dead", f"{count} could not be handled", "inv dlq.show Dead --env live")


def test_message_lines_show_everything() -> None:
    attributes = {"ERROR_MESSAGE": {"DataType": "String", "StringValue": "gone"}}
    full = message("a", '{"b": 1}', group="g", attributes=attributes)

    assert list(letter_texts.message_lines(full, "no price")) == [
        "message a: sent 2026-01-02 15:00:00 UTC, received 3 times",
        "  reason: no price",
        "  group: g",
        "  ERROR_MESSAGE: gone",
        "  {",
        '    "b": 1',
        "  }",
    ]


def test_message_lines_leave_out_what_is_missing() -> None:
    plain = QueueMessage("a", "text", "", SENT, receives=1)

    assert list(letter_texts.message_lines(plain, "")) == [
        "message a: sent 2026-01-02 15:00:00 UTC, received once",
        "  text",
    ]


def test_message_lines_cut_a_long_body() -> None:
    body = "\n".join(f"line {number}" for number in range(42))

    lines = list(letter_texts.message_lines(message("a", body), ""))

    assert lines[-2:] == ["  line 39", "  … 2 more lines; --json prints all"]
    assert len(list(letter_texts.message_lines(message("a", body[: body.index("line 40") - 1]), ""))) == 41


def test_message_lines_cut_a_wide_line() -> None:
    assert list(letter_texts.message_lines(message("a", "x" * 201), ""))[1] == f"  {'x' * 200}…"
    assert list(letter_texts.message_lines(message("a", "x" * 200), ""))[1] == f"  {'x' * 200}"


def test_pretty_keeps_control_characters_from_the_terminal() -> None:
    assert letter_texts.pretty("a\x1b[2J\nb") == '"a\\u001b[2J"\nb'
    assert letter_texts.pretty('{"ä": "é"}') == '{\n  "ä": "é"\n}'


@pytest.mark.parametrize(
    ("age", "text"),
    [
        (timedelta(seconds=-1), "0 seconds"),
        (timedelta(seconds=1), "1 second"),
        (timedelta(seconds=59), "59 seconds"),
        (timedelta(seconds=60), "1 minute"),
        (timedelta(minutes=59, seconds=59), "59 minutes"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(hours=23, minutes=59), "23 hours"),
        (timedelta(days=1), "1 day"),
        (timedelta(days=13, hours=23), "13 days"),
    ],
)
def test_age_text_has_the_largest_unit(age: timedelta, text: str) -> None:
    assert letter_texts.age_text(age) == text


def test_nothing_to_says_whether_somebody_has_received_them() -> None:
    assert letter_texts.nothing_to("redrive", letters(), place="Dead") == "nothing to redrive: Dead has no messages"
    assert (
        letter_texts.nothing_to("redrive", letters(in_flight=1), place="f") == "nothing to redrive: f has no messages"
    )
    assert letter_texts.nothing_to("drop", letters(in_flight=1), place="Dead") == (
        "nothing to drop now: somebody has received 1 message of Dead; try again in a minute"
    )


def test_nothing_to_after_names_says_such_messages() -> None:
    text = letter_texts.nothing_to("drop", letters(), place="Dead", is_named=True)

    assert text == "nothing to drop: Dead has no such messages"


def test_missing_names_each_message() -> None:
    assert list(letter_texts.missing(["a", "b"], "Dead")) == [
        "a is not in Dead: it was moved or deleted, or somebody has received it",
        "b is not in Dead: it was moved or deleted, or somebody has received it",
    ]


def test_next_steps_have_the_commands() -> None:
    assert list(letter_texts.next_steps(letters(2), 2, "live")) == [
        "a look counts as a receive of each message",
        "send them back: inv dlq.redrive Dead --env live",
        "delete them: inv dlq.drop Dead --env live; only one of them: --id MESSAGE",
    ]
    assert next(letter_texts.next_steps(letters(3), 2, "live")) == "1 more message in Dead; --limit 3"


def test_left_over_is_empty_when_all_is_done() -> None:
    assert list(letter_texts.left_over(letters(2), 2, 2, is_whole=True)) == []
    assert list(letter_texts.left_over(letters(3), 2, 2, is_whole=True)) == []
    assert list(letter_texts.left_over(letters(2, sqs="dead.fifo"), 2, 2, is_whole=True)) == []


def test_left_over_names_what_others_took() -> None:
    assert list(letter_texts.left_over(letters(3), 3, 1, is_whole=True)) == [
        "2 messages could not be received again; somebody else may have taken them"
    ]


def test_left_over_of_a_fifo_queue_asks_to_run_again() -> None:
    assert list(letter_texts.left_over(letters(11, sqs="dead.fifo"), 10, 10, is_whole=True)) == [
        "Dead hands out the first ten messages of a group only; run the command again for the others"
    ]


def test_left_over_of_named_messages_says_nothing_about_the_others() -> None:
    assert list(letter_texts.left_over(letters(11, sqs="dead.fifo"), 1, 1, is_whole=False)) == []

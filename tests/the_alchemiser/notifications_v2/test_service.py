from typing import Any, cast

import pytest

from tests.the_alchemiser.notifications_v2.samples import BACKGROUND
from tests.the_alchemiser.results import FILLED_LATE, checked, completed, differing, failed, refused, settled
from the_alchemiser.notifications_v2.background import Background
from the_alchemiser.notifications_v2.channels import SENT, Delivery, NotDeliveredError, RefusedError
from the_alchemiser.notifications_v2.mail import Mail
from the_alchemiser.notifications_v2.service import UNREADABLE, Notifier
from the_alchemiser.notifications_v2.subject import News
from the_alchemiser.shared.messaging.wiring import Reaction


class InMemoryChannel:
    """Records the mails it sends. The next sends fail, if `failures` says how: after sending, or before."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.sent: list[Mail] = []
        self.failures: list[BaseException] = []
        self.loses_answers = False

    def send(self, mail: Mail) -> None:
        failure = self.failures.pop(0) if self.failures else None
        if failure is None or self.loses_answers:
            self.sent.append(mail)
        if failure is not None:
            raise failure


class InMemoryDeliveries:
    """Deliveries in a dict; the next `fail_next` records of a sent notice fail."""

    def __init__(self) -> None:
        self.deliveries: dict[str, Delivery] = {}
        self.fail_next = 0

    def read(self, key: str) -> Delivery:
        return self.deliveries.get(key, Delivery())

    def record(self, key: str, delivery: Delivery) -> None:
        if delivery.is_sent and self.fail_next:
            self.fail_next -= 1
            raise ConnectionError("the table is down")
        self.deliveries[key] = delivery


class NotifierHarness:
    """A notifier with its two channels in memory."""

    def __init__(self) -> None:
        self.mail = InMemoryChannel("mail")
        self.topic = InMemoryChannel("topic")
        self.deliveries = InMemoryDeliveries()
        self.asked: list[News] = []
        self.known = BACKGROUND
        self.notifier = Notifier("local", (self.mail, self.topic), self.deliveries, self.background)

    def background(self, message: News) -> Background:
        self.asked.append(message)
        return self.known

    @property
    def counts(self) -> tuple[int, int]:
        return len(self.mail.sent), len(self.topic.sent)


@pytest.mark.parametrize(
    "message", [completed(), failed(), refused(), settled(FILLED_LATE), differing(), checked(passed=False)]
)
def test_handle_news_sends_one_notice_per_channel(message: News) -> None:
    harness = NotifierHarness()

    reaction = harness.notifier.handle(message)

    assert harness.counts == (1, 1)
    assert reaction.messages == Reaction().messages


def test_handle_data_that_passed_sends_nothing() -> None:
    harness = NotifierHarness()

    assert harness.notifier.handle(checked(passed=True)) == Reaction()

    assert harness.counts == (0, 0)


def test_handle_same_message_again_sends_nothing_more() -> None:
    harness = NotifierHarness()

    harness.notifier.handle(completed())
    harness.notifier.handle(completed())

    assert harness.counts == (1, 1)


def test_handle_two_runs_of_a_day_sends_one_notice_each() -> None:
    harness = NotifierHarness()

    harness.notifier.handle(completed())
    harness.notifier.handle(completed(run_id="local-2022-03-15-r2"))

    assert harness.counts == (2, 2)


def test_handle_refusals_sends_one_notice_per_day_and_reason() -> None:
    harness = NotifierHarness()

    for reason in ("paused", "paused", "verdict_stale", "paused"):
        harness.notifier.handle(refused(reason))

    assert [mail.subject.rpartition(": ")[2] for mail in harness.mail.sent] == ["paused", "verdict stale"]
    assert harness.counts == (2, 2)


def test_handle_refused_mail_is_retried_without_the_topic() -> None:
    harness = NotifierHarness()
    harness.mail.failures = [RefusedError("mail is down")]

    with pytest.raises(NotDeliveredError, match="mail is down"):
        harness.notifier.handle(completed())

    assert harness.counts == (0, 1)
    harness.notifier.handle(completed())
    assert harness.counts == (1, 1)


def test_handle_refused_topic_is_retried_without_the_mail() -> None:
    harness = NotifierHarness()
    harness.topic.failures = [RefusedError("topic is down")]

    with pytest.raises(NotDeliveredError, match="topic is down"):
        harness.notifier.handle(completed())
    harness.notifier.handle(completed())

    assert harness.counts == (1, 1)


def test_handle_both_channels_refused_raises_the_first_and_retries_both() -> None:
    harness = NotifierHarness()
    harness.mail.failures = [RefusedError("mail is down")]
    harness.topic.failures = [RefusedError("topic is down")]

    with pytest.raises(NotDeliveredError, match="mail is down"):
        harness.notifier.handle(completed())
    harness.notifier.handle(completed())

    assert harness.counts == (1, 1)


def test_handle_refused_again_and_again_is_always_retried() -> None:
    """A refusal sends nothing, so it never uses up the attempts."""
    harness = NotifierHarness()
    harness.mail.failures = [RefusedError("mail is down")] * 5

    for _ in range(5):
        with pytest.raises(RefusedError):
            harness.notifier.handle(completed())
    harness.notifier.handle(completed())

    assert harness.counts == (1, 1)


@pytest.mark.parametrize("lost", [NotDeliveredError("no answer"), SystemExit("killed"), ConnectionError("killed")])
def test_handle_lost_answers_repeat_the_notice_once(lost: BaseException) -> None:
    harness = NotifierHarness()
    harness.mail.failures, harness.mail.loses_answers = [lost, lost, lost], True

    for _ in range(2):
        with pytest.raises(type(lost)):
            harness.notifier.handle(completed())
    for _ in range(2):
        with pytest.raises(
            NotDeliveredError,
            match=r"^mail: sent 2 times without an answer, so it may have arrived; it is not sent again$",
        ):
            harness.notifier.handle(completed())

    assert harness.counts == (2, 1)


def test_handle_answer_after_a_lost_one_ends_it() -> None:
    harness = NotifierHarness()
    harness.mail.failures = [NotDeliveredError("no answer")]
    with pytest.raises(NotDeliveredError):
        harness.notifier.handle(completed())

    for _ in range(3):
        harness.notifier.handle(completed())

    assert harness.counts == (1, 1)


def test_handle_refusal_after_a_lost_answer_keeps_the_count() -> None:
    harness = NotifierHarness()
    harness.mail.failures = [NotDeliveredError("lost"), RefusedError("refused"), NotDeliveredError("lost")]

    for _ in range(3):
        with pytest.raises(NotDeliveredError):
            harness.notifier.handle(completed())

    with pytest.raises(NotDeliveredError, match="sent 2 times"):
        harness.notifier.handle(completed())


def test_handle_sent_but_not_recorded_is_sent_once_more() -> None:
    harness = NotifierHarness()
    harness.deliveries.fail_next = 1
    with pytest.raises(ConnectionError):
        harness.notifier.handle(completed())

    harness.notifier.handle(completed())
    harness.notifier.handle(completed())

    assert harness.counts == (2, 1)


def test_handle_keys_name_module_channel_and_message() -> None:
    harness = NotifierHarness()

    harness.notifier.handle(completed())

    keys = [f"notifications_v2#{channel}#local-2022-03-15/RunCompleted/run" for channel in ("mail", "topic")]
    assert harness.deliveries.deliveries == dict.fromkeys(keys, SENT)


def test_handle_mails_what_is_known_about_the_run() -> None:
    harness = NotifierHarness()

    harness.notifier.handle(completed())

    assert harness.asked == [completed()]
    assert "+$4,987.21" in harness.mail.sent[0].text
    assert "day +$187.21" in harness.topic.sent[0].short


def test_handle_sent_notices_read_nothing_about_the_run() -> None:
    harness = NotifierHarness()
    harness.notifier.handle(completed())
    harness.asked.clear()

    harness.notifier.handle(completed())

    assert harness.asked == []


def test_handle_background_of_unknown_form_mails_the_message(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing that is stored about a run may keep its mail from people."""
    harness = NotifierHarness()
    harness.known = Background(answers=cast("Any", ("not an answer",)))

    harness.notifier.handle(completed())

    assert harness.counts == (1, 1)
    assert "$99,987.21" in harness.mail.sent[0].text
    assert " ".join(UNREADABLE.split()) in " ".join(harness.mail.sent[0].text.split())
    assert "composed without what is stored about the run" in caplog.text


def test_handle_background_that_fails_mails_the_message() -> None:
    def fail(_: News) -> Background:
        raise KeyError("planted")

    harness = NotifierHarness()
    notifier = harness.notifier.changed(read_background=fail)

    notifier.handle(failed())

    assert harness.counts == (1, 1)
    assert "trend: TLT has 120 bars" in harness.mail.sent[0].text

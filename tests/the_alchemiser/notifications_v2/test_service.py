import pytest

from tests.the_alchemiser.results import checked, completed, failed, refused
from the_alchemiser.notifications_v2.channels import NotDeliveredError
from the_alchemiser.notifications_v2.mail import Mail
from the_alchemiser.notifications_v2.service import Notifier
from the_alchemiser.notifications_v2.subject import News
from the_alchemiser.shared.messaging.wiring import Reaction


class InMemoryChannel:
    """Records the mails it sends. The next `fail_next` sends fail."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.sent: list[Mail] = []
        self.fail_next = 0

    def send(self, mail: Mail) -> None:
        if self.fail_next:
            self.fail_next -= 1
            raise NotDeliveredError(f"{self.name} is down")
        self.sent.append(mail)


class InMemoryDeliveries:
    def __init__(self) -> None:
        self.keys: set[str] = set()

    def is_sent(self, key: str) -> bool:
        return key in self.keys

    def record_sent(self, key: str) -> None:
        self.keys.add(key)


class NotifierHarness:
    """A notifier with its two channels in memory."""

    def __init__(self) -> None:
        self.mail = InMemoryChannel("mail")
        self.topic = InMemoryChannel("topic")
        self.notifier = Notifier("local", (self.mail, self.topic), InMemoryDeliveries())

    @property
    def counts(self) -> tuple[int, int]:
        return len(self.mail.sent), len(self.topic.sent)


@pytest.mark.parametrize("message", [completed(), failed(), refused(), checked(passed=False)])
def test_handle_news_sends_one_notice_per_channel(message: News) -> None:
    harness = NotifierHarness()

    reaction = harness.notifier.handle(message)

    assert harness.counts == (1, 1)
    assert reaction.messages == Reaction().messages


def test_handle_data_that_passed_sends_nothing() -> None:
    harness = NotifierHarness()

    harness.notifier.handle(checked(passed=True))

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


def test_handle_failed_mail_is_retried_without_the_topic() -> None:
    harness = NotifierHarness()
    harness.mail.fail_next = 1

    with pytest.raises(NotDeliveredError, match="mail is down"):
        harness.notifier.handle(completed())

    assert harness.counts == (0, 1)
    harness.notifier.handle(completed())
    assert harness.counts == (1, 1)


def test_handle_failed_topic_is_retried_without_the_mail() -> None:
    harness = NotifierHarness()
    harness.topic.fail_next = 1

    with pytest.raises(NotDeliveredError, match="topic is down"):
        harness.notifier.handle(completed())
    harness.notifier.handle(completed())

    assert harness.counts == (1, 1)

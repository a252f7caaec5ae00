import pytest

from tests.the_alchemiser.results import checked, completed, failed
from the_alchemiser.notifications_v2.channels import NotDeliveredError
from the_alchemiser.notifications_v2.mail import Mail
from the_alchemiser.notifications_v2.service import Notifier
from the_alchemiser.shared.messaging.inbox import Reaction
from the_alchemiser.shared.messaging.messages import DataQualityChecked, RunCompleted, RunFailed


class InMemoryChannel:
    """Keeps what it was given; `fail_next` makes the next sends fail."""

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

    def has_gone(self, key: str) -> bool:
        return key in self.keys

    def note(self, key: str) -> None:
        self.keys.add(key)


class Desk:
    """A notifier with both channels at hand."""

    def __init__(self) -> None:
        self.mail = InMemoryChannel("mail")
        self.topic = InMemoryChannel("topic")
        self.notifier = Notifier("local", (self.mail, self.topic), InMemoryDeliveries())

    @property
    def counts(self) -> tuple[int, int]:
        return len(self.mail.sent), len(self.topic.sent)


@pytest.mark.parametrize("message", [completed(), failed(), checked(passed=False)])
def test_handle_news_sends_exactly_one_over_each_channel_and_publishes_nothing(
    message: RunCompleted | RunFailed | DataQualityChecked,
) -> None:
    desk = Desk()

    reaction = desk.notifier.handle(message)

    assert desk.counts == (1, 1)
    assert reaction.messages == Reaction().messages


def test_handle_data_that_passed_sends_nothing() -> None:
    desk = Desk()

    desk.notifier.handle(checked(passed=True))

    assert desk.counts == (0, 0)


def test_handle_same_message_again_sends_nothing_more() -> None:
    desk = Desk()

    desk.notifier.handle(completed())
    desk.notifier.handle(completed())

    assert desk.counts == (1, 1)


def test_handle_two_runs_of_a_day_sends_one_for_each() -> None:
    desk = Desk()

    desk.notifier.handle(completed())
    desk.notifier.handle(completed(run_id="local-2022-03-15-r2"))

    assert desk.counts == (2, 2)


def test_handle_mail_fails_topic_is_told_and_message_comes_back_for_the_mail_alone() -> None:
    desk = Desk()
    desk.mail.fail_next = 1

    with pytest.raises(NotDeliveredError, match="mail is down"):
        desk.notifier.handle(completed())

    assert desk.counts == (0, 1)
    desk.notifier.handle(completed())
    assert desk.counts == (1, 1)


def test_handle_topic_fails_mail_is_not_sent_twice() -> None:
    desk = Desk()
    desk.topic.fail_next = 1

    with pytest.raises(NotDeliveredError, match="topic is down"):
        desk.notifier.handle(completed())
    desk.notifier.handle(completed())

    assert desk.counts == (1, 1)

"""One mail and one SNS message for each run that ended or was refused, for differing books, and for unfit data."""

import logging
from collections.abc import Callable, Iterator

from the_alchemiser.notifications_v2.background import Background
from the_alchemiser.notifications_v2.channels import (
    SENT,
    Channel,
    Deliveries,
    Delivery,
    NotDeliveredError,
    RefusedError,
)
from the_alchemiser.notifications_v2.mail import Mail, compose
from the_alchemiser.notifications_v2.subject import News
from the_alchemiser.shared.messaging.messages import DataQualityChecked
from the_alchemiser.shared.messaging.wiring import Reaction
from the_alchemiser.shared.records import Frozen

MODULE = "notifications_v2"
# A notice may have been sent although no answer came, so it is repeated once: twice is better than never. After that,
# the message goes to the dead-letter queue, and the alarm of that queue reports it.
UNANSWERED_AT_MOST = 2
UNREADABLE = (
    "What is stored about the run has a form that this release does not know; the log of the function says which."
)

logger = logging.getLogger(__name__)


class _Notice(Frozen):
    """What one channel has to send, and what is recorded of it."""

    channel: Channel
    key: str
    delivery: Delivery


class Notifier(Frozen):
    """Notifies people through every channel, once per message and channel.

    Attributes:
        read_background: returns what is known about a message's run.
    """

    stage: str
    channels: tuple[Channel, ...]
    deliveries: Deliveries
    read_background: Callable[[News], Background]

    def handle(self, message: News) -> Reaction:
        """Send the notice about a message. Data that passed its check needs none.

        Raises:
            NotDeliveredError: a channel failed. Those that have sent the notice do not send it again when the message
                is delivered again.
        """
        if isinstance(message, DataQualityChecked) and message.passed:
            return Reaction()

        waiting = tuple(self._waiting(message.message_id))
        if not waiting:
            return Reaction()

        mail = self._compose(message)
        results = [self._send(notice, mail) for notice in waiting]
        failure = next((result for result in results if result is not None), None)
        if failure is not None:
            raise failure
        return Reaction()

    def _compose(self, message: News) -> Mail:
        try:
            return compose(message, self.read_background(message), stage=self.stage)
        except Exception:
            # What is stored about the run may have a form that this release does not know. The message alone is enough
            # for a mail, and a mail without the rest is better than none.
            logger.exception("composed without what is stored about the run")
            return compose(message, Background(unread=(UNREADABLE,)), stage=self.stage)

    def _waiting(self, message_id: str) -> Iterator[_Notice]:
        """Yield the notices about a message that are not recorded as sent."""
        for channel in self.channels:
            key = f"{MODULE}#{channel.name}#{message_id}"
            delivery = self.deliveries.read(key)
            if not delivery.is_sent:
                yield _Notice(channel, key, delivery)

    def _send(self, notice: _Notice, mail: Mail) -> NotDeliveredError | None:
        channel, key, delivery = notice.channel, notice.key, notice.delivery
        if delivery.unanswered >= UNANSWERED_AT_MOST:
            return NotDeliveredError(
                f"{channel.name}: sent {delivery.unanswered} times without an answer, so it may have arrived; "
                "it is not sent again"
            )

        # Recorded before sending: after a kill, nobody knows whether the notice was sent, but the record limits how
        # often that is repeated.
        self.deliveries.record(key, Delivery(unanswered=delivery.unanswered + 1))
        try:
            channel.send(mail)
        except RefusedError as refusal:
            self.deliveries.record(key, delivery)
            return refusal
        except NotDeliveredError as failure:
            return failure
        self.deliveries.record(key, SENT)
        return None

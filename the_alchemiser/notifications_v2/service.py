"""One mail and one SNS message for each run that ended or was refused, for differing books, and for unfit data."""

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


class Notifier(Frozen):
    """Notifies people through every channel, once per message and channel."""

    stage: str
    channels: tuple[Channel, ...]
    deliveries: Deliveries

    def handle(self, message: News) -> Reaction:
        """Send the notice about a message. Data that passed its check needs none.

        Raises:
            NotDeliveredError: a channel failed. Those that have sent the notice do not send it again when the message
                is delivered again.
        """
        if isinstance(message, DataQualityChecked) and message.passed:
            return Reaction()

        mail = compose(message, stage=self.stage)
        results = [self._send(channel, mail, message.message_id) for channel in self.channels]
        failure = next((result for result in results if result is not None), None)
        if failure is not None:
            raise failure
        return Reaction()

    def _send(self, channel: Channel, mail: Mail, message_id: str) -> NotDeliveredError | None:
        key = f"{MODULE}#{channel.name}#{message_id}"
        delivery = self.deliveries.read(key)
        if delivery.is_sent:
            return None
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

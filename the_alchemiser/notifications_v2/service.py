"""One mail and one SNS message for each run that completed, failed or was refused, and for data unfit for use."""

from dataclasses import dataclass

from the_alchemiser.notifications_v2.channels import Channel, Deliveries, NotDeliveredError
from the_alchemiser.notifications_v2.mail import Mail, compose
from the_alchemiser.notifications_v2.subject import News
from the_alchemiser.shared.messaging.messages import DataQualityChecked
from the_alchemiser.shared.messaging.wiring import Reaction

MODULE = "notifications_v2"


@dataclass(frozen=True, slots=True)
class Notifier:
    """Notifies people through every channel, once per message and channel."""

    stage: str
    channels: tuple[Channel, ...]
    deliveries: Deliveries

    def handle(self, message: News) -> Reaction:
        """Send the notice about a message. Data that passed its check needs none.

        Raises:
            NotDeliveredError: a channel failed. The others have sent the notice, and do not send it again when the
                message is delivered again.
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
        if self.deliveries.is_sent(key):
            return None

        try:
            channel.send(mail)
        except NotDeliveredError as failure:
            return failure
        # Recorded after sending, never before: a crash in between repeats a notice instead of losing it.
        self.deliveries.record_sent(key)
        return None

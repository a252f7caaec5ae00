"""One mail and one SNS message for a run's end, and for data that failed its check; silence otherwise."""

from dataclasses import dataclass

from the_alchemiser.notifications_v2.channels import Channel, Deliveries, NotDeliveredError
from the_alchemiser.notifications_v2.mail import Mail, compose
from the_alchemiser.shared.messaging.inbox import Reaction
from the_alchemiser.shared.messaging.messages import DataQualityChecked, RunCompleted, RunFailed

MODULE = "notifications_v2"


@dataclass(frozen=True, slots=True)
class Notifier:
    """Tells people, over every channel, once each."""

    stage: str
    channels: tuple[Channel, ...]
    deliveries: Deliveries

    def handle(self, message: RunCompleted | RunFailed | DataQualityChecked) -> Reaction:
        """Tell, unless there is nothing to tell: data that passed its check is no news.

        Raises:
            NotDeliveredError: a channel failed; the others were used all the same, and are not used again when the
                message comes back.
        """
        if isinstance(message, DataQualityChecked) and message.passed:
            return Reaction()
        mail = compose(message, stage=self.stage)
        failures = [failure for channel in self.channels if (failure := self._send(channel, mail, message.message_id))]
        if failures:
            raise failures[0]
        return Reaction()

    def _send(self, channel: Channel, mail: Mail, message_id: str) -> NotDeliveredError | None:
        key = f"{MODULE}#{channel.name}#{message_id}"
        if self.deliveries.has_gone(key):
            return None
        try:
            channel.send(mail)
        except NotDeliveredError as failure:
            return failure
        self.deliveries.note(key)
        return None

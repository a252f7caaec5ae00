"""What AWS reports about deployed stacks: drift, alarms, queues. No SDK is imported here."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Drift:
    """Whether a stack's resources differ from its template.

    Attributes:
        status: IN_SYNC, DRIFTED, NOT_CHECKED or UNKNOWN.
        checked_at: RFC 3339; empty when it was never checked.
        resources: the logical ids of those that differ.
    """

    status: str = "NOT_CHECKED"
    checked_at: str = ""
    resources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Alarm:
    """An alarm in state ALARM, why, since when (RFC 3339), and what its template says about it."""

    name: str
    reason: str
    since: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Queue:
    """The approximate numbers of messages in a queue.

    Attributes:
        visible: waiting to be received.
        in_flight: received and not deleted yet.
        is_dead_letter: whether another queue of the stacks sends its failed messages here.
    """

    url: str
    visible: int = 0
    in_flight: int = 0
    delayed: int = 0
    is_dead_letter: bool = False

    @property
    def total(self) -> int:
        """The number of all its messages."""
        return self.visible + self.in_flight + self.delayed

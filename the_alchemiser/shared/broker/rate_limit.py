"""The broker's rate limit, and how the product keeps working when a request hits it.

The broker allows 200 requests per minute and account. It answers the next one with 429 and does nothing else, which
raises RateLimitedError.

- A read is repeated after short pauses, as after every failure that may be over soon.
- An order is not repeated here: `Broker.submit` raises, the message returns to its queue, and the next delivery submits
  it again.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

from the_alchemiser.shared.broker.errors import BrokerUnavailableError


class Retries(NamedTuple):
    """When a failed read is repeated: one pause, in seconds, before each repetition."""

    pauses_s: tuple[float, ...] = (0.1, 0.3)
    sleep: Callable[[float], None] = time.sleep


def read_with_retries(read: Callable[[], object], retries: Retries) -> object:
    """Call `read`, and repeat it after each pause while the broker is unavailable.

    Raises:
        BrokerUnavailableError: the last attempt failed too. RateLimitedError is one of its subclasses.
    """
    for pause_s in retries.pauses_s:
        try:
            return read()
        except BrokerUnavailableError:
            retries.sleep(pause_s)
    return read()

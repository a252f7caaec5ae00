"""The answer to a request, before HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; the payload is JSON, and None means an empty body.

    Attributes:
        delay_s, hangs: how a planted fault delays the answer; the caller waits, or never passes the answer on.
    """

    payload: object = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    hangs: bool = False

"""Latencies of a history: each depends only on the seed and on its own key, so that a muted fault changes no other."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

MS = 1_000
SECOND = 1_000_000
MINUTE = 60 * SECOND
_RANGE = 2**32


class Legs(NamedTuple):
    """Microseconds until a request takes effect, and from there until its answer arrives."""

    request: int
    answer: int


@dataclass(frozen=True, slots=True)
class Latencies:
    """Draws for one history. All times are in microseconds."""

    seed: int

    def legs(self, key: str) -> Legs:
        """Return the latency of a call: mostly milliseconds, at times a second."""
        number = int.from_bytes(blake2b(f"{self.seed}|{key}".encode(), digest_size=8).digest())
        return Legs(_latency(number >> 32), _latency(number & (_RANGE - 1)))

    def fraction(self, key: str) -> float:
        """Return a number in [0, 1)."""
        digest = blake2b(f"{self.seed}|{key}".encode(), digest_size=4).digest()
        return int.from_bytes(digest) / _RANGE

    def between(self, key: str, low: int, high: int) -> int:
        """Return a whole number from low up to high."""
        return low + int(self.fraction(key) * (high - low))


def _latency(number: int) -> int:
    share = number / _RANGE
    if share < 0.95:
        return MS + int(share * 20 * MS)
    if share < 0.995:
        return 30 * MS + int((share - 0.95) / 0.045 * 300 * MS)
    return 300 * MS + int((share - 0.995) / 0.005 * 1_000 * MS)

"""What `inv pnl` shows."""

from dataclasses import dataclass
from datetime import date

from desk.performance.live_books import LiveBooks
from the_alchemiser.shared.performance.figures import History


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of an environment, and its books beside the broker.

    Attributes:
        strategy: the only one to show; empty for the account and all owners.
        since: the first trading date; None for all of them.
        books: None before the first run.
    """

    environment: str
    history: History
    strategy: str
    since: date | None
    books: LiveBooks | None

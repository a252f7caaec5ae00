"""What the sweep does about one run: fail it when it is overdue, tell what was left untold. Pure; never an order."""

from datetime import datetime
from typing import NamedTuple

from the_alchemiser.shared.messaging.messages import Message, TradeRequested
from the_alchemiser.shared.run.failures import Failure
from the_alchemiser.shared.run.progress import missing
from the_alchemiser.shared.run.runs import META, Run


class Untold(NamedTuple):
    """An outbox of a run that is not marked sent, trades left out: only their aggregator sends those."""

    sk: str
    messages: tuple[Message, ...]


def overdue(run: Run, now: datetime) -> Failure | None:
    """The failure of a run that has been in its state too long; `now` is the wall clock, UTC."""
    if run.state.is_final or now <= run.deadline_at:
        return None
    waited_for = missing(run)
    late_s = round((now - run.deadline_at).total_seconds())
    detail = f"still {run.state}, {late_s} s past its deadline; missing: {', '.join(waited_for) or 'nothing'}"
    return Failure(f"overdue_{run.state}", detail, waited_for)


def untold(run: Run) -> tuple[Untold, ...]:
    """Every unsent outbox of a run that may be told again: META's first, then the items' by sort key."""
    boxes = [(META, run.outbox, run.sent), *((sk, item.outbox, item.sent) for sk, item in sorted(run.items.items()))]
    return tuple(
        Untold(sk, messages)
        for sk, messages, sent in boxes
        if not sent and not any(isinstance(message, TradeRequested) for message in messages)
    )

"""The sweep of one run: is it overdue, and which outboxes are unsent? Pure; never places an order."""

from datetime import datetime

from the_alchemiser.shared.messaging.messages import Message, TradeRequested
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.run.failures import Failure
from the_alchemiser.shared.run.progress import missing
from the_alchemiser.shared.run.runs import META, Run


class UnsentOutbox(Frozen):
    """An outbox of a run that is not marked as sent; `sk` is the sort key of its item."""

    sk: str
    messages: tuple[Message, ...]


def overdue(run: Run, now: datetime) -> Failure | None:
    """Return the failure of a run that has been in its state for too long; `now` is the wall clock, UTC."""
    if run.state.is_final or now <= run.deadline_at:
        return None

    waiting_for = missing(run)
    late_s = round((now - run.deadline_at).total_seconds())
    detail = f"still {run.state}, {late_s} s past its deadline; missing: {', '.join(waiting_for) or 'nothing'}"
    return Failure(reason=f"overdue_{run.state}", detail=detail, missing=waiting_for)


def unsent_outboxes(run: Run) -> tuple[UnsentOutbox, ...]:
    """Return the unsent outboxes that the sweep may publish: META's first, then the items' by sort key.

    An outbox with trades is left out: only the trade aggregator sends trades, so that the sweep never places an order.
    """
    unsent: list[UnsentOutbox] = []
    if not run.sent:
        unsent.append(UnsentOutbox(META, run.outbox))
    for sk, item in sorted(run.items.items()):
        if not item.sent:
            unsent.append(UnsentOutbox(sk, item.outbox))
    return tuple(outbox for outbox in unsent if not _has_trades(outbox))


def _has_trades(outbox: UnsentOutbox) -> bool:
    return any(isinstance(message, TradeRequested) for message in outbox.messages)

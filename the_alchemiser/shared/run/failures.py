"""Failing a run: the move to FAILED stores the reason and puts RunFailed into the outbox."""

from datetime import datetime

from the_alchemiser.shared.messaging.messages import RunFailed, envelope
from the_alchemiser.shared.run.deadlines import deadline
from the_alchemiser.shared.run.runs import Move, Run, RunState
from the_alchemiser.shared.values import Refusal


class Failure(Refusal):
    """Why a run ends without completing; `missing` names what the run was still waiting for."""

    missing: tuple[str, ...] = ()


def failing_move(
    run: Run, failure: Failure, *, by: str, at: datetime, occurred_at: datetime, caused_by: str | None = None
) -> Move:
    """Return the move from the run's state to FAILED.

    Args:
        at: wall clock, UTC.
        occurred_at: business time, UTC.
    """
    message = RunFailed(
        **envelope(RunFailed, run.run_id, occurred_at=occurred_at, caused_by=caused_by),
        trading_date=run.trading_date,
        state=run.state.value,
        reason=failure.reason,
        detail=failure.detail,
        missing=failure.missing,
    )

    content = message.to_content()
    return Move(
        leaving=run.state,
        entering=RunState.FAILED,
        by=by,
        at=at,
        deadline_at=deadline(RunState.FAILED, at),
        payload={name: content[name] for name in ("state", "reason", "detail", "missing")},
        outbox=(message,),
    )

"""Failing a run: one move, the reason kept with it, and RunFailed owed to the others."""

from datetime import datetime
from typing import NamedTuple

from the_alchemiser.shared.messaging.messages import RunFailed, message_id
from the_alchemiser.shared.run.deadlines import deadline
from the_alchemiser.shared.run.runs import Move, Run, RunState


class Failure(NamedTuple):
    """Why a run ends without completing.

    Attributes:
        reason: a short code that never changes its spelling.
        detail: one sentence for people.
        missing: what the run still waited for, by name.
    """

    reason: str
    detail: str
    missing: tuple[str, ...] = ()


def failing_move(
    run: Run, failure: Failure, *, by: str, at: datetime, occurred_at: datetime, caused_by: str | None = None
) -> Move:
    """The move from the run's state to FAILED.

    Args:
        at: wall clock, UTC.
        occurred_at: business time, UTC.
    """
    told = RunFailed(
        message_id=message_id(run.run_id, RunFailed),
        run_id=run.run_id,
        caused_by=caused_by,
        occurred_at=occurred_at,
        trading_date=run.trading_date,
        state=run.state.value,
        reason=failure.reason,
        detail=failure.detail,
        missing=failure.missing,
    )
    return Move(
        leaving=run.state,
        entering=RunState.FAILED,
        by=by,
        at=at,
        deadline_at=deadline(RunState.FAILED, at),
        payload=told.model_dump(mode="json", include={"state", "reason", "detail", "missing"}),
        outbox=(told,),
    )

"""What the stores know about a run beside its message. A mail is never lost because something of it is missing."""

import logging
from collections.abc import Callable, Mapping
from typing import Protocol

from the_alchemiser.notifications_v2.answers import Answer, read_answer
from the_alchemiser.notifications_v2.figures_of_run import (
    NotReadyError,
    Patience,
    PerformanceRows,
    SupersededError,
    read_figures,
)
from the_alchemiser.notifications_v2.subject import News
from the_alchemiser.shared.errors import StateUnavailableError
from the_alchemiser.shared.market_data.objects import ObjectStore
from the_alchemiser.shared.market_data.verdict import Verdict, read_verdict
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.messages import (
    RunCompleted,
    RunFailed,
    RunRefused,
    StrategyEvaluated,
    TradeExecuted,
    TradeFailed,
)
from the_alchemiser.shared.performance.figures import History
from the_alchemiser.shared.performance.rows import Performance
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.run.plan import RebalancePlan
from the_alchemiser.shared.run.progress import plan_of
from the_alchemiser.shared.run.runs import STRATEGY, TRADE, Run
from the_alchemiser.shared.threads import map_in_threads

logger = logging.getLogger(__name__)


class Background(Frozen):
    """What is known about a run beside its message; a part that does not exist, or could not be read, is empty.

    Attributes:
        trades: the results of the run's trades so far.
        answers: what the strategies answered, by name.
        strategy_count: how many strategies answered with weights; 0 when that could not be read.
        verdict: the latest quality verdict.
        history: the rows of the Performance table that the figures of this run need.
        latest: the account after the latest completed run.
        unread: for each part that could not be read a sentence, with the command that shows it.
    """

    plan: RebalancePlan | None = None
    trades: tuple[TradeExecuted | TradeFailed, ...] = ()
    answers: tuple[Answer, ...] = ()
    strategy_count: int = 0
    verdict: Verdict | None = None
    history: History | None = None
    latest: Performance | None = None
    unread: tuple[str, ...] = ()


NOTHING_KNOWN = Background()


class Runs(Protocol):
    """The store of runs, as this module needs it."""

    def load(self, run_id: str) -> Run | None: ...


class BackgroundReader(Frozen):
    """Reads what is known about a run, for a limited time."""

    stage: str
    runs: Runs
    objects: ObjectStore
    performances: PerformanceRows
    patience: Patience

    def read(self, message: News) -> Background:
        """Return what is known about the run of a message. It never raises: what it cannot read, it names."""
        reading = _Reading(self, self.patience.deadline(), [])
        match message:
            case RunCompleted():
                background = reading.of_completed(message)
            case RunFailed():
                background = reading.of_failed(message)
            case RunRefused():
                background = Background(latest=reading.latest())
            case _:
                return NOTHING_KNOWN
        return background.changed(unread=tuple(sorted(reading.unread)))


class _Stored(Frozen):
    """What the store of runs has of a run; `path_refs` are by strategy."""

    plan: RebalancePlan | None = None
    trades: tuple[TradeExecuted | TradeFailed, ...] = ()
    path_refs: Mapping[str, str] = {}


class _Reading(Frozen):
    """One reading: when it ends, and what it could not read so far."""

    reader: BackgroundReader
    deadline: float
    unread: list[str]

    def of_completed(self, message: RunCompleted) -> Background:
        show = f"`inv run.show {message.run_id} --env {self.reader.stage}`"
        stored = self._stored(message.run_id, show)
        return Background(
            plan=stored.plan,
            answers=self._answers(stored.path_refs, show),
            strategy_count=len(stored.path_refs),
            verdict=self._verdict(),
            history=self._figures(message),  # last: metrics_v2 works meanwhile
        )

    def of_failed(self, message: RunFailed) -> Background:
        stored = self._stored(message.run_id, f"`inv run.show {message.run_id} --env {self.reader.stage}`")
        return Background(plan=stored.plan, trades=stored.trades, verdict=self._verdict(), latest=self.latest())

    def latest(self) -> Performance | None:
        """Return the account after the latest completed run."""
        command = f"`inv pnl --env {self.reader.stage}`"
        return self._attempt(
            f"The latest figures could not be read; {command} shows them.", self.reader.performances.latest
        )

    def _stored(self, run_id: str, show: str) -> _Stored:
        def read() -> _Stored:
            run = self.reader.runs.load(run_id)
            if run is None:
                raise StateUnavailableError(f"there is no run {run_id}")
            return _Stored(plan_of(run), _trades_of(run), _path_refs_of(run))

        return self._attempt(f"The stored run could not be read; {show} shows it.", read) or _Stored()

    def _answers(self, path_refs: Mapping[str, str], show: str) -> tuple[Answer, ...]:
        def read(strategy: str) -> Answer | None:
            unread = f"The decisions of {strategy} could not be read; {show} shows them."
            return self._attempt(unread, lambda: _read_answer(self.reader.objects, strategy, path_refs[strategy]))

        return tuple(answer for answer in map_in_threads(read, path_refs).values() if answer is not None)

    def _verdict(self) -> Verdict | None:
        command = f"`inv data.quality --env {self.reader.stage}`"
        text = f"The verdict on the market data could not be read; {command} shows it."
        return self._attempt(text, lambda: read_verdict(self.reader.objects))

    def _figures(self, message: RunCompleted) -> History | None:
        reader, command = self.reader, f"`inv pnl --env {self.reader.stage}` shows them."
        try:
            return self._in_time(
                lambda: read_figures(reader.performances, message, patience=reader.patience, deadline=self.deadline)
            )
        except NotReadyError as error:
            self._note(f"The P&L of this run was not computed yet; {command}", error)
        except SupersededError as error:
            self._note(f"A later run of the day has replaced the figures of this one; {command}", error)
        except Exception as error:
            self._note(f"P&L and contributions could not be read; {command}", error)
        return None

    def _attempt[T](self, unread: str, read: Callable[[], T]) -> T | None:
        """Return what `read` returns, or None and add the sentence when it fails or no time is left."""
        try:
            return self._in_time(read)
        except Exception as error:
            self._note(unread, error)
            return None

    def _in_time[T](self, read: Callable[[], T]) -> T:
        if self.reader.patience.is_over(self.deadline):
            raise StateUnavailableError("no time is left")
        return read()

    def _note(self, unread: str, error: Exception) -> None:
        # A mail without this part is better than a late one, or none.
        logger.warning("left out of the mail: %s", unread, extra={"detail": f"{type(error).__name__}: {error}"})
        self.unread.append(unread)


def _trades_of(run: Run) -> tuple[TradeExecuted | TradeFailed, ...]:
    results = (outbox.decode(item.body) for _, item in sorted(run.items_of(TRADE).items()))
    return tuple(result for result in results if isinstance(result, TradeExecuted | TradeFailed))


def _path_refs_of(run: Run) -> Mapping[str, str]:
    answers = {strategy: outbox.decode(item.body) for strategy, item in run.items_of(STRATEGY).items()}
    return {strategy: answer.path_ref for strategy, answer in answers.items() if isinstance(answer, StrategyEvaluated)}


def _read_answer(objects: ObjectStore, strategy: str, path_ref: str) -> Answer:
    stored = objects.get(path_ref.removeprefix(objects.url("")))
    if stored is None:
        raise StateUnavailableError(f"{path_ref} does not exist")
    return read_answer(strategy, stored.body)

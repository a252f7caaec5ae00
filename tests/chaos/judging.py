"""Judge a day: do the invariants hold, and did the command tell the truth? Pure."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from tests.chaos.disturbing import UNAVAILABLE, TradedDay
from tests.chaos.drawing import Kind, Trial
from tests.simulation.end_state import EndState
from tests.simulation.invariants import INVARIANTS
from tests.simulation.reading import Reading, Violation
from the_alchemiser.shared.run.runs import TRADE, RunState

LOCKED = 4
TRUTH = "the command tells the truth"
TRACEBACK = "Traceback (most recent call last)"
NOT_APPLIED: Mapping[str, str] = MappingProxyType(
    {
        "every_run_is_settled": "a day that fails before its close leaves its run to the sweeps of the next one",
        "trades_wait_for_their_run": "the trade queue keeps no record of when a trade was sent",
        "never_for_a_dead_run": "orders carry the exchange's time, runs the wall clock",
        "never_after_a_pause": "needs the trace of calls; nobody pauses here",
        "never_near_the_close": "while a run trades, the exchange's clock stands still a quarter of an hour before it",
        "order_limits_hold": "needs the settings of a history; the sandbox has none of its own",
        "day_limits_hold": "as above",
        "days_are_measured_rightly": "run-day does not send the check of the day",
        "every_subject_is_handled": "needs every attempt",
        "dead_letters_have_a_reason": "needs every attempt",
        "every_forced_start_answers": "nobody forces a start here",
        "every_day_is_reported": "run-day stops without a start when the data are missing, and says why",
        "every_day_is_checked": "the sweep of a day that fails before its close is missing; run-day says so",
        "books_are_measured_rightly": "as above",
    }
)


class Verdict(NamedTuple):
    """What is wrong with a day; `state` is how its run ended, or `no run`."""

    state: str
    violations: tuple[Violation, ...]


def judge(trial: Trial, traded: TradedDay, end: EndState) -> Verdict:
    """Return everything that is wrong with a day."""
    broken = tuple(_broken(end))
    return Verdict(
        _state(end), (*broken, *(Violation(TRUTH, sentence) for sentence in _lies(trial, traded, end, broken)))
    )


def _broken(end: EndState) -> Iterator[Violation]:
    reading = Reading(end)
    for name, invariant in INVARIANTS.items():
        if name not in NOT_APPLIED and not _waits_for_dead_letters(name, end):
            for sentence in invariant(reading):
                yield Violation(name, sentence)


def _waits_for_dead_letters(name: str, end: EndState) -> bool:
    """Return whether a run may be left open: the sweep fails it later, and run-day does not wait for that."""
    return name == "one_terminal_state" and bool(end.dead_letters)


def _state(end: EndState) -> str:
    return ", ".join(run.state.value for run in end.runs.values()) or "no run"


def _lies(trial: Trial, traded: TradedDay, end: EndState, broken: tuple[Violation, ...]) -> Iterator[str]:
    """Yield what the commands said that is not so."""
    faults = [*_troubles(end), *(f"{violation.invariant}: {violation.sentence}" for violation in broken)]
    last = traded.last
    if last.exit_code == 0 and faults:
        yield f"exit 0, but {'; '.join(faults)}"
    if last.exit_code != 0 and not faults:
        yield f"exit {last.exit_code}, but run and books are right: {last.words}"
    if last.exit_code != 0 and not last.words:
        yield f"exit {last.exit_code} without a word"

    for command in filter(None, (traded.first, traded.second, traded.resumed)):
        if TRACEBACK in command.stderr:
            yield f"a traceback: {command.last_words}"
    yield from _lies_of_second(traded)
    if traded.first.exit_code == UNAVAILABLE and Kind.RESTART not in trial.kinds:
        yield f"exit {UNAVAILABLE}, but both servers ran: {traded.first.words}"


def _troubles(end: EndState) -> Iterator[str]:
    """Yield what a trader would have to act on."""
    if not end.runs:
        yield "there was no run"
    for run in end.runs.values():
        if run.state is not RunState.COMPLETED:
            yield f"{run.run_id} is {run.state}"
        for trade_id, item in run.items_of(TRADE).items():
            if "reason" in item.body["message"]:
                yield f"{trade_id} failed: {item.body['message']['reason']}"
    for queue, letters in end.dead_letters.items():
        yield f"{len(letters)} in {queue}"


def _lies_of_second(traded: TradedDay) -> Iterator[str]:
    """A second command says that another one trades the day, or, when it came later, that the day was traded."""
    second = traded.second
    if second is not None and second.exit_code not in {LOCKED, 0}:
        yield f"the second command ended with {second.exit_code}: {second.words}"
    if second is not None and second.exit_code == LOCKED and "trading a day" not in second.stderr:
        yield f"the second command does not say that a day is being traded: {second.last_words}"

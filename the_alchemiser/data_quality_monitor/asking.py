"""Ask the second source about the symbols of one check: those in doubt first, then some others in turn."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from the_alchemiser.data_quality_monitor.comparing import Comparison, compare
from the_alchemiser.data_quality_monitor.judging import Examined
from the_alchemiser.data_quality_monitor.second_source import SecondSource, SecondSourceError, SecondSourceLimitedError
from the_alchemiser.shared.broker.credentials import CredentialsMalformedError, CredentialsUnavailableError
from the_alchemiser.shared.corporate_actions import CorporateActions
from the_alchemiser.shared.formats import plural
from the_alchemiser.shared.records import Frozen

NOT_ASKED = "not asked"
_STOPPING = (SecondSourceError, CredentialsUnavailableError, CredentialsMalformedError)


class Answer(NamedTuple):
    """What the second source said about one symbol: a comparison, or None and the reason, and a phrase about it."""

    comparison: Comparison | None
    note: str


class Answers(Frozen):
    """The answers of one check, by symbol, and what a person must know about the second source."""

    by_symbol: Mapping[str, Answer]
    problems: tuple[str, ...]

    def of(self, symbol: str) -> Answer:
        return self.by_symbol.get(symbol, Answer(None, NOT_ASKED))


def ask(source: SecondSource, examined: Mapping[str, Examined], actions: CorporateActions, *, sample: int) -> Answers:
    """Compare every symbol in doubt, and `sample` others: those that were not compared for longest.

    An error that is not about one symbol ends the questions: the other symbols get the same answer without being asked.
    The sample never waits for the rate limit. What the limit leaves out of it is not reported as a problem.
    """
    needed = [symbol for symbol, symbol_examined in examined.items() if symbol_examined.needs_second_source]
    others = _in_turn(examined, needed)[:sample]
    answers: dict[str, Answer] = {}
    failure: Exception | None = None

    for symbol in (*needed, *others):
        if failure is not None:
            answers[symbol] = Answer(None, _text(failure))
            continue
        try:
            answers[symbol] = _answer(source, examined[symbol], actions, may_wait=symbol in needed)
        except _STOPPING as error:
            answers[symbol] = Answer(None, _text(error))
            failure = None if isinstance(error, SecondSourceError) and error.is_of_symbol else error
    unanswered = [symbol for symbol, answer in answers.items() if answer.comparison is None]
    # A sample that the rate limit has shortened goes on in the next check.
    is_shortened = isinstance(failure, SecondSourceLimitedError) and not set(unanswered).intersection(needed)
    if failure is None or (is_shortened and len(unanswered) < len(answers)):
        return Answers(answers, ())
    return Answers(answers, (f"{_text(failure)}; not compared: {', '.join(sorted(unanswered))}",))


def _in_turn(examined: Mapping[str, Examined], needed: Iterable[str]) -> Sequence[str]:
    """Return the other symbols that can be compared, the longest not compared first."""

    def turn(symbol: str) -> tuple[date, str]:
        card = examined[symbol].card
        return (card.compared_on if card and card.compared_on else date.min), symbol

    asked = set(needed)
    return sorted((symbol for symbol in examined if symbol not in asked and examined[symbol].is_comparable), key=turn)


def _answer(source: SecondSource, examined: Examined, actions: CorporateActions, *, may_wait: bool) -> Answer:
    bars = examined.history.bars
    second = source.bars(examined.symbol, bars[0].date, bars[-1].date, may_wait=may_wait)
    own_actions = [action for action in actions.actions if action.symbol == examined.symbol]
    comparison = compare(bars, second, examined.doubts, own_actions)
    sessions = plural(sum(bar.date in second for bar in bars), "session")
    result = f"{len(comparison.disputes)} disputed" if comparison.disputes else "all agree"
    return Answer(comparison, f"{sessions} compared, {result}")


def _text(error: Exception) -> str:
    reason = str(getattr(error, "reason", type(error).__name__))
    return f"the second source: {reason}: {error}"

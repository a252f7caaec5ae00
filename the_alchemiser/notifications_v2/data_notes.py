"""What a reader should know about the data of a run, and what the mail leaves out. Pure."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta

from the_alchemiser.notifications_v2.answers import Answer
from the_alchemiser.notifications_v2.background import Background
from the_alchemiser.notifications_v2.facts import by_symbol
from the_alchemiser.shared.formats import long_date, plural
from the_alchemiser.shared.mail_format.blocks import IN_TEXT, Block, Heading, Lines
from the_alchemiser.shared.market_data.verdict import Verdict
from the_alchemiser.shared.messaging.messages import RunCompleted, RunFailed

OLD = timedelta(days=1)


def data_blocks(message: RunCompleted | RunFailed, background: Background, *, stage: str) -> tuple[Block, ...]:
    """Return the section about the data; empty when there is nothing to say."""
    as_of = message.as_of if isinstance(message, RunCompleted) else None
    held = _symbols_of(message)
    verdict = background.verdict
    of_verdict = (
        () if verdict is None else _of_verdict(verdict, background, message.occurred_at, as_of=as_of, held=held)
    )
    lines = (*of_verdict, *_of_answers(background.answers))
    if not lines:
        return ()
    return (Heading("Data"), Lines(lines, "note", f"`inv data.quality --env {stage}`"))


def unread_blocks(background: Background) -> tuple[Block, ...]:
    """Return a note about what could not be read; empty when everything was."""
    if not background.unread:
        return ()
    return (Lines(background.unread, "part", IN_TEXT, title="Missing in this mail"),)


def _symbols_of(message: RunCompleted | RunFailed) -> frozenset[str]:
    if isinstance(message, RunFailed):
        return frozenset()
    return frozenset({*message.weights, *(mark.symbol for mark in message.positions)})


def _of_verdict(
    verdict: Verdict, background: Background, at: datetime, *, as_of: date | None, held: frozenset[str]
) -> Iterator[str]:
    if as_of is not None and verdict.as_of != as_of:
        yield (
            f"The data was checked again since the run: the stored verdict is on closes through "
            f"{long_date(verdict.as_of)}, so it is not shown here."
        )
        return

    yield _age(verdict, at)
    yield from (f"{problem.rstrip('.')}." for problem in verdict.problems)
    yield from _quarantined(verdict.quarantined, background, held)


def _age(verdict: Verdict, at: datetime) -> str:
    age = at - verdict.checked_at
    hours = max(int(age.total_seconds() // 3600), 0)
    old = plural(hours, "hour") if age < 2 * OLD else plural(hours // 24, "day")
    return f"The data was checked through {long_date(verdict.as_of)}, {old} before the run ended."


def _quarantined(quarantined: Mapping[str, str], background: Background, held: frozenset[str]) -> Iterator[str]:
    """Say of each quarantined symbol whether it touched the run."""
    needed = frozenset().union(*(answer.absent for answer in background.answers))
    is_known = bool(background.answers) and len(background.answers) == background.strategy_count
    for symbol, reason in by_symbol(quarantined):
        if symbol in needed:
            continue  # the strategy that did without it says so
        effect = "held or a target" if symbol in held else "no strategy needed it" if is_known else ""
        yield f"{symbol} is quarantined: {reason}{f'; {effect}' if effect else ''}."


def _of_answers(answers: tuple[Answer, ...]) -> Iterator[str]:
    for answer in answers:
        for symbol, reason in by_symbol(answer.absent):
            yield f"{answer.strategy} decided without {symbol}: {reason}."

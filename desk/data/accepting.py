"""`inv data.accept`: accept what the second source contradicts or lacks, after a look at it.

An acceptance holds for exactly the days and values that were shown. The monitor reads it in every check.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date
from pathlib import Path

import msgspec

from automation.deploying import consent
from automation.system import console
from automation.system.errors import CheckFailedError, UsageError
from desk.data.acceptance_view import ACCEPTANCE_COLUMNS, FINDING_COLUMNS, acceptance_row, finding_row
from desk.data.quality import card_of, read_stored
from desk.data.stored_lake import Connect, parse_symbols
from desk.operations.environment import MONITOR, Environment, connect
from desk.strategies.arguments import parse_day
from the_alchemiser.data_quality_monitor.acceptances import (
    Acceptance,
    Acceptances,
    AcceptancesEntry,
    Contested,
    read_acceptances,
    write_acceptances,
)
from the_alchemiser.data_quality_monitor.scorecards import Scorecard
from the_alchemiser.shared.formats import plural
from the_alchemiser.shared.market_data.objects import ObjectChangedError
from the_alchemiser.shared.messaging.commands import CheckDataQuality

TASK = "data.accept"

type Confirm = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class AcceptanceRequest:
    """The options of `data.accept` as typed.

    Attributes:
        symbols: exactly one.
        reason: stored with an acceptance.
        day: only the findings of this day, YYYY-MM-DD; empty for all of the symbol.
        is_withdrawal: withdraw what was accepted.
        yes: the user has confirmed on the command line.
    """

    symbols: Sequence[str]
    reason: str = ""
    day: str = ""
    is_withdrawal: bool = False
    yes: bool = False


def change(
    root: Path,
    name: str,
    request: AcceptanceRequest,
    *,
    connect: Connect = connect,
    is_interactive: Callable[[], bool] = console.is_interactive,
    ask: Callable[[str], str] = console.ask,
) -> None:
    """Accept what the latest check found of a symbol, or withdraw that, and let the monitor check again.

    Args:
        ask: asks a question on the terminal.

    Raises:
        UsageError: the environment, symbol, finding or acceptance does not exist, or it was not confirmed.
        CheckFailedError: nothing was checked yet, or somebody else has changed the acceptances; nothing was written.
        AutomationError: the environment cannot be used, or AWS or the broker does not answer.
    """
    symbols = parse_symbols(request.symbols, task=TASK)
    if len(symbols) != 1:
        raise UsageError(f"expected one symbol, got {len(symbols)}; run inv {TASK} SPY --env {name or 'E'}", where=TASK)
    day = parse_day(request.day, option="--day", task=TASK) if request.day else None
    environment = connect(root, name)
    guards = environment.scope.environment
    consent.require_possible(guards, yes=request.yes, is_interactive=is_interactive(), command=TASK)

    def confirm(effect: str) -> None:
        if not request.yes:
            consent.confirm(effect, guards, ask=ask)

    if request.is_withdrawal:
        _withdraw(environment, symbols[0], day, confirm=confirm)
    else:
        _accept(environment, symbols[0], day, reason=request.reason, confirm=confirm)


def _accept(environment: Environment, symbol: str, day: date | None, *, reason: str, confirm: Confirm) -> None:
    name = environment.name
    card = card_of(read_stored(environment, name), symbol, name)
    stored = _read(environment)
    findings = _acceptable(card, day, name)
    known = stored.acceptances.of(symbol)
    new = [finding for finding in findings if not any(acceptance.holds_for(finding) for acceptance in known)]
    console.table(FINDING_COLUMNS, map(finding_row, findings), title=f"{symbol} through {card.as_of}")
    if not new:
        console.result("accepted already: nothing was changed")
        return

    confirm(f"use {symbol} in {name} in spite of this")
    accepted = _acceptances(environment, symbol, new, reason)
    _replace(environment, stored, (*stored.acceptances.accepted, *accepted))
    console.result(f"accepted {plural(len(new), 'finding')} of {symbol}", style="bold green")
    _check_again(environment, symbol, card.as_of)


def _withdraw(environment: Environment, symbol: str, day: date | None, *, confirm: Confirm) -> None:
    name = environment.name
    stored = _read(environment)
    withdrawn = [acceptance for acceptance in stored.acceptances.of(symbol) if day in (None, acceptance.date)]
    if not withdrawn:
        message = f"nothing of {symbol} is accepted{f' for {day}' if day else ''}"
        raise UsageError(f"{message}; inv data.quality --env {name} lists what is", where=TASK)
    scorecards = read_stored(environment, name)
    console.table(ACCEPTANCE_COLUMNS, [acceptance_row(acceptance, scorecards.accepted) for acceptance in withdrawn])

    confirm(f"withdraw this in {name}")
    kept = [acceptance for acceptance in stored.acceptances.accepted if acceptance not in withdrawn]
    _replace(environment, stored, kept)
    console.result(f"withdrew {plural(len(withdrawn), 'acceptance')} of {symbol}", style="bold")
    _check_again(environment, symbol, scorecards.as_of)


def _acceptable(card: Scorecard, day: date | None, name: str) -> Sequence[Contested]:
    """Return the findings of a card that can be accepted, of one day or all.

    Raises:
        UsageError: there is none.
    """
    findings = [finding for finding in card.contested if day in (None, finding.date)]
    if findings:
        return findings
    what = f"nothing of {card.symbol}{f' on {day}' if day else ''} can be accepted"
    faults = [incident.code for incident in card.open_incidents if incident.quarantines]
    why = f"its faults are {', '.join(faults)}" if faults else "it is not quarantined"
    message = f"{what}: {why}, and only what the second source contradicts or lacks can be"
    raise UsageError(f"{message}; look with inv data.quality --env {name} --symbol {card.symbol}", where=TASK)


def _acceptances(
    environment: Environment, symbol: str, findings: Iterable[Contested], reason: str
) -> tuple[Acceptance, ...]:
    with environment.errors(), closing(environment.broker()) as broker:
        at, by = broker.clock().timestamp.astimezone(UTC), environment.caller()
    return tuple(
        Acceptance(symbol=symbol, by=by, at=at, reason=reason, **msgspec.structs.asdict(finding))
        for finding in findings
    )


def _read(environment: Environment) -> AcceptancesEntry:
    with environment.errors():
        entry = read_acceptances(environment.objects())
    if entry.fault:
        raise CheckFailedError(
            f"{entry.fault}; correct the object, or delete it and accept again", where=environment.name
        )
    return entry


def _replace(environment: Environment, stored: AcceptancesEntry, accepted: Iterable[Acceptance]) -> None:
    try:
        # Conditional on the version that was read: of two people at the same time, one is asked to look again.
        with environment.errors():
            acceptances = Acceptances(accepted=tuple(accepted))
            write_acceptances(environment.objects(), acceptances, replaces=stored.version)
    except ObjectChangedError as error:
        message = "somebody else has just accepted or withdrawn something; nothing was written: look again"
        raise CheckFailedError(message, where=environment.name) from error


def _check_again(environment: Environment, symbol: str, as_of: date) -> None:
    # Through the session that was checked: between the close and the nightly refresh, no symbol has the bar of the day.
    with environment.errors():
        environment.send(MONITOR, CheckDataQuality(command="check-data-quality", as_of=as_of))
    look = f"inv data.quality --env {environment.name} --symbol {symbol}"
    console.result(f"the monitor now checks again; its result in a minute: {look}")

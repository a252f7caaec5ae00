"""`inv data.quality`: the scorecards of the symbols that the book needs, as tables, a page or JSON."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from automation.system import console, files
from automation.system.errors import CheckFailedError, UsageError
from desk.data.acceptance_view import ACCEPTANCE_COLUMNS, acceptance_row
from desk.html_templates import template_environment
from desk.operations.environment import Environment, connect
from the_alchemiser.data_quality_monitor.acceptances import Acceptance, read_acceptances
from the_alchemiser.data_quality_monitor.scorecards import PASSED, Incident, Scorecard, Scorecards, read_scorecards
from the_alchemiser.shared.formats import plural

DEFAULT_PAGE = Path(__file__).resolve().parents[2] / ".alchemiser" / "quality.html"
OK, QUARANTINED, WARNED, ACCEPTED = "ok", "quarantined", "warned", "accepted"
INCIDENT_COLUMNS = ("found", "since", "until", "detail")
_COLUMNS = ("symbol", "state", "since", "bars", "first", "last", "gaps", "disputed", "compared", "found")
_NUMBERS = ("bars", "gaps", "disputed")
_STYLES = {QUARANTINED: "red", WARNED: "yellow", ACCEPTED: "yellow"}


def report(
    root: Path,
    name: str,
    *,
    symbol: str = "",
    html: str | bool | None = None,
    as_json: bool = False,
    connect: Callable[[Path, str], Environment] = connect,
) -> None:
    """Print the scorecards of the environment `name`, or everything about one symbol.

    The JSON is the stored object, with the cards of the printed symbols.

    Args:
        symbol: empty for all symbols.
        html: path of a page to write, True for .alchemiser/quality.html, empty or None for no page.

    Raises:
        UsageError: there is no such environment or symbol, or the page has another ending.
        CheckFailedError: nothing was checked yet, or the scorecards cannot be parsed.
        AutomationError: the environment cannot be used, or AWS does not answer.
    """
    page = _page_path(html)
    environment = connect(root, name)
    scorecards = read_stored(environment, name)
    cards = (card_of(scorecards, symbol, name),) if symbol else scorecards.symbols
    shown = scorecards.changed(symbols=cards)

    if as_json:
        console.result_json(shown.to_content())
    elif symbol:
        _print_card(cards[0], name)
    else:
        _print_all(shown, name)
        _print_accepted(_read_accepted(environment), scorecards.accepted)
    if page is not None:
        files.write_atomically(page, render(shown, name))
        if not as_json:
            console.result(f"page  {page.resolve()}")


def state_of(card: Scorecard) -> str:
    """Return whether the bars may be used: `ok`, `accepted`, `warned`, or not: `quarantined`."""
    if card.quarantined_since is not None:
        return QUARANTINED
    accepted = {acceptance.code for acceptance in card.accepted}
    if not accepted.issuperset(incident.code for incident in card.open_incidents):
        return WARNED
    return ACCEPTED if accepted else OK


def summary(scorecards: Scorecards) -> str:
    """Return the result of the check in one line."""
    quarantined = sum(state_of(card) == QUARANTINED for card in scorecards.symbols)
    problems = f", {plural(len(scorecards.problems), 'problem')}" if scorecards.problems else ""
    return (
        f"{plural(len(scorecards.symbols), 'symbol')} checked through {scorecards.as_of} "
        f"at {scorecards.checked_at:%Y-%m-%d %H:%M} UTC: {quarantined} quarantined{problems}"
    )


def render(scorecards: Scorecards, environment: str) -> str:
    """Return the page as HTML."""
    template = template_environment().get_template("quality.html")
    return template.render(environment=environment, scorecards=scorecards, quality=table_vocabulary())


def table_vocabulary() -> Mapping[str, Any]:
    """Return what the templates of the scorecards use."""
    return {
        "summary": summary,
        "state_of": state_of,
        "row_of": _row,
        "incident_row": _incident_row,
        "columns": _COLUMNS,
        "numbers": _NUMBERS,
        "incident_columns": INCIDENT_COLUMNS,
        "acceptance_columns": ACCEPTANCE_COLUMNS,
        "acceptance_row": acceptance_row,
    }


def read_stored(environment: Environment, name: str) -> Scorecards:
    """Return the scorecards of an environment.

    Raises:
        CheckFailedError: nothing was checked yet, or the scorecards cannot be parsed.
        AutomationError: AWS does not answer.
    """
    with environment.errors():
        entry = read_scorecards(environment.objects())
    advice = f"run inv data.refresh --env {name}, and this again in a minute"
    if entry.fault:
        raise CheckFailedError(f"{entry.fault}; {advice}", where=name)
    if entry.scorecards is None:
        raise CheckFailedError(f"the market data was not checked yet; {advice}", where=name)
    return entry.scorecards


def _read_accepted(environment: Environment) -> tuple[Acceptance, ...]:
    # An object that cannot be parsed is a problem of the check, which is printed with the scorecards.
    with environment.errors():
        return read_acceptances(environment.objects()).acceptances.accepted


def card_of(scorecards: Scorecards, symbol: str, name: str) -> Scorecard:
    """Return the card of a symbol, in any case.

    Raises:
        UsageError: the book does not need it; the message has similar symbols.
    """
    cards = scorecards.by_symbol()
    card = cards.get(symbol.upper())
    if card is None:
        similar = difflib.get_close_matches(symbol.upper(), cards, n=3) or sorted(cards)[:3]
        message = (
            f"no strategy of the book needs {symbol}; similar: {', '.join(similar)}; all: inv data.quality --env {name}"
        )
        raise UsageError(message, where="data.quality")
    return card


def _print_all(scorecards: Scorecards, name: str) -> None:
    console.result(summary(scorecards))
    rows = [_row(card) for card in scorecards.symbols]
    styles = {number: _STYLES[row[1]] for number, row in enumerate(rows) if row[1] in _STYLES}
    console.table(_COLUMNS, rows, right=_NUMBERS, styles=styles)
    console.results(f"problem: {problem}" for problem in scorecards.problems)
    faulty = [row[0] for row in rows if row[1] not in (OK, ACCEPTED)]
    if faulty:
        console.result(f"next    inv data.quality --env {name} --symbol {faulty[0]} shows everything about it")


def _print_accepted(accepted: Iterable[Acceptance], in_force: Sequence[Acceptance]) -> None:
    rows = [acceptance_row(acceptance, in_force) for acceptance in accepted]
    if rows:
        console.table(ACCEPTANCE_COLUMNS, rows, title="accepted by the owner")


def _print_card(card: Scorecard, name: str) -> None:
    since = f" since {card.quarantined_since}" if card.quarantined_since else ""
    span = f"from {_text(card.first_bar)} to {_text(card.last_bar)}, {plural(card.gaps, 'missing session')}"
    console.results(
        (
            f"{card.symbol}: {state_of(card)}{since}, checked through {card.as_of}",
            f"bars      {card.bars} {span}",
            f"compared  {_text(card.compared_on)} ({card.comparison}), {plural(card.disagreements, 'disputed day')}",
            f"confirmed {plural(len(card.confirmed), 'doubt')} by the second source",
        )
    )
    _print_accepted(card.accepted, card.accepted)
    console.table(("check", "result"), sorted(card.checks.items(), key=lambda check: check[1] == PASSED))
    if card.incidents:
        console.table(
            INCIDENT_COLUMNS, map(_incident_row, reversed(card.incidents)), title="found so far, latest first"
        )
    if any(not card.is_accepted(finding) for finding in card.contested):
        console.result(f"next    inv data.accept {card.symbol} --env {name}, if the bars are right all the same")


def _row(card: Scorecard) -> tuple[str, ...]:
    return (
        card.symbol,
        state_of(card),
        _text(card.quarantined_since),
        str(card.bars),
        _text(card.first_bar),
        _text(card.last_bar),
        str(card.gaps),
        str(card.disagreements),
        _text(card.compared_on),
        "; ".join(_found(card)),
    )


def _found(card: Scorecard) -> Iterator[str]:
    for incident in card.open_incidents:
        yield f"{incident.code}: {incident.detail}"


def _incident_row(incident: Incident) -> tuple[str, ...]:
    kind = incident.code if incident.quarantines else f"{incident.code} (warning)"
    return kind, str(incident.since), "still there" if incident.until is None else str(incident.until), incident.detail


def _text(day: date | None) -> str:
    return "" if day is None else str(day)


def _page_path(html: str | bool | None) -> Path | None:
    if not html or html is True:
        return DEFAULT_PAGE if html else None
    if not html.endswith(".html"):
        raise UsageError(f"--html {html!r} does not end in .html; give the path of a page", where="data.quality")
    return Path(html)

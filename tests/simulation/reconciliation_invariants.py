"""Invariants of the books: a day's check differs exactly when somebody else traded, and blocks until it is accepted."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from sandbox.exchange.orders import Fill, Side
from sandbox.exchange.sessions import NEW_YORK, session_on
from tests.simulation.end_state import BooksChange
from tests.simulation.market import WHOLE_SHARES
from tests.simulation.reading import Reading
from tests.simulation.scenario import ConditionKind
from the_alchemiser.shared.books.checks import BooksCheck, CheckState

BOOKS_DIFFERING = "BooksDiffering"
_ZERO = Decimal(0)
_ROUNDING = Decimal("0.00000002")
_UNREADABLE_FOR = timedelta(hours=1)
_OF_BROKER = frozenset({ConditionKind.OUTAGE, ConditionKind.UNREADABLE, ConditionKind.BUSY})


def first_run_opens_the_books(reading: Reading) -> Iterator[str]:
    """The first check is stored before the first run begins, and says what the account held."""
    began = min((reading.began_at(run_id) for run_id in reading.end.runs), default=None)
    if began is None:
        return
    first = reading.end.checks[0] if reading.end.checks else None
    if first is None or first.check.state is not CheckState.OPENED or first.at > began:
        yield "the first run began without opened books"


def every_day_is_checked(reading: Reading) -> Iterator[str]:
    """Each day after whose opening the books exist has a check, unless the broker could not be read that evening."""
    opened = min((change.at for change in reading.end.checks), default=None)
    checked = {change.check.trading_date for change in reading.end.checks}
    for day in reading.end.scenario.dates:
        closes = _close(day)
        if opened is None or opened > closes or _was_unreadable(reading, closes):
            continue
        changed = reading.keys_changed_at
        if day not in checked and (changed is None or changed > closes):
            yield f"{day} has no check of the books"


def _was_unreadable(reading: Reading, closes: datetime) -> bool:
    return any(
        condition.kind in _OF_BROKER and condition.start <= closes + _UNREADABLE_FOR <= condition.end
        for condition in reading.end.scenario.conditions
    )


def _close(day: date) -> datetime:
    session = session_on(day)
    assert session is not None, day
    return session.closes


def differences_are_somebody_elses_trades(reading: Reading) -> Iterator[str]:
    """A look differs in exactly the holdings that somebody else traded since the books began, and by these shares."""
    for number, change in enumerate(reading.end.checks):
        check = change.check
        if check.state is CheckState.OPENED:
            continue
        base = _base_of(reading, number)
        traded, unclear = _traded_by_others(reading, base, change)
        shown = {row.symbol: row.broker - row.books for row in check.differences if row.kind == "holding"}
        for row in check.differences:
            if row.kind != "holding":
                yield f"{check.trading_date}: {row.kind} {row.order} differs, although every run is settled"
        for symbol in sorted((shown.keys() | traded.keys()) - unclear):
            if abs(shown.get(symbol, _ZERO) - traded.get(symbol, _ZERO)) > _tolerance(reading, symbol):
                yield (
                    f"{check.trading_date} {check.state}: {symbol} differs by {shown.get(symbol, _ZERO)}, "
                    f"others traded {traded.get(symbol, _ZERO)}"
                )


def _base_of(reading: Reading, number: int) -> BooksChange:
    """Return the latest check before this one that a look may start from."""
    earlier = reading.end.checks[:number]
    return next(change for change in reversed(earlier) if not change.check.differs)


def _traded_by_others(
    reading: Reading, base: BooksChange, change: BooksChange
) -> tuple[Mapping[str, Decimal], frozenset[str]]:
    """Return the signed shares that others traded in between, and symbols for which a trade fell into a look itself."""
    traded: dict[str, Decimal] = defaultdict(Decimal)
    unclear: set[str] = set()
    for fill in reading.end.fills:
        if fill.order_id in reading.our_orders or not base.check.held_at < fill.at <= change.at:
            continue
        # A look reads the clock first, and what the account holds a moment later.
        if fill.at <= base.at or fill.at > change.check.checked_at:
            unclear.add(fill.symbol)
        traded[fill.symbol] += _signed(fill) * _ratio_between(reading, fill.symbol, fill.at, change.check)
    return {symbol: shares for symbol, shares in traded.items() if shares}, frozenset(unclear)


def _signed(fill: Fill) -> Decimal:
    return fill.qty if fill.side is Side.BUY else -fill.qty


def _ratio_between(reading: Reading, symbol: str, moment: datetime, check: BooksCheck) -> Decimal:
    """Return how many shares on the day of the look stand for one share at this moment."""
    traded_on, looked_on = (at.astimezone(NEW_YORK).date() for at in (moment, check.checked_at))
    ratio = Decimal(1)
    for split in reading.end.scenario.splits:
        if split.symbol == symbol and traded_on < split.ex_date <= looked_on:
            ratio *= Decimal(split.new) / split.old
    return ratio


def _tolerance(reading: Reading, symbol: str) -> Decimal:
    if symbol not in {split.symbol for split in reading.end.scenario.splits}:
        return _ZERO
    return Decimal(1) if symbol in WHOLE_SHARES else _ROUNDING


def differences_are_reported(reading: Reading) -> Iterator[str]:
    """People read of each check that differs: by its own message, or by a start that was refused after it."""
    own = {message.detail["trading_date"] for message in reading.end.published if message.detail_type == "BooksDiffer"}
    refused = [
        message.at
        for message in reading.end.published
        if message.detail_type == "RunRefused" and message.detail["reason"] == "books_differ"
    ]
    for change in reading.end.checks:
        day = change.check.trading_date.isoformat()
        is_standing = _state_at(reading, datetime.max.replace(tzinfo=UTC)) is CheckState.DIFFERS
        if change.check.differs and is_standing and day not in own and not any(at >= change.at for at in refused):
            yield f"the books of {day} differ, and nobody read of it"


def _state_at(reading: Reading, moment: datetime) -> CheckState | None:
    """Return the state of the latest day's check at a moment."""
    states = {change.check.trading_date: change.check.state for change in reading.end.checks if change.at <= moment}
    return states[max(states)] if states else None


def no_run_begins_while_books_differ(reading: Reading) -> Iterator[str]:
    """No run begins while the latest check differs."""
    for run_id in reading.end.runs:
        if _state_at(reading, reading.began_at(run_id)) is CheckState.DIFFERS:
            yield f"{run_id} began while the books differed"


def checks_never_go_back(reading: Reading) -> Iterator[str]:
    """The check of a day changes from DIFFERS to AGREED or ACCEPTED, and from AGREED to ACCEPTED; never back."""
    order = (CheckState.DIFFERS, CheckState.AGREED, CheckState.OPENED, CheckState.ACCEPTED)
    states: dict[date, CheckState] = {}
    for change in reading.end.checks:
        check = change.check
        before = states.get(check.trading_date)
        if before is not None and order.index(check.state) < order.index(before):
            yield f"the check of {check.trading_date} went from {before} to {check.state}"
        states[check.trading_date] = check.state


def books_are_measured_rightly(reading: Reading) -> Iterator[str]:
    """The figure behind the alarm of differing books is 1 exactly while the latest check differs."""
    for gauge in reading.end.gauges:
        if gauge.name == BOOKS_DIFFERING:
            differs = _state_at(reading, gauge.at) is CheckState.DIFFERS
            if gauge.value != float(differs):
                yield f"{gauge.at:%Y-%m-%d}: the figure of differing books is {gauge.value:g}"


def another_account_is_left_alone(reading: Reading) -> Iterator[str]:
    """Once the keys are those of another account, nothing is ordered, no run begins, and no check is stored."""
    changed = reading.keys_changed_at
    if changed is None:
        return
    for post in reading.end.posts:
        if post.at > changed:
            yield f"{post.client_order_id} was ordered in another account"
    for run_id in reading.end.runs:
        if reading.began_at(run_id) > changed:
            yield f"{run_id} began in another account"
    for change in reading.end.checks:
        if change.check.held_at > changed and change.check.accepted_by == "":
            yield f"the books of {change.check.trading_date} were checked in another account"

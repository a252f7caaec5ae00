"""`inv data.status`: what the lake has of each symbol, how old it is, and which strategies need it.

Exit code 0: every symbol of the book has bars through the last session whose bars are due: the nightly refresh loads
them at 20:00 in New York. Exit code 3: one is missing, damaged or stale; each finding has the command that helps.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import date, datetime, time
from pathlib import Path

from automation.system import console
from automation.system.errors import CheckFailedError, Finding
from desk.data.stored_lake import Connect, StoredLake, opened, require_any
from desk.operations.environment import connect
from desk.strategies.arguments import read_book, translate_product_errors
from the_alchemiser.shared.book import Book
from the_alchemiser.shared.exchange_time import new_york
from the_alchemiser.shared.formats import plural
from the_alchemiser.shared.market_data.calendar import LOOK_BACK, Exchange, read_business_time
from the_alchemiser.shared.market_data.lake import StoredDescription
from the_alchemiser.shared.symphony import required_symbols
from the_alchemiser.shared.threads import map_in_threads

NIGHTLY = time(20)  # when the schedule of data-template.yaml loads the bars of the day, New York time
_COLUMNS = ("symbol", "bars", "first", "last", "age", "digest", "source", "fetched at", "quarantined", "needed by")


@dataclass(frozen=True, slots=True)
class SymbolStatus:
    """What the lake has of a symbol.

    Attributes:
        bars: how many; 0 when they are missing or damaged.
        age: completed sessions since the last bar; None without bars.
        digest: `ok`, or what is wrong with the stored object.
        source: host that served the bars; empty when that is not stored.
        fetched_at: business time, UTC.
        quarantined: why the bars must not be used; empty when they may.
        needed_by: the strategies of the book.
    """

    symbol: str
    bars: int
    first: date | None
    last: date | None
    age: int | None
    digest: str
    source: str
    fetched_at: datetime | None
    quarantined: str
    needed_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LakeStatus:
    """The status of all symbols.

    Attributes:
        as_of: the last completed session.
        due: the last session whose bars must be stored.
    """

    as_of: date
    due: date
    symbols: tuple[SymbolStatus, ...]


@dataclass(frozen=True, slots=True)
class StoredBars:
    """The dates of a symbol's bars, ascending, and what is wrong with the object; empty when nothing is."""

    dates: Sequence[date]
    fault: str
    digest: str
    described: StoredDescription


def report(
    root: Path,
    name: str,
    *,
    as_json: bool = False,
    connect: Connect = connect,
    read_book: Callable[[], Book] = read_book,
) -> None:
    """Print the status of the lake of the environment `name`.

    The JSON has `environment`, `as_of`, `due`, `symbols` and `findings`.

    Raises:
        UsageError: there is no such environment, or nothing is stored or needed.
        ConfigurationError: the book cannot be read, or the environment is not deployed.
        CheckFailedError: a symbol of the book is missing, damaged or stale; the status is printed first.
        AutomationError: AWS or the broker does not answer.
    """
    with translate_product_errors(as_json=as_json):
        needs = needs_of(read_book())
    environment = connect(root, name)
    with opened(environment) as lake, closing(environment.broker()) as broker:
        status = gather(lake, broker, needs)
    findings = findings_of(status, lake)
    _show(status, findings, name, as_json=as_json)
    if findings:
        what = f"{plural(len(findings), 'symbol')} of the book cannot be used for decisions on {status.due}"
        message = f"{what}; run inv data.refresh --env {name}, which loads them all"
        raise CheckFailedError(message, where=name, findings=() if as_json else findings)


def needs_of(book: Book) -> Mapping[str, tuple[str, ...]]:
    """Return the strategies that need each symbol of the book.

    Raises:
        BookError, SymphonyError: a strategy file cannot be read.
    """
    needed = {entry.name: required_symbols(entry.symphony) for entry in book.entries}
    symbols = frozenset[str]().union(*needed.values())
    return {symbol: tuple(name for name in needed if symbol in needed[name]) for symbol in sorted(symbols)}


def gather(lake: StoredLake, exchange: Exchange, needs: Mapping[str, tuple[str, ...]]) -> LakeStatus:
    """Read every symbol that is stored or needed.

    Raises:
        UsageError: there is none.
        StateUnavailableError, BrokerError: AWS or the broker does not answer.
    """
    symbols = require_any(tuple(sorted({*needs, *lake.symbols()})), lake)
    business = read_business_time(exchange)
    as_of = business.as_of
    stored = map_in_threads(lambda symbol: _read(lake, symbol), symbols)
    start = min((bars.dates[-1] for bars in stored.values() if bars.dates), default=as_of)
    sessions = [session.date for session in exchange.calendar(min(start, as_of - LOOK_BACK), as_of)]
    verdict = lake.verdict()
    quarantined: Mapping[str, str] = verdict.quarantined if verdict else {}

    def row(symbol: str) -> SymbolStatus:
        reason, strategies = quarantined.get(symbol, ""), needs.get(symbol, ())
        return assess(symbol, stored[symbol], sessions=sessions, quarantined=reason, needed_by=strategies)

    return LakeStatus(as_of, last_due(sessions, business.now), tuple(map(row, stored)))


def last_due(sessions: Iterable[date], now: datetime) -> date:
    """Return the last of these sessions whose bars the nightly refresh should have loaded by now."""
    return max(day for day in sessions if datetime.combine(day, NIGHTLY, new_york()) <= now)


def _read(lake: StoredLake, symbol: str) -> StoredBars:
    entry, columns = lake.lake.read_columns(symbol, ("date",))
    dates = sorted(columns[0].to_pylist()) if columns else []
    return StoredBars(dates, entry.fault or "", entry.digest, lake.lake.describe(symbol))


def assess(
    symbol: str, bars: StoredBars, *, sessions: Iterable[date], quarantined: str, needed_by: tuple[str, ...]
) -> SymbolStatus:
    """Return the status of one symbol.

    Args:
        sessions: the completed sessions, at least from the last bar on.
    """
    last = bars.dates[-1] if bars.dates else None
    described = bars.described.description
    is_described = described is not None and described.digest == bars.digest
    return SymbolStatus(
        symbol=symbol,
        bars=len(bars.dates),
        first=bars.dates[0] if bars.dates else None,
        last=last,
        age=None if last is None else sum(1 for day in sessions if day > last),
        digest=bars.fault or ("ok" if is_described else "the description belongs to other bars"),
        source=described.source if described else "",
        fetched_at=described.fetched_at if described else None,
        quarantined=quarantined,
        needed_by=needed_by,
    )


def findings_of(status: LakeStatus, lake: StoredLake) -> tuple[Finding, ...]:
    """Return the needed symbols that are missing, damaged or stale."""
    findings: list[Finding] = []
    for row in status.symbols:
        if not row.needed_by:
            continue
        what = ""
        if row.age is None:
            what = row.digest
        elif row.last is not None and row.last < status.due:
            what = f"stale: last bar {row.last}, {plural(row.age, 'session')} before {status.as_of}"
        if what:
            findings.append(Finding(row.symbol, what, lake.refresh_of(row.symbol)))
    return tuple(findings)


def _show(status: LakeStatus, findings: Sequence[Finding], name: str, *, as_json: bool) -> None:
    if as_json:
        document = {
            "environment": name,
            "as_of": status.as_of,
            "due": status.due,
            "symbols": [asdict(row) for row in status.symbols],
        }
        console.result_json(document | {"findings": [asdict(finding) for finding in findings]})
        return
    due = "" if status.due == status.as_of else f"; its bars are due at {NIGHTLY:%H:%M} in New York"
    console.result(f"{name}: the last completed session is {status.as_of}{due}")
    console.table(_COLUMNS, map(_row, status.symbols), right=("bars", "age"))
    needed = [row for row in status.symbols if row.needed_by]
    quarantined = sum(1 for row in needed if row.quarantined)
    console.result(
        f"{plural(len(status.symbols), 'symbol')}, {len(needed)} of them in the book; {quarantined} quarantined, "
        f"{len(findings)} missing, damaged or stale"
    )


def _row(row: SymbolStatus) -> tuple[object, ...]:
    return (
        row.symbol,
        row.bars,
        row.first or "",
        row.last or "",
        "" if row.age is None else row.age,
        row.digest.partition(":")[0],
        row.source,
        f"{row.fetched_at:%Y-%m-%d %H:%M}" if row.fetched_at else "",
        row.quarantined,
        ", ".join(row.needed_by),
    )

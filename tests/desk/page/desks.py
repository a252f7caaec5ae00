"""Desks with invented values: of an ordinary day, of a hostile one, of a large one, of an empty account, of nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from automation.deploying.releases.records import Release
from automation.operating.dead_letters import DeadLetters, Queue
from automation.releases import ReleaseList
from automation.sizing.history import SeriesKind
from automation.system.errors import ConfigurationError
from automation.system.overviews import Alarm
from automation.system.queue_messages import QueueMessage
from desk.operations.run_record import RunRecord
from desk.operations.situation import Market, Situation
from desk.operations.switch import Setting
from desk.page.account import Equity, Holdings, derive
from desk.page.app import Desk
from desk.page.feeds import Feed
from desk.page.function_steps import Evidence, function_steps
from desk.page.next_session import NextSession
from desk.page.queues import Letter, LetterQueue, Queues
from desk.page.stack import SizeLine, Stacks
from desk.page.trading import Trading, day_of
from tests.contracts.written import written
from tests.desk.evidence import DAY, account, whole_day
from tests.desk.operations.duty import check
from tests.desk.operations.records import failed_record, whole_record
from tests.desk.page.days import HOSTILE, SCRIPT, hostile_record, idle_record, large_record
from tests.the_alchemiser.shared.performance.account_rows import account_row, owner_row
from the_alchemiser.coordinator_v2.admission import TradingDay
from the_alchemiser.data_quality_monitor.scorecards import Incident, Scorecards, ScorecardsEntry
from the_alchemiser.shared.books.checks import CheckState
from the_alchemiser.shared.exchange_time import new_york
from the_alchemiser.shared.market_data.verdict import Verdict
from the_alchemiser.shared.performance.rows import Performance
from the_alchemiser.shared.values import Clock, Session

TOKEN = "a-token-of-this-start"
NOT_DEPLOYED = ConfigurationError("alchemiser-data-local is not deployed; run inv deploy --env local", where="local")
SENT = datetime(2022, 3, 16, 19, 46, tzinfo=UTC)
VERDICT = Verdict(checked_at=SENT, as_of=DAY - timedelta(days=1), quarantined={})

type Values = Mapping[str, Any]


@dataclass
class Trade:
    """A session that waits until a test lets it go."""

    waiting: list[Callable[[], None]]

    def __call__(self, on_line: Callable[[str], None]) -> int:
        on_line("trading 2022-03-17")
        return 0


def situation(record: RunRecord | None = None, *, value: str = "enabled", time: str = "15:46") -> Situation:
    """Return an ordinary situation of the day of the evidence."""

    def at(text: str, day: date = DAY) -> datetime:
        return datetime.combine(day, datetime.strptime(text, "%H:%M").time(), new_york())  # noqa: DTZ007

    session = Session(DAY, at("09:30"), at("16:00"))
    is_open = session.open <= at(time) < session.close
    following = at("09:30", DAY + timedelta(days=1))
    closes = at("16:00") if at(time) < session.close else at("16:00", DAY + timedelta(days=1))
    clock = Clock(at(time), is_open, next_open=following, next_close=closes)
    funds = account(Decimal("99988.63"), Decimal("1043.21")).changed(number="PA3SANDBOX")
    return Situation(
        switch=Setting(value, SENT, "arn:aws:iam::123456789012:user/eva"),
        market=Market(clock, TradingDay(session, DAY - timedelta(days=1), at(time)), funds, "", ()),
        broker_error="",
        date=DAY,
        runs=(record.run,) if record else (),
        data=None,
        books=check(CheckState.AGREED),
    )


def trading(record: RunRecord | None, *, is_sandbox: bool = True, **changes: Any) -> Trading:
    """Return the trading of a day with this run."""
    now = situation(record)
    steps = function_steps(Evidence(record, DAY - timedelta(days=1), VERDICT, record.run.run_id if record else ""))
    day = day_of(record, VERDICT) if record else None
    return replace(Trading(now, (), record, day, steps, "local", is_sandbox), **changes)


def holdings() -> Holdings:
    after = whole_day().after
    return Holdings(after.account.changed(number="PA3SANDBOX", last_equity=Decimal(100_000)), after.positions)


def equity(days: int = 30) -> Equity:
    """Return the equity of so many days: it rises, but for a deposit of $5,000 on the tenth."""
    rows = tuple(
        account_row(
            DAY - timedelta(days=days - number),
            str(Decimal(100_000) + 430 * number + (5000 if number > 9 else 0)),
            deposits="5000" if number > 9 else "0",
        )
        for number in range(days)
    )
    closes = {row.trading_date: 400 + 2.0 * number for number, row in enumerate(rows[:-1])}
    return derive(rows, closes, [result(name) for name in ("trend_following", "sector_momentum", "calm_balance")])


def result(strategy: str) -> Performance:
    figures = {"market_value": "50123.45", "realised": "-12.34", "unrealised": "98.7", "turnover": "71234.5"}
    return owner_row(strategy, DAY, "100246.9", **figures, slippage="7.12", closed_lots="12", winning_lots="7")


def queues(*bodies: str) -> Queues:
    """Return the queues of an environment with these dead letters."""
    count = {"ApproximateNumberOfMessages": str(len(bodies)), "ApproximateNumberOfMessagesNotVisible": "0"}
    inbox, dead = Queue("TradeInbox", "arn:in", "url", {}), Queue("TradeDlq", "arn:dead", "url", count)
    letters = tuple(
        Letter(QueueMessage(f"m-{number}", body, "", SENT, 3, attributes={"ERROR": {"StringValue": body[:60]}}))
        for number, body in enumerate(bodies)
    )
    return Queues((inbox,), (LetterQueue(DeadLetters(dead, (inbox,)), letters),))


def stacks(*alarms: Alarm) -> Stacks:
    release = Release(
        number=7,
        commit="0123456789abcdef",
        person="eva@desk",
        created_at="2022-03-15T09:00:00+00:00",
        verdict="safe",
        status="deployed",
        smoke="passed",
    )
    sizes = (
        SizeLine("StrategyLayer", SeriesKind.LAYER, 51_234_567, 60_000_000),
        SizeLine("StrategyFunction", SeriesKind.MOUNTED, 262_244_000, 262_144_000),
        SizeLine("Tool", SeriesKind.FUNCTION, 1000, None),
    )
    return Stacks(alarms, 22, ReleaseList("local", (release,), release), sizes)


def scorecards() -> ScorecardsEntry:
    stored = Scorecards.read(written()["Scorecards"])
    faulty = stored.symbols[0].changed(
        incidents=(Incident(code="gap", detail=f"{SCRIPT} 2022-03-01", since=stored.symbols[0].as_of),)
    )
    good = faulty.changed(symbol="TLT", quarantined_since=None, incidents=(), gaps=0)
    return ScorecardsEntry(stored.changed(symbols=(faulty, good)))


def ordinary() -> Values:
    return {
        "trading": trading(whole_record()),
        "account": holdings(),
        "equity": equity(),
        "data": scorecards(),
        "queues": queues(),
        "stacks": stacks(),
    }


def hostile() -> Values:
    alarm = Alarm(SCRIPT, SCRIPT, "2022-03-16T19:46:00+00:00", SCRIPT)
    return {
        **ordinary(),
        "trading": trading(hostile_record()),
        "equity": replace(equity(), owners=(result(HOSTILE),)),
        "queues": queues(HOSTILE, '{"a": "</pre><script>1</script>"}', "x" * 30_000),
        "stacks": stacks(alarm),
    }


def large() -> Values:
    return {**ordinary(), "trading": trading(large_record())}


def failed() -> Values:
    return {**ordinary(), "trading": trading(failed_record())}


def idle() -> Values:
    return {**ordinary(), "trading": trading(idle_record())}


def empty() -> Values:
    """Return what an account without money, trades or runs has."""
    nothing = account(Decimal(0), Decimal(0)).changed(last_equity=Decimal(0))
    return {
        "trading": trading(None, situation=replace(situation(), books=None)),
        "account": Holdings(nothing, ()),
        "equity": Equity((), None, ()),
        "data": ScorecardsEntry(),
        "queues": Queues((), ()),
        "stacks": Stacks((), 0, ReleaseList("local", (), None), ()),
    }


def undeployed() -> Values:
    """Return what happens in an account without stacks."""
    return dict.fromkeys(ordinary(), NOT_DEPLOYED)


DESKS: Mapping[str, Callable[[], Values]] = {
    "ordinary": ordinary,
    "hostile": hostile,
    "large": large,
    "failed": failed,
    "idle": idle,
    "empty": empty,
    "undeployed": undeployed,
}


def desk_of(values: Values, *, is_sandbox: bool = True, now: Callable[[], float] = lambda: 0.0) -> Desk:
    """Return a desk whose feeds read these values; an exception is raised instead."""
    trade = Trade([])
    session = NextSession(trade, on_end=lambda: None, start=trade.waiting.append) if is_sandbox else None
    feeds = {name: Feed(_reader(values, name), every_s=60.0, now=now, start=_at_once) for name in values}
    return Desk("local", "http://127.0.0.1:4566, us-east-1", feeds, session, TOKEN)


def _reader(values: Values, name: str) -> Callable[[], Any]:
    def read() -> Any:
        value = values[name]
        if isinstance(value, Exception):
            raise value
        return value

    return read


def _at_once(work: Callable[[], None]) -> None:
    work()

"""What `inv pnl` reads, in memory: an account of 1,000 USD that bought 2 shares of SPY in its only run."""

from datetime import UTC, date, datetime
from decimal import Decimal

from desk.performance.pnl import Sources
from tests.the_alchemiser.fakes import InMemoryLedger
from tests.the_alchemiser.shared.performance.account_rows import MONDAY, TUESDAY, account_row, owner_row
from the_alchemiser.shared.broker.models import Account, Activity, Position
from the_alchemiser.shared.corporate_actions import CorporateAction, CorporateActions
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.performance.figures import History
from the_alchemiser.shared.performance.rows import Performance
from the_alchemiser.shared.values import Clock, Side

NOW = datetime(2022, 3, 16, 21, tzinfo=UTC)
LATER = datetime(2022, 3, 16, 14, tzinfo=UTC)
ROWS: tuple[Performance, ...] = (
    account_row(MONDAY, "1000", strategies="0", opening_equity="1000.5", unattributed="0"),
    owner_row("calm", MONDAY, "1000", market_value="0"),
    account_row(
        TUESDAY, "1259.5", strategies="10", deposits="250", fees="-0.52", dividends="0.02", MISC="0.25"
    ).changed(cash=Decimal("639.5"), holdings={"SPY": Decimal(2)}, market_value=Decimal(620), turnover=Decimal(610)),
    owner_row(
        "calm",
        TUESDAY,
        "1259.5",
        market_value="620",
        proceeds="-610",
        turnover="610",
        slippage="1.25",
        unrealised="10",
        closed_lots="3",
        winning_lots="2",
    ),
)


class Office:
    """The broker, the table and the ledger; a test changes what it wants.

    Attributes:
        moves: equities that the broker shows in turn before it shows `equity`.
    """

    def __init__(self) -> None:
        self.rows = ROWS
        self.cash = Decimal("639.5")
        self.equity = Decimal("1259.5")
        self.number = "PA1"
        self.moves: list[Decimal] = []
        self.held = [position("SPY", "2", "310")]
        self.activity: list[Activity] = []
        self.ledger = InMemoryLedger()
        self.actions: tuple[CorporateAction, ...] = ()
        self.asked: list[datetime | None] = []
        self.since: list[date | None] = []

    def sources(self, account: str = "PA1") -> Sources:
        return Sources(account, self, self, self.ledger, lambda: CorporateActions(self.actions))

    def account(self) -> Account:
        equity = self.moves.pop(0) if self.moves else self.equity
        zero = Decimal(0)
        return Account("id", "ACTIVE", self.cash, equity, zero, zero, Decimal(1), False, self.number)

    def positions(self) -> tuple[Position, ...]:
        return tuple(self.held)

    def activities(self, *, after: datetime | None = None) -> tuple[Activity, ...]:
        self.asked.append(after)
        return tuple(self.activity)

    def clock(self) -> Clock:
        return Clock(NOW, is_open=False, next_open=NOW, next_close=NOW)

    def history(self, *, since: date | None = None) -> History:
        self.since.append(since)
        return History.of(self.rows)

    def traded(self) -> frozenset[str]:
        return frozenset({"SPY", "TLT"})


def position(symbol: str, quantity: str, price: str | None) -> Position:
    shares, usd = Decimal(quantity), None if price is None else Decimal(price)
    value = None if usd is None else round(shares * usd, 2)
    return Position(symbol, shares, shares, usd or Decimal(0), usd, usd, value)


def activity(kind: str, amount: str, *, at: datetime = LATER) -> Activity:
    return Activity(f"{kind}-{at}", kind, at, Decimal(amount))


def fill(symbol: str, signed: str, price: str, *, at: datetime = LATER) -> LedgerEntry:
    shares, usd = Decimal(signed), Decimal(price)
    return LedgerEntry(
        symbol=symbol,
        filled_at=at,
        order_id=f"{symbol}-{at}",
        fill="1",
        client_order_id="c",
        trade_id="t",
        run_id="local-2022-03-15",
        side=Side.BUY if shares > 0 else Side.SELL,
        quantity=abs(shares),
        price=usd,
        cash=round(-shares * usd, 2),
        attribution={"calm": shares},
    )

"""Drawn lives of a little account: days with trades, deposits, fees, a split, failed runs, and days without a run."""

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from hypothesis import strategies as draw

from sandbox.exchange.clock import Phase
from tests.the_alchemiser.metrics_v2.little_account import DAYS, SPLIT_SYMBOL, LittleAccount
from the_alchemiser.shared.messaging.messages import RunCompleted
from the_alchemiser.shared.performance.rows import Performance

SYMBOLS = ("CALM", "RISE", SPLIT_SYMBOL)
_SHARE = Decimal("0.000001")


@dataclass(frozen=True)
class Step:
    """One trade of a part of the cash or of the position, in percent.

    Attributes:
        crossing: which percentage of it is the other strategy's; when negative, the strategies want opposite things.
        is_attributed: whether a strategy wants it at all.
    """

    symbol: str
    is_buy: bool
    share: int
    crossing: int
    is_attributed: bool
    is_partial: bool


@dataclass(frozen=True)
class Day:
    """A day: `kind` is a run that completes, one that fails after it has traded, or none."""

    kind: str
    amounts: tuple[tuple[str, str], ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Life:
    """The account after the last day, the results of its runs, and the rows as written right after each run."""

    account: LittleAccount
    runs: tuple[RunCompleted, ...]
    rows: tuple[Performance, ...]


def _usd(low: int, high: int) -> draw.SearchStrategy[str]:
    return draw.integers(low, high).filter(bool).map(lambda cents: str(Decimal(cents) / 100))


_AMOUNTS = draw.one_of(
    draw.tuples(draw.just("CSD"), _usd(1, 900_000)),
    draw.tuples(draw.just("CSW"), _usd(-300_000, -1)),
    draw.tuples(draw.just("FEE"), _usd(-500, -1)),
    draw.tuples(draw.sampled_from(["DIV", "INT", "MISC"]), _usd(-50, 9_999)),
)
_STEPS = draw.builds(
    Step,
    symbol=draw.sampled_from(SYMBOLS),
    is_buy=draw.booleans(),
    share=draw.integers(1, 60),
    crossing=draw.integers(-40, 90),
    is_attributed=draw.sampled_from([True, True, True, False]),
    is_partial=draw.booleans(),
)
_DAYS = draw.builds(
    Day,
    kind=draw.sampled_from(["completed", "completed", "completed", "failed", "none"]),
    amounts=draw.lists(_AMOUNTS, max_size=3).map(tuple),
    steps=draw.lists(_STEPS, max_size=4).map(tuple),
)
_BOUGHT = Step(SPLIT_SYMBOL, is_buy=True, share=60, crossing=30, is_attributed=True, is_partial=False)
_PRICES = draw.lists(draw.integers(101, 20_000).map(lambda cents: cents / 100), min_size=len(DAYS), max_size=len(DAYS))


@draw.composite
def lives(draw_one: draw.DrawFn) -> Life:
    """Draw a life: the first run completes, and buys some of what splits later."""
    account = LittleAccount({symbol: draw_one(_PRICES) for symbol in SYMBOLS})
    later = draw_one(draw.lists(_DAYS, min_size=5, max_size=len(DAYS) - 2))
    return live(account, (Day("completed", (), (_BOUGHT,)), *later))


def live(account: LittleAccount, plan: tuple[Day, ...]) -> Life:
    """Live through the days, from the second session on; amounts are booked in the evening before."""
    runs: list[RunCompleted] = []
    rows: list[Performance] = []
    for day, today in zip(plan, DAYS[1:], strict=False):
        account.go_to(today, Phase.EVENING_BEFORE)
        for kind, amount in day.amounts:
            account.book(kind, amount)
        account.go_to(today)
        if day.kind == "none":
            continue

        run_id, equity = f"local-{today}", account.broker.account().equity
        for step in day.steps:
            _trade(account, run_id, step)
        if day.kind == "completed":
            runs.append(account.complete(run_id, today, equity))
            rows.extend(account.rows_of(runs[-1]))
    return Life(account, tuple(runs), tuple(rows))


def _trade(account: LittleAccount, run_id: str, step: Step) -> None:
    price = account.broker.latest_trades([step.symbol])[step.symbol].price
    most = account.broker.account().cash / price if step.is_buy else account.exchange.account.qty(step.symbol)
    unit = Decimal(1) if step.symbol == SPLIT_SYMBOL else _SHARE
    quantity = (most * step.share / 100).quantize(unit, ROUND_DOWN)
    if quantity <= 0:
        return

    signed = quantity if step.is_buy else -quantity
    other = (signed * step.crossing / 100).quantize(_SHARE)
    deltas = {"a": signed - other, "b": other} if step.is_attributed else {}
    account.trade(run_id, step.symbol, signed, deltas, is_partial=step.is_partial)

"""Mails of every outcome with everything that is known about their runs.

`python -m tests.the_alchemiser.notifications_v2.samples FOLDER` writes them as files, to look at.
"""

import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from tests.the_alchemiser.results import (
    BOUGHT,
    BY_HAND,
    CANCELLED_LATE,
    DAY,
    FILLED_LATE,
    HALF_BOUGHT,
    MISSING_FILL,
    ODD_HOLDING,
    OPEN_ORDER,
    REFUSED,
    SOLD,
    checked,
    completed,
    differing,
    failed,
    mark,
    refused,
    settled,
)
from tests.the_alchemiser.run_builders import executed, trade_failed
from tests.the_alchemiser.shared.performance.account_rows import account_row, owner_row
from the_alchemiser.notifications_v2.answers import Answer
from the_alchemiser.notifications_v2.background import NOTHING_KNOWN, Background
from the_alchemiser.notifications_v2.mail import compose
from the_alchemiser.notifications_v2.subject import News
from the_alchemiser.shared.ledger.ledger import UNATTRIBUTED
from the_alchemiser.shared.market_data.verdict import Verdict
from the_alchemiser.shared.performance.figures import History
from the_alchemiser.shared.performance.rows import Performance
from the_alchemiser.shared.run.plan import RebalancePlan, TradeDecision
from the_alchemiser.shared.values import Side

START, FEBRUARY, BEFORE = date(2021, 12, 31), date(2022, 2, 28), date(2022, 3, 14)

ACCOUNT_ROWS = (
    account_row(START, "90500", strategies="500", opening_equity="90000"),
    account_row(FEBRUARY, "95000", deposits="3000", strategies="1990", dividends="15", fees="-5"),
    account_row(BEFORE, "97800", deposits="3000", strategies="4780", dividends="30", fees="-10"),
    account_row(
        DAY,
        "99987.21",
        deposits="5000",
        strategies="4966.19",
        unattributed="1",
        dividends="30",
        fees="-10",
        rounding="0.02",
    ).changed(market_value=Decimal("39353.02")),
)


def _owner(owner: str, gains: Mapping[date, str], value: str) -> tuple[Performance, ...]:
    """Return the rows of an owner whose value is the same on each day, and whose gains come from sales."""
    return tuple(
        owner_row(owner, day, "0", market_value=value, proceeds=str(Decimal(gain) - Decimal(value)))
        for day, gain in gains.items()
    )


OWNER_ROWS = (
    *_owner("trend", {START: "300", BEFORE: "2900", DAY: "3000.19"}, "25000"),
    *_owner("calm", {START: "200", BEFORE: "1880", DAY: "1966"}, "13852.02"),
    *_owner(UNATTRIBUTED, {START: "500", BEFORE: "500", DAY: "501"}, "501"),
)
HISTORY = History.of((*ACCOUNT_ROWS, *OWNER_ROWS))
LATEST = ACCOUNT_ROWS[2].changed(
    cash=Decimal("2800.50"),
    market_value=Decimal("94999.50"),
    holdings={"SPY": Decimal(100), "TLT": Decimal("12.5"), "GLD": Decimal(0)},
)
FRAGILE = (
    "For 60.0% of the capital: rsi SPY 10 is 79.2, which is above 79. It was 0.2 away from the other branch.",
    "XOM leads UNH. Only 0.25 separates the last one selected from the first one left out.",
)
TREND = Answer(
    strategy="trend",
    is_due=True,
    decided_on="2022-03-14",
    rebalance="daily",
    decision_count=5,
    fragile_count=2,
    fragile=FRAGILE,
    absent={"BBY": "last bar 2022-03-01"},
)
CALM = Answer(
    strategy="calm",
    is_due=False,
    decided_on="2022-03-07",
    rebalance="weekly",
    decision_count=1,
    fragile_count=0,
    fragile=(),
    absent={},
)
VERDICT = Verdict(
    checked_at=datetime(2022, 3, 15, 0, 31, tzinfo=UTC),
    as_of=BEFORE,
    quarantined={"BBY": "last bar 2022-03-01", "XRT": "a move of 12.1 % on 2022-03-11 is not confirmed"},
    problems=("The second source did not answer: 3 symbols could not be compared",),
)


def idle(symbol: str, reason: str) -> TradeDecision:
    """Return a decision to trade nothing."""
    return TradeDecision(
        symbol=symbol,
        side=None,
        quantity=Decimal(0),
        held=Decimal(10),
        price=Decimal(100),
        last_close=Decimal(100),
        target_weight=Decimal("0.5"),
        target_quantity=Decimal(10),
        reason=reason,
        deltas={},
    )


def plan(*decisions: TradeDecision) -> RebalancePlan:
    return RebalancePlan(
        run_id=f"local-{DAY}",
        equity=Decimal(100_000),
        cash=Decimal(1000),
        deployment_fraction=Decimal("0.99"),
        decisions=decisions,
    )


IDLE = plan(
    idle("SPY", "a change of -$3.20 is below the minimum of $100.00"),
    idle("TLT", "a change of $45.10 is below the minimum of $100.00"),
)
BACKGROUND = Background(
    plan=IDLE, answers=(CALM, TREND), strategy_count=2, verdict=VERDICT, history=HISTORY, latest=LATEST
)
DEGRADED = Background(
    unread=(
        "The P&L of this run was not computed yet; `inv pnl --env prod` shows them.",
        "The decisions of calm could not be read; `inv run.show local-2022-03-15 --env prod` shows them.",
    )
)
MANY = tuple(SOLD.changed(symbol=f"SYM{number}", trade_id=f"SYM{number}") for number in range(3000))
SAMPLES: Mapping[str, tuple[News, Background]] = {
    "completed": (completed(outcomes=(SOLD, BOUGHT)), BACKGROUND),
    "completed-degraded": (
        completed(
            outcomes=(SOLD, BOUGHT, HALF_BOUGHT.changed(unsettled=True), REFUSED),
            quarantined={"628ESC012": "odd_symbol"},
            untradable={"AAA": "not_tradable"},
        ),
        BACKGROUND,
    ),
    "completed-nothing-traded": (completed(outcomes=()), BACKGROUND.changed(answers=(CALM,), strategy_count=1)),
    "completed-paused": (
        completed(outcomes=(REFUSED.changed(reason="trading_paused"),) * 3),
        BACKGROUND,
    ),
    "completed-without-figures": (completed(), DEGRADED),
    "completed-3000-trades": (
        completed(outcomes=MANY, positions=[mark(f"SYM{number}", "57.25", "321.9") for number in range(3000)]),
        BACKGROUND,
    ),
    "failed": (failed(), Background(latest=LATEST, verdict=VERDICT)),
    "failed-buying": (
        failed(state="BUYING", reason="overdue_BUYING", detail="still BUYING after 15 minutes"),
        Background(
            latest=LATEST,
            trades=(executed("SPY", Side.SELL, "12.5"), trade_failed("TLT", Side.BUY, "10")),
        ),
    ),
    "refused": (refused(), Background(latest=LATEST)),
    "settled": (settled(FILLED_LATE, CANCELLED_LATE), NOTHING_KNOWN),
    "books-differ": (differing(BY_HAND, ODD_HOLDING, OPEN_ORDER, MISSING_FILL), NOTHING_KNOWN),
    "data-unfit": (checked(passed=False, problems=("no corporate actions since 2022-03-01",)), NOTHING_KNOWN),
}


def write(folder: Path) -> None:
    """Write the mails as files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (message, background) in SAMPLES.items():
        mail = compose(message, background, stage="prod")
        (folder / f"{name}.html").write_text(mail.html, encoding="utf-8")
        (folder / f"{name}.txt").write_text(f"{mail.subject}\n\n{mail.text}\n\n{mail.short}\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))

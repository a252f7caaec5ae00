from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.the_alchemiser.fakes import InMemoryGauges, InMemoryLedger
from tests.the_alchemiser.metrics_v2.fakes import InMemoryPerformanceStore
from tests.the_alchemiser.results import DAY, at, completed, mark, outcome
from the_alchemiser.metrics_v2.service import Accountant
from the_alchemiser.shared.broker.account_check import WrongAccountError
from the_alchemiser.shared.broker.models import Account, Activity
from the_alchemiser.shared.corporate_actions import CorporateAction, CorporateActionKind, CorporateActions
from the_alchemiser.shared.ledger.ledger import UNATTRIBUTED, LedgerEntry
from the_alchemiser.shared.performance.rows import ACCOUNT
from the_alchemiser.shared.values import Side

NEXT = DAY + timedelta(days=1)
BOUGHT_TLT = outcome(Side.SELL, "TLT", "2", "50")


class InMemoryAccountant:
    """An accountant whose ledger, performance store and gauges are in memory."""

    def __init__(self) -> None:
        self.ledger = InMemoryLedger()
        self.performances = InMemoryPerformanceStore()
        self.gauges = InMemoryGauges()
        self.actions = CorporateActions()
        self.activity: list[Activity] = []
        self.accountant = Accountant(self.ledger, self.performances, self.gauges, lambda: self.actions, self, "PA1")

    def account(self) -> Account:
        zero = Decimal(0)
        return Account("id", "ACTIVE", zero, zero, zero, zero, Decimal(1), trading_blocked=False, number="PA1")

    def activities(self) -> tuple[Activity, ...]:
        return tuple(self.activity)

    def fill(self, symbol: str, price: str, day: date = DAY, **attribution: str) -> None:
        parts = {name: Decimal(part) for name, part in attribution.items()}
        signed = sum(parts.values(), Decimal(0))
        self.ledger.record(
            LedgerEntry(
                symbol=symbol,
                filled_at=at(day, minute=45),
                order_id=f"{symbol}-{day}-{price}",
                fill="1",
                client_order_id="c",
                trade_id="t",
                run_id=f"local-{day}",
                side=Side.BUY if signed >= 0 else Side.SELL,
                quantity=abs(signed),
                price=Decimal(price),
                cash=-signed * Decimal(price),
                attribution=parts,
            )
        )

    def row(self, strategy: str, sk: str = "LATEST") -> Mapping[str, object]:
        row = self.performances.row(strategy, sk)
        assert row is not None
        return row

    def figures(self, strategy: str, sk: str = "LATEST") -> tuple[str, str, str]:
        row = self.row(strategy, sk)
        return str(row["market_value"]), str(row["realised"]), str(row["unrealised"])


def test_handle_run_account_is_the_sum_of_its_strategies() -> None:
    books = InMemoryAccountant()
    books.fill("SPY", "100", trend="6", balance="4")
    books.fill("TLT", "50", balance="2")

    books.accountant.handle(completed(positions=(mark("SPY", "10", "110"), mark("TLT", "2", "45"))))

    assert books.figures("trend") == ("660", "0", "60")
    assert books.figures("balance") == ("530", "0", "30")
    assert books.figures(ACCOUNT) == ("1190", "0", "90")


def test_handle_symbol_sold_days_ago_stays_in_realised() -> None:
    books = InMemoryAccountant()
    books.fill("QQQ", "300", trend="1")
    books.accountant.handle(completed(outcomes=(outcome(Side.BUY, "QQQ", "1", "300"),), positions=()))
    books.fill("QQQ", "320", NEXT, trend="-1")
    books.accountant.handle(completed(outcomes=(outcome(Side.SELL, "QQQ", "1", "320"),), positions=(), day=NEXT))

    books.accountant.handle(completed(outcomes=(), positions=(), day=NEXT + timedelta(days=1)))

    assert books.row("trend")["trading_date"] == "2022-03-17"
    assert books.figures("trend") == ("0", "20", "0")


def test_handle_late_message_gives_the_same_figures() -> None:
    books = InMemoryAccountant()
    books.fill("SPY", "100", trend="1")
    books.fill("SPY", "120", NEXT, trend="-1")
    books.accountant.handle(completed(positions=(), day=NEXT))

    books.accountant.handle(completed(positions=(mark("SPY", "1", "105"),)))

    assert books.figures("trend", "2022-03-15") == ("105", "0", "5")
    assert books.figures("trend") == ("0", "20", "0")


def test_handle_run_again_writes_the_same_rows() -> None:
    books = InMemoryAccountant()
    books.fill("SPY", "100", trend="1")
    books.accountant.handle(completed())
    before = dict(books.performances.rows)

    books.accountant.handle(completed())

    assert books.performances.rows == before


def test_handle_unattributed_shares_have_value_but_no_gain() -> None:
    books = InMemoryAccountant()
    books.fill("SPY", "100", trend="1")

    books.accountant.handle(completed(positions=(mark("SPY", "3", "110"), mark("KO", "2", "60"))))

    row = books.row(UNATTRIBUTED)
    assert (row["market_value"], row["holdings"]) == ("340", {"KO": "2", "SPY": "2"})
    assert "realised" not in row
    assert books.figures("trend") == ("110", "0", "10")


def test_handle_unattributed_shares_sold_leave_an_empty_row() -> None:
    books = InMemoryAccountant()
    books.accountant.handle(completed(positions=(mark("KO", "2", "60"),)))
    books.fill("KO", "61", NEXT, **{UNATTRIBUTED: "-2"})

    books.accountant.handle(completed(outcomes=(outcome(Side.SELL, "KO", "2", "61"),), positions=(), day=NEXT))

    row = books.row(UNATTRIBUTED)
    assert (row["market_value"], row["proceeds"]) == ("0", "122")


def test_handle_symbol_missing_at_broker_uses_last_fill_price() -> None:
    books = InMemoryAccountant()
    books.fill("SPY", "100", trend="2")

    books.accountant.handle(completed(positions=()))

    assert books.row("trend")["unmarked"] == ["SPY"]
    assert books.figures("trend") == ("200", "0", "0")
    assert books.row(UNATTRIBUTED)["market_value"] == "-200"


def test_handle_run_publishes_gauges_of_known_figures() -> None:
    books = InMemoryAccountant()
    books.fill("SPY", "100", trend="100")

    books.accountant.handle(completed(positions=(mark("SPY", "100", "99.98721"),)))

    shown = {(gauge.strategy, gauge.name): gauge.value for gauge in books.gauges.published}
    assert shown["trend", "Exposure"] == 10
    assert shown["trend", "UnrealisedPnl"] == Decimal("-1.279")
    assert shown[ACCOUNT, "Equity"] == Decimal("99987.21")
    assert ("trend", "Equity") not in shown


def test_handle_late_message_publishes_no_gauges() -> None:
    books = InMemoryAccountant()
    books.accountant.handle(completed(day=NEXT))
    books.gauges.published.clear()

    books.accountant.handle(completed())

    assert books.gauges.published == []


def figures_of(books: InMemoryAccountant, *names: str) -> tuple[Decimal, ...]:
    row = books.row("trend")
    return tuple(Decimal(str(row[name])) for name in names)


def decimals(*numbers: int) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, numbers))


def split(day: date, old: str = "10", new: str = "1", cash: str = "0") -> CorporateActions:
    ratio = (Decimal(old), Decimal(new), Decimal(cash))
    return CorporateActions((CorporateAction("SPY", day, CorporateActionKind.SPLIT, *ratio),))


def test_handle_reverse_split_invents_no_gain() -> None:
    books = InMemoryAccountant()
    books.fill("SPY", "10", trend="100")
    books.actions = split(NEXT)

    books.accountant.handle(completed(positions=(mark("SPY", "10", "101"),), day=NEXT))

    assert figures_of(books, "market_value", "cost", "realised", "unrealised") == decimals(1010, 1000, 0, 10)
    assert books.row("trend")["holdings"] == {"SPY": "10.000000000"}
    assert books.performances.row(UNATTRIBUTED, "LATEST") is None


def test_handle_split_of_a_later_day_changes_nothing() -> None:
    books = InMemoryAccountant()
    books.fill("SPY", "10", trend="100")
    books.actions = split(NEXT)

    books.accountant.handle(completed(positions=(mark("SPY", "100", "11"),)))

    assert figures_of(books, "market_value", "realised", "unrealised") == decimals(1100, 0, 100)


def test_handle_fraction_paid_in_cash_is_realised() -> None:
    books = InMemoryAccountant()
    books.fill("SPY", "10", trend="105")
    books.actions = split(NEXT, cash="102")

    books.accountant.handle(completed(positions=(mark("SPY", "10", "101"),), day=NEXT))

    assert books.row("trend")["holdings"] == {"SPY": "10.000000000"}
    rounded = tuple(round(figure, 6) for figure in figures_of(books, "market_value", "realised", "unrealised"))
    assert rounded == decimals(1010, 1, 10)


def test_handle_holding_without_a_mark_is_valued_in_new_shares() -> None:
    books = InMemoryAccountant()
    books.fill("SPY", "10", trend="100")
    books.actions = split(NEXT)

    books.accountant.handle(completed(positions=(), day=NEXT))

    assert figures_of(books, "market_value", "realised", "unrealised") == decimals(1000, 0, 0)
    assert books.row("trend")["unmarked"] == ["SPY"]


def test_handle_fill_on_the_ex_date_is_in_new_shares_already() -> None:
    books = InMemoryAccountant()
    books.fill("SPY", "100", NEXT, trend="7")
    books.actions = split(NEXT)

    books.accountant.handle(completed(positions=(), day=NEXT))

    assert figures_of(books, "market_value", "realised", "unrealised") == decimals(700, 0, 0)


def activity(kind: str, amount: str, day: date = DAY, **shares: str) -> Activity:
    numbers = {name: Decimal(text) for name, text in shares.items()}
    return Activity(f"{kind}-{day}", kind, at(day, minute=30), Decimal(amount), **numbers)  # type: ignore[arg-type]


def totals_of(books: InMemoryAccountant, day: date = DAY) -> dict[str, object]:
    totals = books.row(ACCOUNT, day.isoformat())["account"]
    assert isinstance(totals, dict)
    return totals


def test_handle_run_counts_activities_until_its_end() -> None:
    books = InMemoryAccountant()
    books.activity = [activity("CSD", "500"), activity("FEE", "-0.5"), activity("XYZ", "2"), activity("INT", "1", NEXT)]

    books.accountant.handle(completed())

    totals = totals_of(books)
    assert (totals["deposits"], totals["fees"], totals["interest"], totals["other"]) == (
        "500",
        "-0.5",
        "0",
        {"XYZ": "2"},
    )


def test_handle_run_counts_fills_until_its_end() -> None:
    books = InMemoryAccountant()
    books.fill("SPY", "100", trend="1")
    late = next(iter(books.ledger.entries.values()))
    books.ledger.record(late.changed(order_id="late", filled_at=at(DAY, minute=47)))

    books.accountant.handle(completed(positions=(mark("SPY", "1", "100"),)))

    assert books.row("trend")["holdings"] == {"SPY": "1"}


@pytest.mark.parametrize(("unsettled", "shares"), [(False, "2"), (True, "1")])
def test_handle_fill_after_the_end_counts_when_its_trade_has_ended(unsettled: bool, shares: str) -> None:
    books = InMemoryAccountant()
    books.fill("SPY", "100", trend="1")
    first = next(iter(books.ledger.entries.values()))
    bought = outcome(Side.BUY, "SPY", "2", "100").changed(unsettled=unsettled)
    books.ledger.record(
        first.changed(order_id="late", trade_id=bought.trade_id, filled_at=at(DAY) + timedelta(milliseconds=1))
    )

    books.accountant.handle(completed(outcomes=(bought,), positions=(mark("SPY", shares, "100"),)))

    assert books.row("trend")["holdings"] == {"SPY": shares}


def test_handle_first_run_knows_the_opening_equity() -> None:
    books = InMemoryAccountant()
    books.fill("SPY", "100", trend="1")
    books.accountant.handle(completed())
    books.fill("SPY", "101", NEXT, trend="1")
    books.accountant.handle(completed(day=NEXT))

    assert totals_of(books)["opening_equity"] == "100000"
    assert "opening_equity" not in totals_of(books, NEXT)


def test_handle_deposited_shares_are_a_deposit_and_not_a_gain() -> None:
    books = InMemoryAccountant()
    books.activity = [activity("JNLS", "0", quantity="2", price="60")]

    books.accountant.handle(completed(positions=(mark("KO", "2", "61"),)))

    assert (totals_of(books)["deposits"], totals_of(books)["unattributed"]) == ("120", "2")


def test_handle_run_measures_slippage_from_the_planning_price() -> None:
    books = InMemoryAccountant()
    books.fill("SPY", "100", trend="3", balance="-1")
    books.fill("TLT", "50", trend="-2")
    for key, entry in books.ledger.entries.items():
        planned = Decimal("99.5") if entry.symbol == "SPY" else Decimal("50.25")
        books.ledger.entries[key] = entry.changed(planning_price=planned)
    books.fill("QQQ", "300", trend="1")

    books.accountant.handle(completed(outcomes=(outcome(Side.BUY, "QQQ", "1", "300"), BOUGHT_TLT), positions=()))

    slippages = {name: Decimal(str(books.row(name)["slippage"])) for name in ("trend", "balance", ACCOUNT)}
    assert slippages == {"trend": Decimal(2), "balance": Decimal("-0.5"), ACCOUNT: Decimal("1.5")}
    turnovers = {name: Decimal(str(books.row(name)["turnover"])) for name in ("trend", "balance", ACCOUNT)}
    assert turnovers == {"trend": Decimal(700), "balance": Decimal(100), ACCOUNT: Decimal(600)}


def test_handle_run_counts_closed_and_winning_lots() -> None:
    books = InMemoryAccountant()
    for price, quantity in (("100", "2"), ("101", "-1"), ("99", "-0.5"), ("100.00", "-0.5")):
        books.fill("SPY", price, trend=quantity)

    books.accountant.handle(completed(positions=()))

    assert (books.row("trend")["closed_lots"], books.row("trend")["winning_lots"]) == (3, 1)
    assert (books.row(ACCOUNT)["closed_lots"], books.row(ACCOUNT)["winning_lots"]) == (3, 1)


def test_handle_run_rounds_orders_and_positions_to_cents() -> None:
    books = InMemoryAccountant()
    books.fill("SPY", "100", trend="1")
    key, entry = next(iter(books.ledger.entries.items()))
    books.ledger.entries[key] = entry.changed(cash=Decimal("-99.996"))

    books.accountant.handle(completed(positions=(mark("SPY", "1", "100.005"),)))

    assert Decimal(str(totals_of(books)["rounding"])) == Decimal("0.004") + Decimal("0.005")


def test_handle_run_of_another_account_writes_nothing() -> None:
    books = InMemoryAccountant()
    books.accountant = books.accountant.changed(account="PA2")

    with pytest.raises(WrongAccountError, match="PA1"):
        books.accountant.handle(completed())

    assert books.performances.rows == {}


def test_handle_cash_in_lieu_beyond_what_was_credited_keeps_its_name() -> None:
    books = InMemoryAccountant()
    books.fill("SPY", "10", trend="105")
    books.actions = split(NEXT, cash="102")
    books.activity = [activity("SPLIT", "52", NEXT)]

    books.accountant.handle(completed(positions=(mark("SPY", "10", "101"),), day=NEXT))

    other = totals_of(books, NEXT)["other"]
    assert isinstance(other, dict)
    assert Decimal(other["SPLIT"]) == 1

"""Every safeguard of the product, switched off in turn: a seed or a narrower test must notice."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from io import StringIO
from multiprocessing import get_context
from typing import NamedTuple

import pytest

from tests.simulation import switched_off as off
from tests.simulation.drawing import draw_scenario
from tests.simulation.invariants import check
from tests.simulation.kernel import simulate
from tests.simulation.switched_off import Patch, switched_off
from tests.templates import test_durations
from the_alchemiser.coordinator_v2 import service as coordinator
from the_alchemiser.coordinator_v2 import settling
from the_alchemiser.coordinator_v2.books import BooksChecker
from the_alchemiser.coordinator_v2.service import Coordinator
from the_alchemiser.coordinator_v2.settling import OrderSettler
from the_alchemiser.execution_v2 import attempt, order_sequence
from the_alchemiser.execution_v2.orders import OrderDesk
from the_alchemiser.execution_v2.pricing import MarketView
from the_alchemiser.notifications_v2.channels import DynamoDeliveries
from the_alchemiser.portfolio_v2 import planning
from the_alchemiser.shared.books import reconciling
from the_alchemiser.shared.books.reconciling import Recent, _Books
from the_alchemiser.shared.broker import client as broker_client
from the_alchemiser.shared.corporate_actions import CorporateActions
from the_alchemiser.shared.ledger import dynamo_ledger
from the_alchemiser.shared.messaging import delivery
from the_alchemiser.shared.messaging.claims import DynamoClaims
from the_alchemiser.shared.run import dynamo_runs
from the_alchemiser.shared.run.dynamo_runs import DynamoRunStore
from the_alchemiser.shared.run.kill_switch import KillSwitch
from the_alchemiser.shared.values import Side
from the_alchemiser.trade_aggregator import outcomes, release
from the_alchemiser.trade_aggregator import service as trade_service

_REWRITE = "ignore::pytest.PytestAssertRewriteWarning"
SEEDS = 1_500


class Safeguard(NamedTuple):
    """One safeguard.

    Attributes:
        off: what is switched off, for the table.
        test: a narrower test that must fail without it; empty when seeds are simulated until one notices.
    """

    name: str
    off: str
    patches: tuple[Patch, ...]
    test: str = ""


class Outcome(NamedTuple):
    """What happened without the safeguard; `noticed_by` is empty when nothing noticed."""

    name: str
    off: str
    noticed_by: str


_STORE = "tests/simulation/test_dynamo.py::TestRunStore::"
_EXECUTION = "tests/the_alchemiser/execution_v2/"

SAFEGUARDS = (
    # Messages.
    Safeguard("claim", "each delivery is handled", (Patch(DynamoClaims, "take", off.yes),)),
    Safeguard("publish before marking", "the other order", (Patch(delivery, "_react", off.marked_before_publishing),)),
    Safeguard("record of notices", "nothing counts as sent", (Patch(DynamoDeliveries, "read", off.never_sent),)),
    Safeguard(
        "visibility above time-out",
        "a fifth of it",
        (Patch(test_durations, "durations", off.short_visibilities),),
        "tests/templates/test_durations.py",
    ),
    # Runs.
    Safeguard("item of the day", "taken by any run", (Patch(DynamoRunStore, "_take_day", off.take_any_day),)),
    Safeguard("conditional move", "from any state", (Patch(DynamoRunStore, "move", off.unconditional_move),)),
    Safeguard(
        "put-if-absent",
        "items are overwritten",
        (Patch(dynamo_runs, "put_if", off.unconditional_put),),
        f"{_STORE}test_put_once_keeps_the_first",
    ),
    Safeguard("outbox: unsent", "all counts as sent", (Patch(DynamoRunStore, "load", off.load_as_sent),)),
    Safeguard(
        "outbox: of its state",
        "that of any state is marked as sent",
        (Patch(DynamoRunStore, "mark_sent", off.mark_any_sent),),
        f"{_STORE}test_mark_sent_of_a_state_already_left_changes_nothing",
    ),
    Safeguard("sweep: fails", "no run is overdue", (Patch(coordinator, "overdue", off.nothing),)),
    Safeguard("sweep: publishes", "it does not", (Patch(Coordinator, "_publish_unsent", off.no_reaction),)),
    Safeguard("sweep: settles", "without a look", (Patch(OrderSettler, "settle", off.settled_at_once),)),
    Safeguard(
        "sweep: waits",
        "for no execution",
        (Patch(settling, "is_window_over", off.yes),),
        "tests/the_alchemiser/coordinator_v2/test_settling.py::test_sweep_before_the_window_is_over_cancels_and_waits",
    ),
    Safeguard("refusals are published", "they are only logged", (Patch(Coordinator, "_refuse", off.no_reaction),)),
    Safeguard("degraded flag", "never set", (Patch(outcomes, "_is_degraded", off.no),)),
    Safeguard(
        "late release",
        "never refused",
        (Patch(trade_service, "refuse_late", off.nothing),),
        "tests/the_alchemiser/trade_aggregator/test_too_late.py",
    ),
    # Orders.
    Safeguard(
        "look-up of earlier orders",
        "an attempt does not see them",
        (Patch(attempt, "orders_by_step", off.empty),),
        f"{_EXECUTION}test_resuming.py",
    ),
    Safeguard("client order id", "new in each attempt", (Patch(order_sequence, "client_order_id", off.random_id),)),
    Safeguard("run is live", "not checked", (Patch(order_sequence, "refuse_run", off.nothing),)),
    Safeguard("kill switch", "read once", (Patch(KillSwitch, "is_enabled", off.first_reading),)),
    Safeguard("60 s to the close", "not checked", (Patch(order_sequence, "refuse_time", off.nothing),)),
    Safeguard("limits of an order", "not checked", (Patch(order_sequence, "refuse_order", off.nothing),)),
    Safeguard("limits of the day", "not checked", (Patch(release, "_refuse_use", off.nothing),)),
    Safeguard(
        "position and intent",
        "the position is not read, the intent is not sent",
        (
            Patch(order_sequence, "size_sale", off.whole_remainder),
            Patch(broker_client, "_INTENTS", dict.fromkeys(Side)),
        ),
    ),
    Safeguard(
        "position",
        "not read",
        (Patch(order_sequence, "size_sale", off.whole_remainder),),
        f"{_EXECUTION}test_order_checks.py::test_sell_is_at_most_the_shares_held",
    ),
    Safeguard(
        "position intent",
        "not sent",
        (Patch(broker_client, "_INTENTS", dict.fromkeys(Side)),),
        "tests/the_alchemiser/shared/broker/test_client.py",
    ),
    Safeguard("cancel is confirmed", "it is not", (Patch(OrderDesk, "_cancel", off.cancelled_unseen),)),
    Safeguard(
        "refused cancel",
        "it is an error",
        (Patch(OrderDesk, "_request_cancellation", off.cancel_or_raise),),
        f"{_EXECUTION}test_orders.py::test_settle_of_order_that_filled_while_cancelling_returns_the_fill",
    ),
    Safeguard("quarantine", "every holding is planned", (Patch(planning, "quarantine", off.empty),)),
    Safeguard(
        "replaced orders",
        "not followed",
        (Patch(OrderDesk, "_successor", off.nothing),),
        f"{_EXECUTION}test_order_checks.py::test_order_replaced_by_hand_ends_the_trade_with_the_fills_of_both",
    ),
    Safeguard(
        "spread cap",
        "no cap of limits and market orders",
        (Patch(MarketView, "refuse_market_order", off.nothing), Patch(MarketView, "limit_price", off.far_side)),
    ),
    # Books.
    Safeguard(
        "key of the ledger",
        "it holds the time",
        (Patch(dynamo_ledger, "_row", off.timed_row),),
        "tests/the_alchemiser/shared/ledger/test_dynamo_ledger.py",
    ),
    Safeguard("books: compared", "they always agree", (Patch(reconciling, "compare", off.nothing_differs),)),
    Safeguard("books: block", "no start is refused", (Patch(BooksChecker, "_refusal", off.nothing),)),
    Safeguard("books: reported", "a difference is only stored", (Patch(BooksChecker, "_news", off.no_reaction),)),
    Safeguard(
        "books: wait",
        "for no settlement",
        (Patch(Recent, "is_unsettled", off.no),),
        "tests/the_alchemiser/shared/books/test_reconciling.py::test_look_waits_for_a_run_that_is_not_settled",
    ),
    Safeguard(
        "books: read again",
        "the index is believed",
        (Patch(_Books, "expected_again", off.expected_by_index),),
        "tests/the_alchemiser/shared/books/test_reconciling.py::test_look_that_differs_reads_these_symbols_again",
    ),
    Safeguard(
        "number of the account",
        "not checked",
        tuple(
            Patch(module, "require_account", off.nothing) for module in (reconciling, planning, settling, trade_service)
        ),
    ),
    Safeguard("splits", "lots do not know them", (Patch(CorporateActions, "splits", off.no_splits),)),
)


def outcome_of(name: str) -> Outcome:
    """Switch off the safeguard of this name, and look for what notices."""
    safeguard = next(safeguard for safeguard in SAFEGUARDS if safeguard.name == name)
    with switched_off(safeguard.patches):
        noticed_by = _failing_test(safeguard.test) if safeguard.test else _failing_seed(range(SEEDS))
    return Outcome(safeguard.name, safeguard.off, noticed_by)


def _failing_seed(seeds: Sequence[int]) -> str:
    for seed in seeds:
        violations = check(simulate(draw_scenario(seed)))
        if violations:
            return f"seed {seed}: {violations[0].invariant}"
    return ""


def _failing_test(test: str) -> str:
    with redirect_stdout(StringIO()):
        code = pytest.main(["-q", "-p", "no:cacheprovider", "-W", _REWRITE, test])
    return test if code == pytest.ExitCode.TESTS_FAILED else ""


def mutant_table(show: Callable[[str], None], *, jobs: int) -> int:
    """Show every safeguard and what notices its absence; return 1 when nothing notices one of them."""
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        results = tuple(pool.map(outcome_of, [safeguard.name for safeguard in SAFEGUARDS]))
    show(rendered(results))
    return 0 if all(outcome.noticed_by for outcome in results) else 1


def rendered(results: Sequence[Outcome]) -> str:
    """Return the table as Markdown."""
    header = ("| safeguard | switched off | red |", "|---|---|---|")
    rows = (f"| {row.name} | {row.off} | {row.noticed_by or '**nothing notices**'} |" for row in results)
    return "\n".join((*header, *rows))

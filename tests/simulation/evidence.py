"""Which safeguards a history reached: read from what it left behind, because the product does not count them itself."""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain

from tests.simulation.end_state import EndState, TraceLine
from the_alchemiser.shared.books.checks import CheckState

LOST = "ConditionalCheckFailedException"
_CANCELED = "TransactionCanceledException"
COORDINATOR = "coordinator_v2"
EXECUTION = "execution_v2"
_OF_COORDINATOR = frozenset({"StrategyRequested", "RunFailed", "RunRefused", "RunSettled", "BooksDiffer"})


def safeguards_reached(end: EndState) -> frozenset[str]:
    """Return the names of the safeguards that changed the course of the history."""
    reached = {name for name, is_sign in _SIGNS.items() if any(is_sign(line) for line in end.trace)}
    reached |= {name for name, was_reached in _FACTS.items() if was_reached(end)}
    return frozenset(reached | (set(_reasons(end)) & set(_REASONS)))


def _lost_write(operation: str, table: str, *, key: str = "") -> Callable[[TraceLine], bool]:
    start = f"dynamodb.{operation} {table}"
    return lambda line: line.result == LOST and line.call.startswith(start) and key in line.call


def _broker(module: str, call: str, *results: str) -> Callable[[TraceLine], bool]:
    def is_sign(line: TraceLine) -> bool:
        is_call = line.function == module and line.call.startswith(f"broker.{call}")
        return is_call and line.result.startswith(results)

    return is_sign


# One line of the trace shows it.
_SIGNS: Mapping[str, Callable[[TraceLine], bool]] = {
    "duplicate claim": _lost_write("put_item", "Claims"),
    "conditional move lost": _lost_write("update_item", "Runs"),
    "put-if-absent lost": _lost_write("put_item", "Runs"),
    "day item lost": lambda line: line.call.startswith("dynamodb.transact") and line.result == _CANCELED,
    "ledger entry kept": _lost_write("put_item", "Ledger"),
    "rate limit": lambda line: line.call.startswith("broker.") and line.result.startswith("429"),
    "cancel looked again": lambda line: line.call.startswith("broker.DELETE") and line.result.startswith("422"),
    "settlement cancelled": _broker(COORDINATOR, "DELETE /v2/orders", "204", "422"),
}


def _republished(end: EndState) -> bool:
    """Return whether the coordinator published what it does not produce itself, or the same message once more."""
    sent = [message for message in end.published if message.function == COORDINATOR]
    ids = [message.message_id for message in sent if message.detail_type != "RunRefused"]
    return len(set(ids)) < len(ids) or any(message.detail_type not in _OF_COORDINATOR for message in sent)


def _published(kind: str, field: str = "") -> Callable[[EndState], bool]:
    def was_published(end: EndState) -> bool:
        return any(
            message.detail_type == kind and (not field or bool(message.detail.get(field))) for message in end.published
        )

    return was_published


def _mailed_twice(end: EndState) -> bool:
    ids = [notice.message_id for notice in end.mails]
    return len(set(ids)) < len(ids)


def _scaled(end: EndState) -> bool:
    payloads = chain.from_iterable(run.payloads.values() for run in end.runs.values())
    return any(payload.get("factor", "1") != "1" for payload in payloads)


def _checked_by_a_start(end: EndState) -> bool:
    """Return whether an evening passed without a check, so that the next start looked."""
    checks = (change.check for change in end.checks if change.check.state is CheckState.AGREED)
    return any(check.held_on > check.trading_date for check in checks)


def _became(*states: CheckState) -> Callable[[EndState], bool]:
    """Return whether the check of a day had these states, in this order."""

    def has_become(end: EndState) -> bool:
        by_day: dict[object, list[CheckState]] = {}
        for change in end.checks:
            by_day.setdefault(change.check.trading_date, []).append(change.check.state)
        return tuple(states) in {tuple(course) for course in by_day.values()}

    return has_become


# The end state shows it.
_FACTS: Mapping[str, Callable[[EndState], bool]] = {
    "sweep republished": _republished,
    "overdue run failed": lambda end: any(reason.startswith("overdue_") for reason in _reasons(end)),
    "late fills told": _published("RunSettled"),
    "unsettled trade told": _published("TradeFailed", "unsettled"),
    "degraded run": _published("RunCompleted", "degraded"),
    "holding quarantined": _published("RunCompleted", "quarantined"),
    "notice repeated": _mailed_twice,
    "buys scaled down": _scaled,
    "split adjusted": lambda end: bool(end.adjustments),
    "books differ": _published("BooksDiffer"),
    "books agree again": _became(CheckState.DIFFERS, CheckState.AGREED),
    "difference accepted": _became(CheckState.DIFFERS, CheckState.ACCEPTED),
    "books checked by a start": _checked_by_a_start,
    "dead letter": lambda end: any(end.dead_letters.values()),
    "function killed by its deadline": lambda end: any(kill.call == "deadline" for kill in end.kills),
}

# A reason code of a trade, a run or a refused start shows it.
_REASONS = (
    "run_ended",
    "trading_paused",
    "paused",
    "spread_too_wide",
    "too_late_to_trade",
    "replaced_by_owner",
    "order_rejected",
    "not_filled",
    "retries_exhausted",
    "market_closed",
    "limit_notional",
    "limit_price_distance",
    "limit_universe",
    "day_notional_limit",
    "day_trade_limit",
    "insufficient_buying_power",
    "run_exists",
    "run_not_settled",
    "replaces_missing",
    "verdict_stale",
    "books_differ",
    "wrong_account",
)

SAFEGUARDS = (*_SIGNS, *_FACTS, *_REASONS)


def _reasons(end: EndState) -> Iterator[str]:
    for message in chain(end.published, end.trade_messages):
        reason = message.detail.get("reason")
        if isinstance(reason, str):
            yield reason
        for outcome in message.detail.get("outcomes", ()):
            if outcome["reason"]:
                yield outcome["reason"]

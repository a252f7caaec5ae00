"""Everything about one run as JSON for programs. Pure.

Amounts, prices and shares are strings, so that no digit is lost; times are RFC 3339. What a run has not reached is null
or empty. Fields are only ever added.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from desk.decision import sentences, summary
from desk.operations.run_record import Notice, RunRecord, TradeRecord
from desk.operations.situation_view import order_json
from the_alchemiser.notifications_v2.channels import Delivery
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.messaging.messages import (
    RunCompleted,
    RunFailed,
    StrategyEvaluated,
    StrategyFailed,
    TradeFailed,
)
from the_alchemiser.shared.run.plan import RebalancePlan, trade_id
from the_alchemiser.shared.run.progress import missing


def as_json(record: RunRecord) -> Mapping[str, Any]:
    """Return the record: `run_id`, `state`, `settled`, `timeline`, `failure`, `strategies`, `signal`, `plan`, …"""
    run, result, signal = record.run, record.result, record.signal
    completed = result if isinstance(result, RunCompleted) else None
    return {
        "run_id": run.run_id,
        "stage": run.stage,
        "trading_date": run.trading_date.isoformat(),
        "as_of": run.as_of.isoformat(),
        "state": run.state.value,
        "settled": run.settled,
        "waiting_for": list(missing(run)),
        "timeline": [{"state": line.state, "at": line.at.isoformat(), "by": line.by} for line in run.timeline],
        "failure": _failure(result) if isinstance(result, RunFailed) else None,
        "degraded": completed.degraded if completed else None,
        "equity_before": str(completed.equity_before) if completed else None,
        "equity_after": str(completed.equity_after) if completed else None,
        "cash_after": str(completed.cash_after) if completed else None,
        "strategies": [_strategy(record, name) for name in sorted(run.allocations)],
        "signal": signal
        and {
            "weights": _texts(signal.weights),
            "contributions": _nested(signal.contributions),
            "cash": str(signal.cash),
        },
        "plan": None if record.plan is None else _plan(record.plan),
        "releases": _releases(record),
        "trades": [_trade(trade, run.stage) for trade in record.trades],
        "unplanned_orders": [order_json(order, run.stage) for order in record.unplanned_orders],
        "broker_error": record.broker_error or None,
        "settlement": [order.to_content() for order in record.settled_orders],
        "notices": [_notice(notice) for notice in record.notices],
    }


def _failure(result: RunFailed) -> Mapping[str, Any]:
    return {
        "state": result.state,
        "reason": result.reason,
        "detail": result.detail,
        "missing": list(result.missing),
    }


def _strategy(record: RunRecord, name: str) -> Mapping[str, Any]:
    answer, path = record.answers.get(name), record.decisions.get(name, {})
    evaluated = answer if isinstance(answer, StrategyEvaluated) else None
    failed = answer if isinstance(answer, StrategyFailed) else None
    return {
        "strategy": name,
        "allocation": str(record.run.allocations[name]),
        "weights": _texts(evaluated.weights) if evaluated else None,
        "cash": str(evaluated.cash) if evaluated else None,
        "failure": {"reason": failed.reason, "detail": failed.detail} if failed else None,
        "path_ref": evaluated.path_ref if evaluated else None,
        "summary": summary(path),
        "steps": [{"text": step.text, "fragile": step.is_fragile} for step in sentences(path)],
    }


def _plan(plan: RebalancePlan) -> Mapping[str, Any]:
    content = plan.to_content()
    del content["run_id"], content["decisions"]
    decisions = [
        decision.to_content()
        | {"trade_id": trade_id(plan.run_id, decision.side, decision.symbol) if decision.side else None}
        for decision in plan.decisions
    ]
    return {**content, "decisions": decisions}


def _releases(record: RunRecord) -> list[Mapping[str, Any]]:
    return [{"phase": state.value, **release.to_content()} for state, release in record.phases.items()]


def _trade(trade: TradeRecord, stage: str) -> Mapping[str, Any]:
    outcome, decision = trade.outcome, trade.decision
    failed = outcome if isinstance(outcome, TradeFailed) else None
    return {
        "trade_id": trade.trade_id,
        "symbol": decision.symbol,
        "side": decision.side,
        "planned": str(decision.quantity),
        "released": None if trade.released is None else str(trade.released),
        "filled": None if outcome is None else str(outcome.filled_quantity),
        "state": _state(trade),
        "reason": trade.refusal.reason if trade.refusal else failed.reason if failed else None,
        "detail": trade.refusal.detail if trade.refusal else failed.detail if failed else None,
        "unsettled": failed.unsettled if failed else False,
        "orders": [order_json(order, stage) for order in trade.orders],
        "ledger": [_entry(entry) for entry in trade.ledger],
    }


def _state(trade: TradeRecord) -> str:
    if trade.refusal is not None:
        return "refused"
    if trade.outcome is None:
        return "not released" if trade.released is None else "outstanding"
    return "failed" if isinstance(trade.outcome, TradeFailed) else "filled"


def _entry(entry: LedgerEntry) -> Mapping[str, Any]:
    return {
        "order_id": entry.order_id,
        "client_order_id": entry.client_order_id,
        "filled_at": entry.filled_at.isoformat(),
        "quantity": str(entry.quantity),
        "price": str(entry.price),
        "cash": str(entry.cash),
        "attribution": _texts(entry.attribution),
    }


def _notice(notice: Notice) -> Mapping[str, Any]:
    return {
        "message_id": notice.message_id,
        "published": notice.is_published,
        "mail": _delivery(notice.mail),
        "topic": _delivery(notice.topic),
    }


def _delivery(delivery: Delivery) -> Mapping[str, Any]:
    return {"sent": delivery.is_sent, "unanswered": delivery.unanswered}


def _texts(numbers: Mapping[str, Decimal]) -> Mapping[str, str]:
    return {name: str(number) for name, number in sorted(numbers.items())}


def _nested(numbers: Mapping[str, Mapping[str, Decimal]]) -> Mapping[str, Mapping[str, str]]:
    return {name: _texts(inner) for name, inner in sorted(numbers.items())}

"""Convert what the options of a backtest asked for besides to JSON values: split, comparison, robustness. Pure."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from desk.backtest.analysis.comparison import Comparison
from desk.backtest.analysis.robustness import DEFINITION, Robustness, Variant
from desk.backtest.analysis.split import Split

Document = Mapping[str, Any]


def split(split: Split) -> Document:
    """Return the statistics of each curve in sample and out of sample."""
    return {
        "date": split.day.isoformat(),
        "sessions": {"in_sample": split.sessions[0], "out_of_sample": split.sessions[1]},
        "statistics": {
            curve.name: {"in_sample": asdict(curve.in_sample), "out_of_sample": asdict(curve.out_of_sample)}
            for curve in split.curves
        },
    }


def comparison(comparison: Comparison) -> Document:
    """Return the statistics of both backtests on their common sessions."""
    days = comparison.different_days
    return {
        "with": comparison.name,
        "start": comparison.ours.dates[1].isoformat(),
        "end": comparison.ours.dates[-1].isoformat(),
        "sessions": comparison.sessions,
        "same_sessions": comparison.is_whole,
        "statistics": {"this": asdict(comparison.ours.statistics), "other": asdict(comparison.theirs.statistics)},
        "trades": {"this": comparison.trades[0], "other": comparison.trades[1]},
        "costs": {"this": str(comparison.costs[0]), "other": str(comparison.costs[1])},
        "sessions_with_different_weights": len(days),
        "first_different_weights": days[0].isoformat() if days else None,
    }


def robustness(robustness: Robustness) -> Document:
    """Return the variants and the verdicts."""
    return {
        "verdict": robustness.verdict,
        "definition": DEFINITION,
        "starts": {"verdict": robustness.starts_verdict, "variants": _variants(robustness.starts, "sessions_later")},
        "costs": {"verdict": robustness.costs_verdict, "variants": _variants(robustness.costs, "costs_bps")},
        "cagr_per_basis_point": robustness.cost_per_basis_point,
    }


def _variants(variants: tuple[Variant, ...], name: str) -> list[Document]:
    return [{name: int(variant.value), "statistics": asdict(variant.statistics)} for variant in variants]

"""Judge how much the result of a backtest depends on its first session and on its trading costs. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from desk.backtest.statistics import Statistics

SHIFTS = (0, 1, 2, 3, 4, 5)
"""How many sessions later than requested a variant begins: up to a week."""

COSTS_BPS = tuple(Decimal(bps) for bps in (0, 1, 2, 5, 10, 15, 20))
"""The costs of the variants, in basis points per side."""

_SENSITIVE, _FRAGILE = 0.25, 0.5

DEFINITION = (
    "robust: in every variant, CAGR and Sharpe ratio keep at least three quarters of their value; "
    "sensitive: at least half; fragile: less than half"
)


class Verdict(StrEnum):
    """How much a result depends on what was varied."""

    ROBUST = "robust"
    SENSITIVE = "sensitive"
    FRAGILE = "fragile"
    UNDECIDED = "not judged"


@dataclass(frozen=True, slots=True)
class Variant:
    """A backtest that differs in one respect.

    Attributes:
        label: what differs, in words.
        value: sessions by which it starts later, or its costs in basis points.
        statistics: of the sessions that all variants of its kind have.
    """

    label: str
    value: Decimal
    statistics: Statistics


@dataclass(frozen=True, slots=True)
class Robustness:
    """The variants of a backtest, and the verdicts on them.

    Attributes:
        starts: by the number of sessions that they start later; the first is not shifted.
        costs: by costs, ascending.
        costs_verdict: on the variants up to the highest costs, compared with the backtest's own costs.
    """

    starts: tuple[Variant, ...]
    starts_verdict: Verdict
    costs: tuple[Variant, ...]
    costs_verdict: Verdict

    @property
    def verdict(self) -> Verdict:
        """Return the worse of the two verdicts."""
        order = (Verdict.ROBUST, Verdict.SENSITIVE, Verdict.UNDECIDED, Verdict.FRAGILE)
        return max(self.starts_verdict, self.costs_verdict, key=order.index)

    @property
    def cost_per_basis_point(self) -> float | None:
        """Return the part of the CAGR, a fraction per year, that each basis point of costs takes on average."""
        free, dear = self.costs[0], self.costs[-1]
        if free.statistics.cagr is None or dear.statistics.cagr is None:
            return None
        return (free.statistics.cagr - dear.statistics.cagr) / float(dear.value - free.value)


def judge(base: Statistics, variants: Sequence[Statistics]) -> Verdict:
    """Compare variants with a base; a base that does not earn anything cannot be judged.

    See `DEFINITION`. Variants that are better than the base count as equal to it.
    """
    if base.cagr is None or base.cagr <= 0 or base.sharpe is None or base.sharpe <= 0:
        return Verdict.UNDECIDED

    kept = [1.0]
    for variant in variants:
        kept += [(variant.cagr or 0.0) / base.cagr, (variant.sharpe or 0.0) / base.sharpe]

    lost = 1 - min(kept)
    if lost > _FRAGILE:
        return Verdict.FRAGILE
    return Verdict.SENSITIVE if lost > _SENSITIVE else Verdict.ROBUST

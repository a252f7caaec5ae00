"""Strategies and prices for property tests: every operator, ties, symbols that begin late and miss sessions."""

from datetime import date
from itertools import pairwise

import numpy as np
from hypothesis import strategies as st

from the_alchemiser.strategy_v2.history import DAY, PriceHistory

SYMBOLS = ("AAA", "BBB", "CCC", "DDD")
SESSIONS = 30
_FIRST = np.datetime64("2021-01-04")

_WINDOWS = st.integers(1, 5)
_SYMBOL = st.sampled_from(SYMBOLS)
_ONE_WINDOW = (
    "rsi",
    "moving-average-price",
    "moving-average-return",
    "exponential-moving-average-price",
    "cumulative-return",
    "max-drawdown",
)


def settings_of(kind: str, windows: tuple[int, int, int]) -> str:
    short, long, smooth = windows
    if kind == "percentage-price-oscillator":
        return f"{{:short-window {short} :long-window {long}}}"
    if kind == "percentage-price-oscillator-signal":
        return f"{{:short-window {short} :long-window {long} :smooth-window {smooth}}}"
    return f"{{:window {short + 1 if kind.startswith('stdev') else short}}}"


KINDS = (
    *_ONE_WINDOW,
    "stdev-return",
    "stdev-price",
    "percentage-price-oscillator",
    "percentage-price-oscillator-signal",
)
INDICATORS = st.builds(
    lambda kind, windows: (kind, settings_of(kind, windows)),
    st.sampled_from(KINDS),
    st.tuples(_WINDOWS, _WINDOWS, _WINDOWS),
)
VALUES = st.one_of(
    st.sampled_from(("0", "50", "100", "99.5", "-1.25")),
    st.builds(lambda symbol: f'(current-price "{symbol}")', _SYMBOL),
    st.builds(lambda indicator, symbol: f'({indicator[0]} "{symbol}" {indicator[1]})', INDICATORS, _SYMBOL),
)
CONDITIONS = st.builds(
    lambda sign, left, right: f"({sign} {left} {right})", st.sampled_from((">", "<", ">=", "<=", "=")), VALUES, VALUES
)
ASSETS = st.builds(lambda symbol: f'(asset "{symbol}" nil)', _SYMBOL)


def _block(nodes: list[str]) -> str:
    return f"[{' '.join(nodes)}]"


def _specified(nodes: list[str], cuts: list[int]) -> str:
    parts = [cut / 10 for cut in (*cuts[: len(nodes) - 1], 10)][: len(nodes)]
    bounds = [0.0, *sorted(parts)]
    widths = [high - low for low, high in pairwise(bounds)]
    return f"(weight-specified {' '.join(f'{width!r} {node}' for width, node in zip(widths, nodes, strict=True))})"


def _composites(nodes: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    lists = st.lists(nodes, min_size=1, max_size=4)
    blocks = lists.map(_block)
    return st.one_of(
        st.builds("(weight-equal {})".format, blocks),
        st.builds(_specified, lists, st.lists(st.integers(0, 10), min_size=3, max_size=3)),
        st.builds("(weight-inverse-volatility {} {})".format, st.integers(2, 5), blocks),
        st.builds('(group "g" {})'.format, blocks),
        st.builds("(if {} {} {})".format, CONDITIONS, blocks, blocks),
        st.builds(
            lambda indicator, end, count, block: (
                f"(filter ({indicator[0]} {indicator[1]}) (select-{end} {count}) {block})"
            ),
            INDICATORS,
            st.sampled_from(("top", "bottom")),
            st.integers(1, 3),
            blocks,
        ),
    )


NODES = st.recursive(ASSETS, _composites, max_leaves=8)
RULES = st.sampled_from(
    (
        *(":rebalance-frequency :daily",) * 3,
        ":rebalance-frequency :weekly",
        ":rebalance-frequency :monthly",
        ":rebalance-threshold 0.02",
    )
)


def file_of(node: str, rule: str = ":rebalance-frequency :daily") -> str:
    return f'(defsymphony "Tested" {{:asset-class "EQUITIES", {rule}}} {node})'


FILES = st.builds(file_of, NODES, RULES)


def sessions(count: int) -> tuple[date, ...]:
    """Weekdays from Monday 2021-01-04."""
    return tuple(np.busday_offset(_FIRST, np.arange(count)).astype(DAY).tolist())


@st.composite
def histories(draw: st.DrawFn) -> PriceHistory:
    dates = np.array(sessions(SESSIONS), dtype=DAY)
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    # Coarse steps make ties, and stretches on which nothing moves.
    step = draw(st.sampled_from((0.01, 1.0, 10.0)))
    series = {}
    for symbol in SYMBOLS:
        closes = np.maximum(np.round((100 + np.cumsum(random.normal(0, 2, SESSIONS))) / step), 1) * step
        kept = np.arange(SESSIONS) >= draw(st.sampled_from((0, 0, 0, 5, SESSIONS)))
        for hole in draw(st.lists(st.integers(0, SESSIONS - 1), max_size=1)):
            kept[hole] = False
        series[symbol] = np.where(kept, closes, np.nan)
    return PriceHistory(dates, series)

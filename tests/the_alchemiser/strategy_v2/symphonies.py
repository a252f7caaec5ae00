"""Strategies and prices for property tests: all operators, ties, symbols that start late or miss sessions."""

from datetime import date
from itertools import pairwise

import numpy as np
from hypothesis import strategies as st
from msgspec.structs import replace

from the_alchemiser.shared.symphony.options import Decide, RsiMethod, StrategyOptions
from the_alchemiser.strategy_v2.arrays import Bools, Floats
from the_alchemiser.strategy_v2.history import DAY, PriceHistory

SYMBOLS = ("AAA", "BBB", "CCC", "DDD")
SESSIONS = 30
# Thirty weekdays from these days cross ends of months, quarters and years; the last one starts in mid-week.
_FIRSTS = ("2021-01-04", "2021-03-15", "2020-12-10", "2021-06-17")

_WINDOWS = st.one_of(st.integers(1, 5), st.integers(1, 12))
_FEW = st.integers(1, 3)
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
_COMPARISONS = st.builds(
    lambda sign, left, right: f"({sign} {left} {right})", st.sampled_from((">", "<", ">=", "<=", "=")), VALUES, VALUES
)
_JUNCTIONS = st.sampled_from(("any", "all"))


def _compounds(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    joined = st.lists(parts, min_size=1, max_size=3).map(" ".join)
    return st.builds("({} {})".format, _JUNCTIONS, joined)


CONDITIONS = st.one_of(_COMPARISONS, _COMPARISONS, st.recursive(_compounds(_COMPARISONS), _compounds, max_leaves=5))
_HOLDING = st.builds(lambda symbol: f'(asset "{symbol}" nil)', _SYMBOL)
ASSETS = st.one_of(*(_HOLDING,) * 5, st.just("(empty)"))


def _block(nodes: list[str]) -> str:
    return f"[{' '.join(nodes)}]"


def _specified(nodes: list[str], cuts: list[int]) -> str:
    parts = [cut / 10 for cut in (*cuts[: len(nodes) - 1], 10)][: len(nodes)]
    bounds = [0.0, *sorted(parts)]
    widths = [high - low for low, high in pairwise(bounds)]
    return f"(weight-specified {' '.join(f'{width!r} {node}' for width, node in zip(widths, nodes, strict=True))})"


def _filters(blocks: st.SearchStrategy[str], counts: st.SearchStrategy[int]) -> st.SearchStrategy[str]:
    return st.builds(
        lambda indicator, end, count, block: f"(filter ({indicator[0]} {indicator[1]}) (select-{end} {count}) {block})",
        INDICATORS,
        st.sampled_from(("top", "bottom")),
        counts,
        blocks,
    )


def _composites(nodes: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    lists = st.lists(nodes, min_size=1, max_size=4)
    blocks = lists.map(_block)
    return st.one_of(
        st.builds("(weight-equal {})".format, blocks),
        st.builds(_specified, lists, st.lists(st.integers(0, 10), min_size=3, max_size=3)),
        st.builds("(weight-inverse-volatility {} {})".format, st.integers(2, 5), blocks),
        st.builds('(group "g" {})'.format, blocks),
        st.builds("(if {} {} {})".format, CONDITIONS, blocks, blocks),
        _filters(blocks, st.integers(1, 3)),
    )


NODES = st.recursive(ASSETS, _composites, max_leaves=10)
_SMALL = st.recursive(ASSETS, _composites, max_leaves=3)
# Conditions that are true on some days and false on others, and defined early.
_LIVELY = st.one_of(
    st.builds('(> (current-price "{0}") (moving-average-price "{0}" {{:window {1}}}))'.format, _SYMBOL, _FEW),
    st.builds('(> (cumulative-return "{}" {{:window {}}}) 0)'.format, _SYMBOL, _FEW),
)
_LIVELY_PARTS = st.builds("({} {} {})".format, _JUNCTIONS, _LIVELY, st.one_of(_LIVELY, _COMPARISONS))
_SWITCHING = st.builds("(if {} [{}] [{}])".format, st.one_of(_LIVELY, _LIVELY, _LIVELY_PARTS), _SMALL, _SMALL)
_RANKED = _filters(st.lists(st.one_of(_SWITCHING, _SWITCHING, _SMALL), min_size=2, max_size=3).map(_block), st.just(1))
_LAZY = st.builds("(if {} [{}] [{}])".format, _LIVELY, st.one_of(_SWITCHING, _RANKED), _SMALL)
RULES = st.sampled_from(
    (
        *(":rebalance-frequency :daily",) * 4,
        ":rebalance-frequency :weekly",
        ":rebalance-frequency :monthly",
        ":rebalance-frequency :quarterly",
        ":rebalance-frequency :yearly",
        ":rebalance-threshold 0.02",
        ":rebalance-threshold 0.1",
    )
)
OPTIONS = st.builds(StrategyOptions, st.sampled_from(RsiMethod), st.sampled_from((1, 1, 0)), st.sampled_from(Decide))


def file_of(node: str, rule: str = ":rebalance-frequency :daily") -> str:
    return f'(defsymphony "Tested" {{:asset-class "EQUITIES", {rule}}} {node})'


FILES = st.builds(file_of, st.one_of(NODES, NODES, _RANKED, _LAZY), RULES)


def sessions(count: int, *, first: str = _FIRSTS[0]) -> tuple[date, ...]:
    """Return weekdays, from Monday 2021-01-04 by default."""
    return tuple(np.busday_offset(np.datetime64(first), np.arange(count)).astype(DAY).tolist())


@st.composite
def histories(draw: st.DrawFn) -> PriceHistory:
    dates = np.array(sessions(SESSIONS, first=draw(st.sampled_from(_FIRSTS))), dtype=DAY)
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    # Coarse steps produce ties and stretches without moves.
    step = draw(st.sampled_from((0.01, 1.0, 10.0)))
    series: dict[str, Floats] = {}
    for symbol in SYMBOLS:
        closes = np.maximum(np.round((100 + np.cumsum(random.normal(0, 2, SESSIONS))) / step), 1) * step
        if series and draw(st.integers(0, 5)) == 0:
            closes = 2 * np.nan_to_num(next(iter(series.values())), nan=50.0)
        series[symbol] = np.where(_present(draw), closes, np.nan)
    return PriceHistory(dates, series)


def _present(draw: st.DrawFn) -> Bools:
    """Draw which bars exist: most symbols have all; others start late, end early, or miss a few or all."""
    kept = np.arange(SESSIONS) >= draw(st.sampled_from((0, 0, 0, 0, 0, 5, 16, SESSIONS)))
    kept &= np.arange(SESSIONS) < draw(st.sampled_from((*(SESSIONS,) * 6, SESSIONS - 3)))
    kept[draw(st.lists(st.integers(0, SESSIONS - 1), max_size=draw(st.sampled_from((0, 0, 1, 2)))))] = False
    return kept


def without_cache(history: PriceHistory) -> PriceHistory:
    """Return the same bars with an empty indicator cache."""
    return replace(history)

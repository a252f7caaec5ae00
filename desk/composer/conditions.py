"""Convert the conditions and indicators of an export."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from desk.composer.elements import Element, Opened, Reading, fold, shown
from the_alchemiser.shared.symphony.operators import DEEPEST_CONDITION, nesting_of
from the_alchemiser.shared.symphony.tree import (
    Comparison,
    Compound,
    Condition,
    CurrentPrice,
    Indicator,
    IndicatorKind,
    IndicatorOf,
    Junction,
    Number,
    Predicate,
    Value,
    window_keys,
)

_COMPARISONS = {
    "gt": Comparison.GREATER,
    "gte": Comparison.GREATER_OR_EQUAL,
    "lt": Comparison.LESS,
    "lte": Comparison.LESS_OR_EQUAL,
    "eq": Comparison.EQUAL,
}
INDICATORS = {
    "relative-strength-index": IndicatorKind.RSI,
    "moving-average-price": IndicatorKind.MOVING_AVERAGE_PRICE,
    "moving-average-return": IndicatorKind.MOVING_AVERAGE_RETURN,
    "exponential-moving-average-price": IndicatorKind.EXPONENTIAL_MOVING_AVERAGE_PRICE,
    "cumulative-return": IndicatorKind.CUMULATIVE_RETURN,
    "standard-deviation-return": IndicatorKind.STDEV_RETURN,
    "standard-deviation-price": IndicatorKind.STDEV_PRICE,
    "max-drawdown": IndicatorKind.MAX_DRAWDOWN,
    "percentage-price-oscillator": IndicatorKind.PPO,
    "percentage-price-oscillator-signal": IndicatorKind.PPO_SIGNAL,
}
_CURRENT_PRICE = "current-price"
_FUNCTIONS: Mapping[str, IndicatorKind | None] = {**INDICATORS, _CURRENT_PRICE: None}
_JUNCTIONS = {str(junction): junction for junction in Junction}
_EACH_TICKER = "%"
_CONDITION_KEYS = frozenset({"condition-type", "operator", "conditions", "tickers", "lhs", "comparator", "rhs", "id"})
_OPERAND_KEYS = frozenset({"fn", "params", "window-days", "ticker", "constant"})
_PRICE_RANKING = Indicator(IndicatorKind.MOVING_AVERAGE_PRICE, (1,))
"""The average over one session is the price itself; of a group, its index."""


class Keys(NamedTuple):
    """The keys under which an object has an indicator; an export has either the parameters or the days."""

    function: str
    parameters: str
    days: str
    ticker: str


LEFT = Keys("lhs-fn", "lhs-fn-params", "lhs-window-days", "lhs-val")
RIGHT = Keys("rhs-fn", "rhs-fn-params", "rhs-window-days", "rhs-val")
RANKING = Keys("sort-by-fn", "sort-by-fn-params", "sort-by-window-days", "")
_OPERAND = Keys("fn", "params", "window-days", "ticker")


def convert_condition(reading: Reading, branch: Element) -> Predicate | None:
    """Convert the condition of an if-child.

    Newer exports have it as an object of its own, and repeat a part of it in the keys of older ones.
    """
    block = branch.get("condition")
    if block is not None:
        return fold(block, lambda element: _opened(reading, element))
    comparison = reading.choice(branch, "comparator", _COMPARISONS)
    left = _value(reading, branch, LEFT)
    is_fixed = _is_fixed(reading, branch)
    right = _constant(reading, branch, "rhs-val") if is_fixed else _value(reading, branch, RIGHT)
    return _compared(comparison, left, right)


def convert_indicator(reading: Reading, node: Element, keys: Keys) -> Indicator | None:
    """Convert an indicator without its symbol, by which a filter ranks."""
    function = reading.text(node, keys.function, "the name of an indicator")
    if function == _CURRENT_PRICE:
        return _PRICE_RANKING
    kind = reading.choice(node, keys.function, _FUNCTIONS) if function is not None else None
    return None if kind is None else _with_windows(reading, node, keys, kind)


def _is_fixed(reading: Reading, branch: Element) -> bool:
    """Return whether an older condition compares with a number; it may still name the indicator chosen before."""
    flag = reading.flag(branch, "rhs-fixed-value?")
    return branch.get("rhs-fn") is None if flag is None else flag


def _opened(reading: Reading, element: Element) -> Opened[Predicate]:
    reading.note_unknown_keys(element, _CONDITION_KEYS)
    kinds = {"binary": _binary, "binary-compound": _for_each_ticker, "compound": _compound}
    open_kind = reading.choice(element, "condition-type", kinds)
    if open_kind is not None:
        return open_kind(reading, element)
    conditions = element.get("conditions")
    return Opened(conditions.items() if conditions else (), None)


def _binary(reading: Reading, element: Element) -> Opened[Predicate]:
    condition = _comparison(reading, element, None)
    return Opened((), None if condition is None else lambda _: condition)


def _for_each_ticker(reading: Reading, element: Element) -> Opened[Predicate]:
    tickers = reading.listed(element, "tickers", "a ticker")
    combine = _combination(reading, element)
    conditions = [_comparison(reading, element, ticker) for ticker in tickers]
    complete: tuple[Predicate, ...] = tuple(condition for condition in conditions if condition is not None)
    if combine is None or not complete or len(complete) < len(conditions):
        return Opened((), None)
    return Opened((), lambda _: complete[0] if len(complete) == 1 else combine(complete))


def _compound(reading: Reading, element: Element) -> Opened[Predicate]:
    parts = reading.listed(element, "conditions", "a condition")
    combine = _combination(reading, element)
    return Opened(parts, combine if parts else None)


def _combination(reading: Reading, element: Element) -> Callable[[tuple[Predicate, ...]], Predicate | None] | None:
    """Return how to combine some conditions."""
    junction = reading.choice(element, "operator", _JUNCTIONS)
    if junction is None:
        return None

    def combine(parts: tuple[Predicate, ...]) -> Predicate | None:
        if max(map(nesting_of, parts)) == DEEPEST_CONDITION:
            reading.refuse(
                element, f"found conditions nested more than {DEEPEST_CONDITION} deep, expected at most that many"
            )
            return None
        return Compound(junction, parts)

    return combine


def _comparison(reading: Reading, element: Element, ticker: Element | None) -> Condition | None:
    """Convert one comparison; `ticker` is the symbol that stands for "%", if there is one."""
    comparison = reading.choice(element, "comparator", _COMPARISONS)
    return _compared(comparison, _side(reading, element, "lhs", ticker), _side(reading, element, "rhs", ticker))


def _compared(comparison: Comparison | None, left: Value | None, right: Value | None) -> Condition | None:
    if comparison is None or left is None or right is None:
        return None
    return Condition(comparison, left, right)


def _side(reading: Reading, element: Element, key: str, ticker: Element | None) -> Value | None:
    side = reading.required(element, key, 'an indicator {"fn", "params", "ticker"} or {"constant"}')
    if side is None:
        return None
    reading.note_unknown_keys(side, _OPERAND_KEYS)
    if side.get("constant") is not None:
        return _constant(reading, side, "constant")
    return _value(reading, side, _OPERAND, ticker)


def _constant(reading: Reading, node: Element, key: str) -> Number | None:
    number = reading.number(node, key)
    return None if number is None else Number(float(number))


def _value(reading: Reading, node: Element, keys: Keys, ticker: Element | None = None) -> Value | None:
    function = reading.text(node, keys.function, "the name of an indicator")
    kind = reading.choice(node, keys.function, _FUNCTIONS) if function is not None else None
    symbol = _symbol(reading, node, keys, ticker)
    if function == _CURRENT_PRICE:
        return None if symbol is None else CurrentPrice(symbol)
    indicator = None if kind is None else _with_windows(reading, node, keys, kind)
    return None if indicator is None or symbol is None else IndicatorOf(indicator, symbol)


def _symbol(reading: Reading, node: Element, keys: Keys, ticker: Element | None) -> str | None:
    named = node.get(keys.ticker)
    if ticker is not None and named is not None and named.value == _EACH_TICKER:
        return reading.symbol_in(ticker)
    return reading.symbol(node, keys.ticker)


def _with_windows(reading: Reading, node: Element, keys: Keys, kind: IndicatorKind) -> Indicator | None:
    names = window_keys(kind)
    parameters, days = node.get(keys.parameters), node.get(keys.days)
    days = None if days is None or days.value == "" else days
    if parameters is None or (days is not None and not parameters.keys):
        if days is None or len(names) > 1:
            usage = ", ".join(f'"{name}": N' for name in names)
            reading.refuse(node, f"{keys.parameters} is missing, expected {{{usage}}}")
            return None
        window = reading.count(node, keys.days, "a window in days")
        return None if window is None else Indicator(kind, (window,))

    for key in parameters.keys:
        if key not in names:
            reading.refuse(parameters, f"found the parameter {shown(key)}, expected {', '.join(names)}")
    windows = tuple(reading.count(parameters, name, "a window in days") for name in names)
    _note_disagreement(reading, days, windows)
    complete = tuple(window for window in windows if window is not None)
    return Indicator(kind, complete) if len(complete) == len(names) else None


def _note_disagreement(reading: Reading, days: Element | None, windows: tuple[int | None, ...]) -> None:
    if days is not None and len(windows) == 1 and str(days.value) != str(windows[0]):
        remark = f"{days.path} is {shown(days.value)}; the newer parameters say {windows[0]}, which is used"
        reading.remarks.append(remark)

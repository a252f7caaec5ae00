"""Every operator worked out by hand: the closes, the expected weights, and the reason for them.

Sessions are weekdays from Monday 2021-01-04, and the last one is decided. In RISING, A rises by 10 % twice, B falls by
10 % twice, and C moves by +1 % and -1 %.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from tests.the_alchemiser.strategy_v2.cases import asset
from the_alchemiser.shared.symphony.options import RsiMethod, StrategyOptions

DAILY = ":rebalance-frequency :daily"
WEEKLY = ":rebalance-frequency :weekly"
MONTHLY = ":rebalance-frequency :monthly"
THRESHOLD = ":rebalance-threshold 0.1"
A, B, C, NONE = map(asset, ("A", "B", "C", "NONE"))
MANY = tuple(map("".join, product("ZYXW", "ABCDEFGHIJ")))
THIRDS = {"A": 0.333333334, "B": 0.333333333, "C": 0.333333333}

Closes = Mapping[str, Sequence[float | None]]
RISING: Closes = {"A": (100, 110, 121), "B": (100, 90, 81), "C": (100, 101, 99.99)}


@dataclass(frozen=True, slots=True)
class Golden:
    """A node, its expected weights, and the reason for them."""

    node: str
    weights: Mapping[str, float]
    why: str
    closes: Closes = field(default_factory=lambda: RISING)
    rule: str = DAILY
    options: StrategyOptions = field(default_factory=StrategyOptions)


def holds(condition: str, why: str, closes: Closes = RISING, options: StrategyOptions | None = None) -> Golden:
    """Return a case of an `if` whose condition is true: it holds A."""
    return Golden(f"(if {condition} [{A}] [{B}])", {"A": 1}, why, closes, options=options or StrategyOptions())


def fails(condition: str, why: str, closes: Closes = RISING) -> Golden:
    """Return a case of an `if` whose condition is false: it holds B."""
    return Golden(f"(if {condition} [{A}] [{B}])", {"B": 1}, why, closes)


WEIGHTS = (
    Golden(A, {"A": 1}, "an asset holds its symbol with weight 1"),
    Golden(
        f"(weight-equal [{A} (weight-equal [{A} {B}])])",
        {"A": 0.75, "B": 0.25},
        "two direct children get a half each, whatever they hold; the inner one splits its half again",
    ),
    Golden(f"(weight-equal [{A} {A} {B}])", {"A": 2 / 3, "B": 1 / 3}, "a child that occurs twice counts twice"),
    Golden(f"(weight-equal [{A} {B} {C}])", THIRDS, "the last unit of 1e-9 goes to the symbol first in the alphabet"),
    Golden(
        f'(weight-specified 0.8 (group "g" [{A} {B}]) 0.2 {C})',
        {"A": 0.4, "B": 0.4, "C": 0.2},
        "0.8 of the group, which is half and half",
    ),
    Golden(
        f"(weight-specified 0.3333333 {A} 0.3333333 {B} 0.3333333 {C})",
        THIRDS,
        "0.9999999 is within 1e-6 of 1 and is normalised",
    ),
    Golden(f"(weight-specified 1 {A} 0 {NONE})", {"A": 1}, "a child of weight 0 needs no data"),
    Golden(f'(group "g" [{A} {B}])', {"A": 0.5, "B": 0.5}, "a block of two is weighted equally"),
    Golden(
        f"(weight-inverse-volatility 2 [{A} {B}])",
        {"A": 2 / 3, "B": 1 / 3},
        "returns of A +1 -1, of B +2 -2 percent: half the stdev, twice the weight",
        {"A": (100, 101, 99.99), "B": (100, 102, 99.96)},
    ),
    Golden(
        f'(weight-inverse-volatility 2 [(group "g" [{A} {B}]) {C}])',
        {"A": 1 / 6, "B": 1 / 6, "C": 2 / 3},
        "the group is half A, which returns +4 -4, and half B, which is flat: +2 -2, twice the stdev of C",
        {"A": (100, 104, 99.84), "B": (100, 100, 100), "C": (100, 101, 99.99)},
    ),
    Golden(
        f"(weight-inverse-volatility 2 [{A} (filter (cumulative-return {{:window 1}}) (select-top 1) [{B} {C}])])",
        {"A": 0.5, "B": 0.5},
        "on day 2 the filter holds C and earns +1 %, on day 3 B and earns -1 %: the stdev of A",
        {"A": (100, 100, 101, 99.99), "B": (100, 100, 102, 100.98), "C": (100, 101, 102.01, 100)},
    ),
)
CONDITIONS = (
    holds('(> (current-price "A") (current-price "B"))', "121 is above 81"),
    fails('(< (current-price "A") 121)', "121 is not below 121"),
    holds('(<= (current-price "A") 121)', "121 is at most 121"),
    holds('(>= 121 (current-price "A"))', "a number may stand on the left"),
    fails('(> (current-price "A") 121)', "121 is not above 121"),
    holds(
        '(= (current-price "A") (current-price "B"))',
        "0.1 + 0.2 and 0.3 differ in the last bit, not in eight decimals",
        {"A": (0.1 + 0.2,), "B": (0.3,)},
    ),
    fails('(= (current-price "A") 121.00000001)', "one unit of the eighth decimal is a difference"),
    fails("(> 1 2)", "a constant condition"),
    Golden(f"(if (> 2 1) [{A} {B}] [{C}])", {"A": 0.5, "B": 0.5}, "a branch of several nodes is weighted equally"),
    holds('(> (current-price "A") 1)', "the branch not taken has no data and needs none", {"A": (2,), "B": (None,)}),
)
COMPOUNDS = (
    holds('(any (> (current-price "A") 200) (> (current-price "A") 120))', "the second part holds"),
    fails('(any (> (current-price "A") 200) (< (current-price "A") 120))', "no part holds"),
    holds('(all (> (current-price "A") 100) (> (current-price "A") 120))', "both parts hold"),
    fails('(all (> (current-price "A") 100) (< (current-price "A") 120))', "the second part fails"),
    holds('(any (> (current-price "A") 200) (all (> 2 1) (< (current-price "B") 90)))', "the nested part holds"),
    holds(
        '(any (> (rsi "A" {:window 9}) 50) (> (current-price "A") 1))',
        "the part that holds settles any; the missing RSI of the other one is not needed",
    ),
    fails(
        '(all (> (rsi "A" {:window 9}) 50) (> (current-price "A") 200))',
        "the part that fails settles all; the missing RSI of the other one is not needed",
    ),
)
HALF = '(weight-equal [(asset "A" nil) (empty)])'
CASH = (
    Golden("(empty)", {}, "nothing is held"),
    Golden(f"(weight-specified 0.6 {A} 0.4 (empty))", {"A": 0.6}, "the rest stays in cash"),
    Golden(
        f"(weight-equal [{HALF} {B}])", {"A": 0.25, "B": 0.5}, "half of a half stays in cash, as for any other node"
    ),
    Golden(f"(weight-equal [{A} {B} (empty)])", {"A": 0.333333334, "B": 0.333333333}, "cash gets the last unit last"),
    Golden(
        f"(filter (cumulative-return {{:window 2}}) (select-top 1) [{B} (empty) {C}])",
        {},
        "cash made 0 %, C -0.01 %, B -19 %",
    ),
    Golden(
        f'(filter (moving-average-price {{:window 2}}) (select-top 1) [(group "g" [{HALF}]) {C}])',
        {"A": 0.5},
        "half A earns +5 % twice, half cash nothing: 100 105 110.25, a mean of 107.625 against C's 100.495",
    ),
    Golden(
        f"(weight-inverse-volatility 2 [{HALF} {C}])",
        {"A": 0.25, "C": 0.5},
        "A returns +2 -2 percent, half of it with cash +1 -1: the stdev of C",
        {"A": (100, 102, 99.96), "C": (100, 101, 99.99)},
    ),
    Golden(
        HALF,
        {"A": 2 / 3},
        "half each on Monday; by Wednesday A has doubled, and cash has not moved",
        {"A": (100, 150, 200)},
        WEEKLY,
    ),
    Golden(HALF, {"A": 120 / 220}, "0.545 is within 0.1 of a half", {"A": (100, 110, 120)}, THRESHOLD),
    Golden(HALF, {"A": 0.525 / 1.025}, "160/260 is outside; then A rises by 5 %", {"A": (100, 160, 168)}, THRESHOLD),
    Golden(
        f"(weight-specified 0.4 {A} 0.4 {B} 0.2 (empty))",
        {"A": 0.4, "B": 0.4},
        "as A and B fall by 90 %, cash alone leaves its band: 0.2/0.28 = 0.71; A and B are 0.14, and 0.26 off",
        {"A": (100, 10), "B": (100, 10)},
        ":rebalance-threshold 0.3",
    ),
    Golden(
        f'(if (> (current-price "A") 3) [{HALF}] [{A}])',
        {"A": 1},
        "0.5 is within 0.6 of 1, but the choice no longer includes cash",
        {"A": (4, 3)},
        ":rebalance-threshold 0.6",
    ),
    Golden(
        f'(if (> (current-price "A") 3) [{A}] [{HALF}])',
        {"A": 0.5},
        "1 is within 0.6 of 0.5, but cash is chosen now",
        {"A": (4, 3)},
        ":rebalance-threshold 0.6",
    ),
)
INDICATORS = (
    holds(
        '(= (rsi "A" {:window 2}) 88.88888889)',
        "changes +2 -1 +3: seeds 1 and 0.5, then (1 + 3)/2 = 2 and (0.5 + 0)/2 = 0.25: 100 * 2/2.25",
        {"A": (10, 12, 11, 14), "B": (1, 1, 1, 1)},
    ),
    holds(
        '(= (rsi "A" {:window 2}) 75)',
        "Cutler averages only the last two changes, -1 and +3: 100 * 3/4",
        {"A": (10, 12, 11, 14), "B": (1, 1, 1, 1)},
        StrategyOptions(RsiMethod.CUTLER),
    ),
    holds('(= (rsi "A" {:window 2}) 100)', "no losses"),
    holds('(= (rsi "B" {:window 2}) 0)', "no gains"),
    holds('(= (rsi "A" {:window 2}) 50)', "no moves", {"A": (7, 7, 7), "B": (1, 1, 1)}),
    holds('(= (moving-average-price "A" {:window 2}) 115.5)', "(110 + 121)/2"),
    holds('(= (moving-average-return "C" {:window 2}) 0)', "(+1 - 1)/2 percent"),
    holds(
        '(= (exponential-moving-average-price "A" {:window 3}) 4)',
        "seed (1 + 2 + 3)/3 = 2, alpha 2/(3 + 1): 2 + (6 - 2)/2",
        {"A": (1, 2, 3, 6), "B": (1, 1, 1, 1)},
    ),
    holds('(= (cumulative-return "A" {:window 2}) 21)', "121/100 - 1, in percent"),
    holds(
        '(= (stdev-return "A" {:window 2}) 14.14213562)',
        "returns +10 -10 percent about 0: sqrt((100 + 100)/1)",
        {"A": (100, 110, 99), "B": (1, 1, 1)},
    ),
    holds(
        '(= (stdev-return "A" {:window 2}) 10)',
        "with ddof 0: sqrt((100 + 100)/2)",
        {"A": (100, 110, 99), "B": (1, 1, 1)},
        StrategyOptions(ddof=0),
    ),
    holds(
        '(= (stdev-price "A" {:window 2}) 7.77817459)',
        "110 and 99 about 104.5: sqrt(2 * 5.5 * 5.5/1)",
        {"A": (100, 110, 99), "B": (1, 1, 1)},
    ),
    holds(
        '(= (max-drawdown "A" {:window 3}) 20)',
        "10 15 12: from 15 to 12; the peak of 20 lies before the window",
        {"A": (20, 10, 15, 12), "B": (1, 1, 1, 1)},
    ),
    holds('(= (max-drawdown "A" {:window 3}) 0)', "a series that only rises has no drawdown"),
    holds(
        '(= (percentage-price-oscillator "A" {:short-window 1 :long-window 2}) 20)',
        "the short average is the close, 30; the long one 15, then 15 + 2/3 * 15 = 25: (30 - 25)/25",
        {"A": (10, 20, 30), "B": (1, 1, 1)},
    ),
    holds(
        '(= (percentage-price-oscillator-signal "A" {:short-window 1 :long-window 2 :smooth-window 2}) 26.66666667)',
        "oscillators (20 - 15)/15 = 33.33 and 20 percent; the signal is seeded with their mean",
        {"A": (10, 20, 30), "B": (1, 1, 1)},
    ),
)
_BY_RETURN = "(filter (cumulative-return {:window 2})"
_BY_MEAN = "(filter (moving-average-price {:window 2})"
_CHEAP: Closes = {"A": (1, 1.1, 1.21), "B": (100, 90, 81)}
FILTERS = (
    Golden(f"{_BY_RETURN} (select-top 1) [{B} {A} {C}])", {"A": 1}, "A made 21 %, C -0.01 %, B -19 %"),
    Golden(f"{_BY_RETURN} (select-bottom 1) [{B} {A} {C}])", {"B": 1}, "B made the least"),
    Golden(f"{_BY_RETURN} (select-top 2) [{B} {A} {C}])", {"A": 0.5, "C": 0.5}, "half each"),
    Golden(f"{_BY_RETURN} (select-top 9) [{B} {A} {C}])", THIRDS, "nine of three are all three"),
    Golden(
        f"(filter (rsi {{:window 50}}) (select-top 2) [{A} {B}])",
        {"A": 0.5, "B": 0.5},
        "if all candidates are selected, no score is needed, and three bars are enough",
    ),
    Golden(
        f"(filter (cumulative-return {{:window 1}}) (select-top 2) [{C} {A} {B}])",
        {"A": 0.5, "C": 0.5},
        "all have doubled: the first two of the file are selected",
        {"A": (1, 2), "B": (3, 6), "C": (2, 4)},
    ),
    Golden(
        f"(filter (cumulative-return {{:window 1}}) (select-top 2) [{' '.join(map(asset, MANY))}])",
        {MANY[0]: 0.5, MANY[1]: 0.5},
        "a tie of forty: the first two of the file are selected",
        dict.fromkeys(MANY, (1, 2)),
    ),
    Golden(
        f"(filter (cumulative-return {{:window 1}}) (select-bottom 2) [{C} {A} {B}])",
        {"A": 0.5, "C": 0.5},
        "select-bottom also takes the first two of the file",
        {"A": (1, 2), "B": (3, 6), "C": (2, 4)},
    ),
    Golden(
        f"{_BY_MEAN} (select-top 1) [{A} {B}])", {"B": 1}, "bare assets are scored on prices: 1.155 and 85.5", _CHEAP
    ),
    Golden(
        f'{_BY_MEAN} (select-top 1) [(group "a" [{A}]) {B}])',
        {"A": 1},
        "a group of one asset is scored on its index, 100 110 121: its mean is 115.5",
        _CHEAP,
    ),
    Golden(
        f"{_BY_MEAN} (select-top 1) [(if (> 2 1) [{A}] [{B}]) {B}])",
        {"A": 1},
        "an if is not a bare asset, even if its condition is constant",
        _CHEAP,
    ),
    Golden(
        f'{_BY_RETURN} (select-top 1) [(if (> (current-price "A") 105) [{A}] [{B}]) {C}])',
        {"C": 1},
        "the if holds B on day 1 and earns -10 %, then A and earns +10 %: 100 90 99, less than C's -0.01 %",
    ),
    Golden(
        f'(filter (cumulative-return {{:window 1}}) (select-top 1) [(group "g" [{A} {B}]) {C}])',
        {"A": 0.5, "B": 0.5},
        "B starts on day 2, and with it the group's index: one return, half +10 % and half -10 %, is enough",
        {"A": (100, 110, 121), "B": (None, 90, 81), "C": (100, 101, 99.99)},
    ),
    Golden(
        f'{_BY_RETURN} (select-bottom 1) [(group "g" [{A} {B}]) {C}])',
        {"C": 1},
        "equal weights again every day: 0 % on both days, 100 100 100, against -0.01 %",
    ),
)
REBALANCING = (
    Golden(
        f"(weight-equal [{A} {B}])",
        {"A": 2 / 3, "B": 1 / 3},
        "half each on Monday; by Wednesday A has doubled",
        {"A": (100, 150, 200), "B": (10, 10, 10)},
        WEEKLY,
    ),
    Golden(
        f"(weight-equal [{A} {B}])",
        {"A": 0.5, "B": 0.5},
        "the sixth session is the Monday of the second week",
        {"A": (100, 150, 200, 300, 400, 500), "B": (10,) * 6},
        WEEKLY,
    ),
    Golden(
        f'(if (> (current-price "A") (current-price "B")) [{A}] [{B}])',
        {"A": 1},
        "the choice of the month's first session is kept for the whole month",
        {"A": (3, 1, 1, 1, 1, 1), "B": (2,) * 6},
        MONTHLY,
    ),
    Golden(
        f"(weight-equal [{A} {B}])",
        {"A": 120 / 220, "B": 100 / 220},
        "0.545 is within 0.1 of a half",
        {"A": (100, 110, 120), "B": (100, 100, 100)},
        THRESHOLD,
    ),
    Golden(
        f"(weight-equal [{A} {B}])",
        {"A": 0.525 / 1.025, "B": 0.5 / 1.025},
        "160/260 = 0.615 on Tuesday is outside: half each again; then A rises by 5 %",
        {"A": (100, 160, 168), "B": (100, 100, 100)},
        THRESHOLD,
    ),
    Golden(
        f"(weight-equal [{A} {B}])",
        {"A": 0.6, "B": 0.4},
        "150/250 is exactly 0.1 off, which is not outside",
        {"A": (100, 150), "B": (100, 100)},
        THRESHOLD,
    ),
    Golden(
        f'(if (> (current-price "A") (current-price "B")) [{A}] [{B}])',
        {"B": 1},
        "the selected assets have changed",
        {"A": (3, 2.1, 1.9), "B": (2, 2, 2)},
        THRESHOLD,
    ),
)
GOLDEN = (*WEIGHTS, *CONDITIONS, *COMPOUNDS, *CASH, *INDICATORS, *FILTERS, *REBALANCING)

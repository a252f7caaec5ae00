"""Generate strategies and prices like the public ones from a seed: large, deeply nested, and repetitive.

The largest public file has 2.2 MB and 48,740 nodes, 2,119 of them distinct, nested up to 289 levels deep.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, cycle
from typing import Any

import numpy as np

type Block = tuple[_Node, ...]
type _Part = str | _Node | Block

_LINE_WIDTH = 80
# Indentation stops here: at depth 5,000 blanks would be most of the file.
_DEEPEST_COLUMN = 6
_BYTES_PER_NODE = 45
_CHAPTERS = 20
_DEEPEST_INDEX = 2

_WINDOWS = {
    "rsi": (5, 6, 10, 14, 15, 20, 60),
    "moving-average-price": (5, 10, 20, 50, 100, 200),
    "moving-average-return": (5, 10, 20, 60, 90),
    "exponential-moving-average-price": (8, 10, 21, 50, 200),
    "cumulative-return": (1, 3, 5, 10, 20, 60, 70, 90),
    "stdev-return": (5, 6, 10, 20),
    "stdev-price": (5, 10, 20),
    "max-drawdown": (6, 10, 20, 60),
}
_LEVELS = {
    "rsi": (25, 30, 31, 32.5, 50, 70, 75, 79, 81),
    "moving-average-return": (0, 0.05, -0.05),
    "cumulative-return": (-10, -5, -1, 0, 1.5, 5, 10),
    "stdev-return": (1, 1.5, 2.5, 3),
    "max-drawdown": (2, 5, 8, 12),
    "percentage-price-oscillator": (-1, 0, 1),
}
_PRICES = ("moving-average-price", "exponential-moving-average-price")
_RANKINGS = ("rsi", "cumulative-return", "moving-average-return", "stdev-return", "stdev-price", "max-drawdown")
_FUND = ("ProShares UltraPro", "Direxion Daily", "iShares", "Vanguard", "SPDR", "Invesco")
_KIND = ("Bull 3x Shares", "Bear 3x Shares", "Treasury Bond ETF", "Select Sector Fund", "Short-Term Futures ETF", "ETF")


@dataclass(frozen=True, slots=True, eq=False)
class _Node:
    """A form of the strategy language.

    Attributes:
        parts: everything after the operator.
        size: its number of nodes when written out.
        indexed: how deeply filters and inverse volatilities over groups are nested in it.
    """

    operator: str
    parts: tuple[_Part, ...]
    size: int = 1
    indexed: int = 0


def symbol_names(count: int) -> tuple[str, ...]:
    """Return invented symbols of four letters, the same for every seed."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return tuple(f"{letters[at // 676]}{letters[at // 26 % 26]}{letters[at % 26]}X" for at in range(count))


def generate(*, seed: int, target_bytes: int, symbols: Sequence[str], depth: int = 200, distinct: int = 2000) -> str:
    """Generate the text of one strategy file.

    Args:
        target_bytes: the size of the file, met within about 5 %.
        symbols: public files have 60 to 260.
        depth: the deepest nesting, in nodes.
        distinct: the approximate number of distinct nodes.
    """
    author = _Author(random.Random(seed), symbols)  # noqa: S311 - not used for secrets
    settings = '{:asset-class "EQUITIES", :rebalance-frequency :daily}'
    head = f'(defsymphony\n "Corpus {seed}"\n {settings}\n (weight-equal\n  ['
    return f"{head}{'\n   '.join(_chapters(author, target_bytes=target_bytes, depth=depth, distinct=distinct))}]))\n"


def generate_bars(symbols: Sequence[str], days: int, seed: int) -> Mapping[str, tuple[Any, Any]]:
    """Return the (dates, closes) of each symbol: a random walk of `days` weekdays that ends on 2025-12-31."""
    noise = np.random.default_rng(seed)
    dates = np.busday_offset(np.datetime64("2025-12-31"), np.arange(1 - days, 1))
    moves = noise.normal(0.0003, 0.015, (len(symbols), days)) + noise.normal(0, 0.008, days)
    closes = np.round(noise.uniform(20, 300, (len(symbols), 1)) * np.exp(np.cumsum(moves, axis=1)), 4)
    return {symbol: (dates, np.maximum(row, 0.01)) for symbol, row in zip(symbols, closes, strict=True)}


def _chapters(author: "_Author", *, target_bytes: int, depth: int, distinct: int) -> Iterator[str]:
    chapter_nodes = max(target_bytes // _BYTES_PER_NODE // _CHAPTERS, 10)
    links = 10
    spare = max(distinct - depth - len(author.assets), 100)

    author.write_small(spare * 3 // 10, largest=12)
    author.write_medium(spare * 4 // 10, largest=chapter_nodes // links * 2)
    chapters = [author.chapter(links, largest=chapter_nodes) for _ in range(max(spare * 3 // 10 // (2 * links + 1), 1))]

    left = target_bytes
    for number, chapter in enumerate(chain([author.spine(depth - 1)], cycle(chapters))):
        text = _written(chapter, 3)
        left -= len(text)
        # Only whole chapters are written, so the size is met within half a chapter.
        if number and left < -len(text) // 2:
            return
        yield text


class _Author:
    """Writes nodes that reuse earlier nodes, as people copy parts of each other's strategies."""

    def __init__(self, chance: random.Random, symbols: Sequence[str]) -> None:
        self._chance = chance
        self._symbols = tuple(symbols)
        self.assets = tuple(_Node("asset", (f'"{symbol}"', self._asset_name())) for symbol in symbols)
        self._small: list[_Node] = list(self.assets)
        self._medium: list[_Node] = []

    def write_small(self, count: int, *, largest: int) -> None:
        """Write small nodes over assets and over each other."""
        for _ in range(count):
            known = [node for node in self._small[-300:] if node.size <= largest // 3]
            few = self._some(known, 1, 2)
            nodes = self._chance.choices(
                (self._if(self._some(known, 1, 1), few), self._over_assets(), _weighted("weight-equal", few)),
                (6, 3, 1),
            )
            self._small += nodes

    def write_medium(self, count: int, *, largest: int) -> None:
        """Write nodes over small ones: groups, and filters over groups, each around an `if` in a `weight-equal`."""
        for _ in range(count // 2):
            known = [node for node in (*self._small[-200:], *self._medium[-100:]) if node.size <= largest // 2]
            first, second = self._some(known, 1, 1), self._some(known, 1, 2)
            heart = _weighted("weight-equal", (self._if(first, second),))
            flat = tuple(node for node in (*first, *second, heart) if node.indexed < _DEEPEST_INDEX)
            if len(flat) > 1 and self._chance.random() < 0.3:
                self._medium.append(self._over_groups(flat))
            else:
                self._medium.append(self._group((heart,)))

    def chapter(self, links: int, *, largest: int) -> _Node:
        """Return a chain of conditions, each with one node and the rest of the chain as its branches."""
        last: _Node = self._chance.choice(self._medium)
        for _ in range(links):
            part = self._chance.choice([node for node in self._medium if node.size <= largest] or self._medium)
            last = _weighted("weight-equal", (self._if((part,), (last,)),))
        return self._group((last,))

    def spine(self, depth: int) -> _Node:
        """Return the most deeply nested chain of conditions, with small branches."""
        last: _Node = self._chance.choice(self.assets)
        for level in range(depth - 1):
            if level % 2:
                last = _weighted("weight-equal", (last,))
            else:
                last = self._if((self._chance.choice(self._small),), (last,))
        return last

    def _if(self, then: Block, otherwise: Block) -> _Node:
        return _node("if", (self._condition(), then, otherwise))

    def _over_assets(self) -> _Node:
        held = tuple(self._chance.sample(self.assets, self._chance.randint(3, min(8, len(self.assets)))))
        match self._chance.randrange(6):
            case 0:
                return _node("weight-inverse-volatility", (str(self._chance.choice((5, 10, 14, 20, 60))), held))
            case 1:
                return self._specified(held[:2])
            case _:
                return self._filter(held)

    def _over_groups(self, nodes: Block) -> _Node:
        groups = tuple(self._group((node,)) for node in nodes)
        if self._chance.random() < 0.3:
            node = _node("weight-inverse-volatility", (str(self._chance.choice((10, 20))), groups))
        else:
            node = self._filter(groups)
        return _Node(node.operator, node.parts, node.size, node.indexed + 1)

    def _specified(self, pair: Block) -> _Node:
        percent = self._chance.choice((20, 25, 40, 50, 60))
        return _node("weight-specified", (f"{percent / 100:g}", pair[0], f"{1 - percent / 100:g}", pair[1]))

    def _filter(self, candidates: Block) -> _Node:
        kind = self._chance.choice(_RANKINGS)
        ranking = f"({kind} {{:window {self._chance.choice(_WINDOWS[kind])}}})"
        end = self._chance.choice(("top", "bottom"))
        return _node("filter", (ranking, f"(select-{end} {self._chance.randint(1, 2)})", candidates))

    def _group(self, body: Block) -> _Node:
        names = ("Frontrunner", "KMLM switcher", "Safe haven", "Feaver", "Bond check", "Overbought", "Dip", "TQQQ FTLT")
        name = f'"{self._chance.choice(names)} v{self._chance.randint(1, 9)}.{self._chance.randint(0, 9)}"'
        return _node("group", (name, body))

    def _condition(self) -> str:
        sign = self._chance.choices((">", "<", ">=", "<=", "="), (10, 10, 2, 2, 0.1))[0]
        match self._chance.randrange(10):
            case 0 | 1:
                symbol = self._chance.choice(self._symbols)
                return f'({sign} (current-price "{symbol}") {self._indicator(self._chance.choice(_PRICES), symbol)})'
            case 2 | 3:
                kind = self._chance.choice(("rsi", "cumulative-return", "moving-average-return", "stdev-price"))
                return f"({sign} {self._indicator(kind)} {self._indicator(kind)})"
            case 4:
                kind = self._chance.choice(tuple(_LEVELS))
                return f"({sign} {self._indicator(kind)} {self._chance.choice(_LEVELS[kind])})"
            case _:
                return f"({sign} {self._indicator('rsi')} {self._chance.choice(_LEVELS['rsi'])})"

    def _indicator(self, kind: str, symbol: str | None = None) -> str:
        name = symbol or self._chance.choice(self._symbols)
        if kind != "percentage-price-oscillator":
            return f'({kind} "{name}" {{:window {self._chance.choice(_WINDOWS[kind])}}})'
        if self._chance.random() < 0.5:
            return f'({kind} "{name}" {{:short-window 12, :long-window 26}})'
        return f'({kind}-signal "{name}" {{:short-window 12, :long-window 26, :smooth-window 9}})'

    def _some(self, nodes: Sequence[_Node], least: int, most: int) -> Block:
        return tuple(self._chance.choices(nodes, k=self._chance.randint(least, most)))

    def _asset_name(self) -> str:
        return f'"{self._chance.choice(_FUND)} {self._chance.choice(_KIND)}"' if self._chance.random() < 0.4 else "nil"


def _weighted(operator: str, children: Block) -> _Node:
    return _node(operator, (children,))


def _node(operator: str, parts: tuple[_Part, ...]) -> _Node:
    nodes: list[_Node] = []
    for part in parts:
        block = part if isinstance(part, tuple) else (part,)
        nodes += [child for child in block if isinstance(child, _Node)]
    return _Node(operator, parts, 1 + sum(node.size for node in nodes), max(node.indexed for node in nodes))


def _written(root: _Node, column: int) -> str:
    """Format a node as Clojure's pprint does: parts that do not fit on a line get their own, indented by one."""
    out: list[str] = []
    pending: list[tuple[str | _Node, int]] = [(root, column)]
    while pending:
        part, at = pending.pop()
        if isinstance(part, str):
            out.append(part)
        else:
            pending.extend(reversed(list(_pieces(part, min(at, _DEEPEST_COLUMN)))))
    return "".join(out)


def _pieces(node: _Node, column: int) -> Iterator[tuple[str | _Node, int]]:
    words = [part for part in node.parts if isinstance(part, str)]
    flat = f"({node.operator} {' '.join(words)})"
    if len(words) == len(node.parts) and column + len(flat) < _LINE_WIDTH:
        yield flat, column
        return

    lead = "\n" + " " * (column + 1)
    yield f"({node.operator}", column
    for part in node.parts:
        yield lead, column
        if isinstance(part, tuple):
            yield "[", column
            for number, child in enumerate(part):
                yield f"{lead} " if number else "", column
                yield child, column + 2
            yield "]", column
        elif isinstance(part, str):
            yield _broken(part, column + 1), column
        else:
            yield part, column + 1
    yield ")", column


def _broken(condition: str, column: int) -> str:
    """Put the two sides of a condition on their own lines when it is too long for one."""
    if not condition.startswith("(") or column + len(condition) < _LINE_WIDTH:
        return condition
    sign, sides = condition.split(" ", 1)
    at = sides.find(") (")
    if at < 0:
        return condition
    lead = "\n" + " " * (column + 1)
    return f"{sign}{lead}{sides[: at + 1]}{lead}{sides[at + 2 :]}"

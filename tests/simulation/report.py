"""The report of many histories: what was tried, how often, what was violated, and whether enough was tried."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.simulation.end_state import EndState
from tests.simulation.evidence import SAFEGUARDS, safeguards_reached
from tests.simulation.invariants import check
from tests.simulation.reading import Reading, Violation
from tests.simulation.scenario import FULL_ALLOWANCE, ActKind, ConditionKind, DayKind, FaultKind, Scenario
from the_alchemiser.shared.run.runs import RunState

LEAST_TRADES = 8
# Fewer histories may miss something rare: that says nothing about the simulator then.
JUDGED_FROM = 2_000
SHOWN = 20


class Group(NamedTuple):
    """One table of the report; every name of it must be reached."""

    title: str
    names: tuple[str, ...]


GROUPS = (
    Group("days", tuple(DayKind)),
    Group("states of runs", tuple(RunState)),
    Group("faults", tuple(FaultKind)),
    Group("market conditions", tuple(ConditionKind)),
    Group("acts of people", tuple(ActKind)),
    Group(
        "other circumstances",
        ("clock skew", "late data", "real data", "odd position", "split", "margin account", "small allowance"),
    ),
    Group("safeguards reached", SAFEGUARDS),
)


class Summary(NamedTuple):
    """What one history adds to the report.

    Attributes:
        trades: how many trades were filled, in part or completely.
        reached: the names that it reached, by title of their group.
    """

    seed: int
    trades: int
    reached: Mapping[str, frozenset[str]]
    violations: tuple[Violation, ...]


def summarise(end: EndState) -> Summary:
    """Check a history, and return what it adds to the report."""
    scenario = end.scenario
    filled = {trade.trade_id for trade, _ in Reading(end).our_fills}
    reached: Mapping[str, Iterable[str]] = {
        "days": {scenario.kind},
        "states of runs": {change.change for change in end.changes},
        "faults": set(end.faults.values()),
        "market conditions": {condition.kind for condition in scenario.conditions},
        "acts of people": {act.kind for act in scenario.acts},
        "other circumstances": _circumstances(scenario),
        "safeguards reached": safeguards_reached(end),
    }
    names = {title: frozenset(map(str, group)) for title, group in reached.items()}
    return Summary(scenario.seed, len(filled), names, check(end))


def _circumstances(scenario: Scenario) -> Iterator[str]:
    circumstances = {
        "clock skew": bool(scenario.skews),
        "late data": scenario.late_data,
        "real data": scenario.real_data,
        "odd position": bool(scenario.account.odd),
        "split": bool(scenario.splits),
        "margin account": scenario.account.is_margin,
        "small allowance": scenario.requests_per_minute < FULL_ALLOWANCE,
    }
    return (name for name, is_present in circumstances.items() if is_present)


@dataclass(slots=True)
class Tally:
    """What many histories add up to, without the histories: a hundred thousand of them would not fit in memory.

    Attributes:
        trades: how many histories had so many trades.
        reached: how many histories reached each name, by title of its group.
        cases: every violation, with its seed.
    """

    histories: int = 0
    violated: int = 0
    trades: Counter[int] = field(default_factory=Counter)
    reached: dict[str, Counter[str]] = field(default_factory=lambda: {group.title: Counter() for group in GROUPS})
    cases: list[tuple[int, Violation]] = field(default_factory=list)

    def add(self, summary: Summary) -> None:
        """Count one history."""
        self.histories += 1
        self.violated += bool(summary.violations)
        self.trades[summary.trades] += 1
        for title, names in summary.reached.items():
            self.reached[title].update(names)
        self.cases.extend((summary.seed, violation) for violation in summary.violations)

    def merge(self, part: "Tally") -> None:
        """Add what other histories came to."""
        self.histories += part.histories
        self.violated += part.violated
        self.trades.update(part.trades)
        for title, counter in part.reached.items():
            self.reached[title].update(counter)
        self.cases.extend(part.cases)

    @property
    def median_trades(self) -> int:
        """Return the number of trades that half of the histories reach; 0 without histories."""
        before = 0
        for trades, histories in sorted(self.trades.items()):
            before += histories
            if before * 2 >= self.histories:
                return trades
        return 0


def counts(tally: Tally) -> Mapping[str, Mapping[str, int]]:
    """Return how many histories reached each name, by title of its group; names that none reached count 0."""
    return {group.title: {str(name): tally.reached[group.title][str(name)] for name in group.names} for group in GROUPS}


def shortcomings(tally: Tally) -> tuple[str, ...]:
    """Return what the histories did not try; empty when they tried enough."""
    reasons: list[str] = []
    for title, table in counts(tally).items():
        reasons.extend(f"{title}: no history reached {name!r}" for name, count in table.items() if count == 0)
    if tally.median_trades < LEAST_TRADES:
        reasons.append(f"the median is {tally.median_trades} trades per history, expected at least {LEAST_TRADES}")
    return tuple(reasons)


def has_failed(tally: Tally) -> bool:
    """Return whether an invariant was violated, or enough histories did not try enough."""
    return bool(tally.violated) or (tally.histories >= JUDGED_FROM and bool(shortcomings(tally)))


def render(tally: Tally, *, minutes: float, jobs: int) -> str:
    """Return the report as text.

    Args:
        minutes: how long all histories took together, by the wall clock.
        jobs: on how many cores.
    """
    lines: list[str] = []
    for title, table in counts(tally).items():
        lines.append(f"{title} (histories)")
        lines.extend(f"  {count:>7,}  {name}" for name, count in table.items())
    lines.extend(_violations(tally.cases))
    verdict = "not enough tried" if tally.histories >= JUDGED_FROM else f"not tried (judged from {JUDGED_FROM:,} on)"
    lines.extend(f"{verdict}: {reason}" for reason in shortcomings(tally))

    rate = tally.histories / minutes / jobs if minutes else 0
    lines.append(
        f"{tally.histories:,} histories, {tally.violated:,} with violations; "
        f"median {tally.median_trades} trades per history; {rate:,.0f} histories a minute per core"
    )
    return "\n".join(lines)


def _violations(cases: Iterable[tuple[int, Violation]]) -> Iterator[str]:
    """Yield each violated invariant with its first histories and the command that replays them."""
    by_invariant: dict[str, list[tuple[int, str]]] = {}
    for seed, violation in sorted(cases):
        by_invariant.setdefault(violation.invariant, []).append((seed, violation.sentence))

    for invariant, own in sorted(by_invariant.items(), key=lambda item: -len(item[1])):
        yield f"violated: {invariant} in {len({seed for seed, _ in own}):,} histories"
        for seed, sentence in own[:SHOWN]:
            yield f"  seed {seed}: {sentence}"
        yield f"  replay: {replay_command(own[0][0])}"


def replay_command(seed: int) -> str:
    """Return the command that replays a seed and shortens its history."""
    return f"nox -s simulate -- --seed {seed} --minimise"

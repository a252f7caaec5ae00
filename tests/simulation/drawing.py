"""Draws a scenario from a seed: most days are ordinary and trade; every kind of trouble is common in 2,000 seeds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from sandbox.exchange.sessions import at_new_york, session_on
from tests.simulation.book import MODULES, SYMBOLS
from tests.simulation.scenario import (
    CALL_FAULTS,
    FULL_ALLOWANCE,
    MESSAGE_FAULTS,
    AccountPlan,
    Act,
    ActKind,
    Condition,
    ConditionKind,
    DayKind,
    FaultKind,
    FaultPlan,
    OddPosition,
    Scenario,
    Split,
)

NORMAL_DAY = date(2022, 6, 15)
NEXT_DAY = date(2022, 6, 16)
HALF_DAY = date(2022, 11, 25)
DAYS: Mapping[DayKind, tuple[tuple[date, ...], ...]] = {
    DayKind.NORMAL: ((NORMAL_DAY,),),
    DayKind.HALF: ((HALF_DAY,),),
    DayKind.SPLIT: ((NORMAL_DAY,), (NORMAL_DAY, NEXT_DAY)),
    DayKind.TWO_DAYS: ((NORMAL_DAY, NEXT_DAY),),
}
_WEIGHTS_OF_DAYS = (70, 10, 10, 10)
# A run starts 15 minutes before the close; the time in which people and markets can disturb it.
_START = timedelta(minutes=15)
_AFTER = timedelta(minutes=20)
# About so many calls and messages does a history have; it turns a wanted number of faults into a rate.
_POINTS = 800
_OF_BROKER = frozenset({ConditionKind.OUTAGE, ConditionKind.UNREADABLE, ConditionKind.BUSY})
_SPLITS = ((1, 2), (1, 10), (10, 1), (3, 2))
# A few symbols only, because the lake of each split is prepared once per process; HHH trades in whole shares.
_SPLIT_SYMBOLS = ("AAA", "GGG", "HHH", "MMM")
_MORNING = time(8, 0)
_OPPOSITES: Mapping[ActKind, ActKind] = {
    ActKind.OWNER_BUY: ActKind.OWNER_SELL,
    ActKind.OWNER_SELL: ActKind.OWNER_BUY,
}
_ODD = (
    OddPosition("628ESC012", Decimal(12), None),
    OddPosition("BTCUSD", Decimal("0.25"), Decimal(21_000), "crypto"),
    OddPosition("ZVZZT", Decimal(40), None),
)


def draw_scenario(seed: int) -> Scenario:
    """Return the scenario of a seed; the same seed gives the same scenario."""
    rng = Random(f"scenario {seed}")  # noqa: S311 - reproducible on purpose
    kind = rng.choices(tuple(DayKind), _WEIGHTS_OF_DAYS)[0]
    dates = rng.choice(DAYS[kind])
    close = _close(dates[0])

    account = _account(rng)
    scenario = Scenario(
        seed=seed,
        kind=kind,
        dates=dates,
        account=account,
        conditions=_conditions(rng, close - _START),
        acts=_acts(rng, close),
        splits=_splits(rng, dates[-1], account) if kind is DayKind.SPLIT else (),
        faults=_faults(rng),
        skews=_skews(rng),
        late_data=_chance(rng, 0.02),
        real_data=_chance(rng, 0.05),
        settings=_settings(rng),
        requests_per_minute=rng.choices((FULL_ALLOWANCE, 60, 30), (92, 4, 4))[0],
    )
    theme = rng.choices(_THEMES, _WEIGHTS_OF_THEMES)[0]
    themed = scenario if theme is None else theme(rng, scenario, close - _START)
    return _with_next_day(themed) if len(dates) > 1 else themed


def _with_next_day(scenario: Scenario) -> Scenario:
    """Let the night after the first day happen: differences are accepted or undone, or the keys are changed."""
    rng = Random(f"books {scenario.seed}")  # noqa: S311 - reproducible on purpose
    is_calm = not (scenario.faults.budget or scenario.acts or scenario.conditions)
    if is_calm or _chance(rng, 0.4):
        return scenario
    morning = at_new_york(scenario.dates[1], _MORNING)
    acts, conditions, settings = list(scenario.acts), list(scenario.conditions), dict(scenario.settings)

    trades = [act for act in acts if act.kind in _OPPOSITES]
    if not trades and _chance(rng, 0.6):
        symbol = rng.choice(tuple({**scenario.account.opened_by_owner, **scenario.account.opened_by_strategies}))
        kind, quantity = rng.choice(tuple(_OPPOSITES)), Decimal(rng.randint(1, 5))
        trades = [Act(kind, _close(scenario.dates[0]) - timedelta(hours=1), symbol, quantity)]
        acts.extend(trades)
    is_undone = bool(trades) and _chance(rng, 0.5)
    if is_undone:
        acts.extend(act._replace(kind=_OPPOSITES[act.kind], at=morning + timedelta(hours=2)) for act in trades)
    if not is_undone and _chance(rng, 0.5):
        acts.append(Act(ActKind.ACCEPT, morning + timedelta(minutes=rng.choice((0, 90, 445, 464)))))
    if _chance(rng, 0.15):
        # Nobody can look at the books in the evening, so the next start does.
        evening = _close(scenario.dates[0]) + timedelta(minutes=4)
        conditions.append(Condition(ConditionKind.UNREADABLE, "", evening, evening + timedelta(hours=5)))
    if _chance(rng, 0.5):
        settings["BROKER_ACCOUNT"] = "PA0000000001"
    if not is_undone and _chance(rng, 0.3):
        settings["BROKER_ACCOUNT"] = "PA0000000001"
        acts.append(Act(ActKind.CHANGE_KEYS, morning))
    return replace(scenario, acts=_in_order(acts), conditions=tuple(conditions), settings=settings)


def _chance(rng: Random, probability: float) -> bool:
    return rng.random() < probability


def _close(day: date) -> datetime:
    session = session_on(day)
    assert session is not None, f"{day} is not a session"
    return session.closes


def _account(rng: Random) -> AccountPlan:
    *symbols, unopened = rng.sample(SYMBOLS, rng.randint(4, 7))
    by_strategies = rng.randint(0, len(symbols))
    return AccountPlan(
        cash=Decimal(rng.choice((100_000, 60_000, 250_000))),
        is_margin=_chance(rng, 0.5),
        opened_by_strategies={symbol: _shares(rng) for symbol in symbols[:by_strategies]},
        opened_by_owner={symbol: _shares(rng) for symbol in symbols[by_strategies:]},
        odd=(rng.choice((*_ODD, OddPosition(unopened, Decimal(7), None))),) if _chance(rng, 0.05) else (),
    )


def _shares(rng: Random) -> Decimal:
    whole = Decimal(rng.randint(5, 80))
    return whole + Decimal(rng.randint(1, 999_999)) / 1_000_000 if _chance(rng, 0.3) else whole


def _conditions(rng: Random, start: datetime) -> tuple[Condition, ...]:
    number = rng.choices((0, 1, 2, 4), (50, 25, 15, 10))[0]
    return tuple(_condition(rng, start) for _ in range(number))


def _condition(rng: Random, start: datetime) -> Condition:
    kind = rng.choice(tuple(ConditionKind))
    if kind in _OF_BROKER:
        return _while(kind, start, rng.uniform(0, 60), rng.choice((10, 60, 300)))
    begins = start + timedelta(seconds=rng.choice((-2_700, 0, 50, 100)))
    end = start + _START + _AFTER if _chance(rng, 0.4) else begins + timedelta(seconds=rng.randint(20, 900))
    return Condition(kind, rng.choice(SYMBOLS), begins, end, _size(rng, kind))


def _lost_orders(rng: Random, scenario: Scenario, start: datetime) -> Scenario:
    """Let executions give up while their orders rest: the sweep must settle them."""
    unseen = _while(ConditionKind.UNREADABLE, start, rng.uniform(2, 40), rng.randint(60, 1_500))
    kind = rng.choices((ConditionKind.RESTING, ConditionKind.LATE_FILLS, ConditionKind.SLOW_CANCEL), (3, 1, 1))[0]
    resting = _while(kind, start, 0, rng.randint(40, 400), size=_size(rng, kind))
    return replace(scenario, conditions=(*scenario.conditions, resting, unseen))


def _hands_on(rng: Random, scenario: Scenario, start: datetime) -> Scenario:
    """Let the owner edit and cancel orders of ours that rest."""
    resting = _while(ConditionKind.RESTING, start, 0, rng.randint(30, 240))
    acts = list(scenario.acts)
    for _ in range(rng.randint(3, 8)):
        kind = rng.choice((ActKind.OWNER_EDIT, ActKind.OWNER_EDIT, ActKind.OWNER_CANCEL))
        at = start + timedelta(milliseconds=rng.randint(1_500, 60_000))
        acts.append(Act(kind, at, "", Decimal(rng.randint(-50, 50)) / 100))
    return replace(scenario, conditions=(*scenario.conditions, resting), acts=_in_order(acts))


def _sold_by_hand(rng: Random, scenario: Scenario, start: datetime) -> Scenario:
    """Let the owner of a margin account sell what the run plans to sell, just before its orders leave."""
    acts = list(scenario.acts)
    account = scenario.account._replace(is_margin=True)
    for symbol, quantity in {**account.opened_by_owner, **account.opened_by_strategies}.items():
        at = start + timedelta(milliseconds=rng.randint(2_700, 5_500))
        acts.append(Act(ActKind.OWNER_SELL, at, symbol, quantity))
    return replace(scenario, account=account, acts=_in_order(acts))


def _spent_by_hand(rng: Random, scenario: Scenario, start: datetime) -> Scenario:
    """Let the owner of a cash account spend the money that the run is about to spend."""
    buys = [
        Act(
            ActKind.OWNER_BUY,
            start + timedelta(milliseconds=rng.randint(3_000, 12_000)),
            rng.choice(SYMBOLS),
            Decimal(rng.choice((100, 300))),
        )
        for _ in range(5)
    ]
    account = scenario.account._replace(is_margin=False)
    return replace(scenario, account=account, acts=_in_order([*scenario.acts, *buys]))


def _lost_notices(rng: Random, scenario: Scenario, start: datetime) -> Scenario:
    """Let notices reach people whose answers get lost."""
    kinds = (FaultKind.FAIL_AFTER, FaultKind.TIMEOUT_AFTER, FaultKind.KILL_AFTER, FaultKind.LATE_EFFECT)
    rates = dict.fromkeys(kinds, rng.choice((0.04, 0.08)))
    return replace(scenario, faults=FaultPlan(rates, budget=20, focus="notifications_v2/"))


def _dead_trades(rng: Random, scenario: Scenario, start: datetime) -> Scenario:
    """Let executions die until a run of the morning has failed; then redrive its trades beside a rerun."""
    morning = start - timedelta(hours=2)
    rerun = morning + timedelta(seconds=rng.randint(1_100, 2_400))
    acts = (
        Act(ActKind.FORCE, morning),
        Act(ActKind.FORCE, rerun),
        Act(ActKind.REDRIVE, rerun + timedelta(milliseconds=rng.randint(-60_000, 60_000))),
    )
    rate = rng.choice((0.05, 0.15))
    faults = FaultPlan({FaultKind.KILL_BEFORE: rate, FaultKind.KILL_AFTER: rate}, budget=60, focus="execution_v2/")
    return replace(scenario, acts=_in_order([*scenario.acts, *acts]), faults=faults)


def _crowd(rng: Random, scenario: Scenario, start: datetime) -> Scenario:
    """Let several people force starts at once, and let every function answer slowly."""
    at = start - timedelta(seconds=rng.choice((0, 3_600)))
    acts = [Act(ActKind.FORCE, at + timedelta(milliseconds=rng.randint(0, 200))) for _ in range(rng.randint(2, 4))]
    faults = FaultPlan(dict.fromkeys(CALL_FAULTS, 0.04), budget=12, focus="coordinator_v2/")
    return replace(scenario, acts=_in_order([*scenario.acts, *acts]), faults=faults)


def _while(
    kind: ConditionKind, start: datetime, after_s: float, lasts_s: float, *, size: Decimal = Decimal(0)
) -> Condition:
    """Return a condition of every symbol."""
    begins = start + timedelta(seconds=round(after_s, 3))
    return Condition(kind, "", begins, begins + timedelta(seconds=lasts_s), size)


def _size(rng: Random, kind: ConditionKind) -> Decimal:
    match kind:
        case ConditionKind.WIDE:
            return Decimal(rng.choice(("0.004", "0.02", "0.06", "0.1", "0.4")))
        case ConditionKind.PARTIAL:
            return Decimal(rng.randint(2, 5))
        case ConditionKind.SLOW_CANCEL | ConditionKind.UNKNOWN_STATUS | ConditionKind.LATE_FILLS:
            return Decimal(rng.choice((2, 20, 200)))
        case _:
            return Decimal(0)


def _acts(rng: Random, close: datetime) -> tuple[Act, ...]:
    acts: list[Act] = []
    if _chance(rng, 0.15):
        acts.append(Act(ActKind.START, close - _START + timedelta(milliseconds=rng.choice((0, 50, 400, 5_000)))))
    acts.extend(_force(rng, close) for _ in range(rng.choices((0, 1, 2), (75, 18, 7))[0]))
    if _chance(rng, 0.08):
        acts.extend(_pause(rng, close))
    acts.extend(_of_owner(rng, close) for _ in range(rng.choices((0, 1, 3), (70, 20, 10))[0]))
    if _chance(rng, 0.1):
        acts.append(Act(ActKind.REDRIVE, close + timedelta(minutes=rng.choice((-5, 5, 60)))))
    return _in_order(acts)


def _in_order(acts: Iterable[Act]) -> tuple[Act, ...]:
    return tuple(sorted(acts, key=lambda act: act.at))


def _force(rng: Random, close: datetime) -> Act:
    """Return a forced start: in the morning, together with the schedule, or while a run is under way."""
    late = timedelta(minutes=rng.choice((-1, 1, 2, 3, 5, 8, 12)))
    offsets = (timedelta(hours=2), _START, _START - timedelta(seconds=2), late)
    jitter = timedelta(milliseconds=rng.randint(-100, 300))
    return Act(ActKind.FORCE, close - rng.choice(offsets) + jitter, replaces=_chance(rng, 0.8))


def _pause(rng: Random, close: datetime) -> Sequence[Act]:
    at = close - _START + timedelta(seconds=rng.choice((-60, 2, 5, 20, 60)))
    pause = Act(ActKind.PAUSE, at)
    if _chance(rng, 0.4):
        return (pause,)
    return pause, Act(ActKind.ENABLE, at + timedelta(seconds=rng.randint(5, 240)))


def _of_owner(rng: Random, close: datetime) -> Act:
    kind = rng.choice((ActKind.OWNER_BUY, ActKind.OWNER_SELL, ActKind.OWNER_CANCEL, ActKind.OWNER_EDIT))
    at = close - _START + timedelta(milliseconds=rng.randint(-30_000, 180_000))
    if kind in (ActKind.OWNER_BUY, ActKind.OWNER_SELL):
        return Act(kind, at, rng.choice(SYMBOLS), Decimal(rng.choice((rng.randint(1, 60), 400))))
    # Orders of ours are open for moments only: any of them will do.
    return Act(kind, at, "", Decimal(rng.randint(-50, 50)) / 100)


def _splits(rng: Random, day: date, account: AccountPlan) -> tuple[Split, ...]:
    old, new = rng.choice(_SPLITS)
    held = tuple(
        symbol for symbol in _SPLIT_SYMBOLS if symbol in {**account.opened_by_owner, **account.opened_by_strategies}
    )
    return (Split(rng.choice((*held, *held, *_SPLIT_SYMBOLS)), day, old, new),)


def _faults(rng: Random) -> FaultPlan:
    budget = rng.choices((0, 2, 4, 8, 16, 60), (10, 28, 28, 20, 9, 5))[0]
    kinds: tuple[FaultKind, ...] = (*CALL_FAULTS, *MESSAGE_FAULTS)
    if _chance(rng, 0.5):
        kinds = tuple(rng.sample(kinds, rng.randint(1, 3)))
    focus = f"{rng.choice(MODULES)}/" if _chance(rng, 0.4) else ""

    rate = budget / _POINTS / len(kinds) * rng.choice((0.7, 2.0)) * (6 if focus else 1)
    rates = {kind: min(rate * (4 if kind in MESSAGE_FAULTS else 1), 0.2) for kind in kinds}
    return FaultPlan(rates=rates, budget=budget, focus=focus)


def _settings(rng: Random) -> Mapping[str, str]:
    """Return limits that some trades of a usual day break."""
    if not _chance(rng, 0.1):
        return {}
    limits = {
        "ORDER_NOTIONAL_LIMIT": "9000",
        "PRICE_DISTANCE_LIMIT": "0.004",
        "ALLOWED_SYMBOLS": ",".join(SYMBOLS[:8]),
        "DAY_NOTIONAL_LIMIT": "60000",
        "DAY_TRADE_LIMIT": "7",
    }
    names = rng.sample(tuple(limits), rng.randint(1, 2))
    return {name: limits[name] for name in names}


def _skews(rng: Random) -> Mapping[str, float]:
    if not _chance(rng, 0.2):
        return {}
    return {module: round(rng.uniform(-2, 2), 3) * rng.choice((1, 1, 4)) for module in MODULES}


_THEMES = (
    None,
    _lost_orders,
    _hands_on,
    _sold_by_hand,
    _spent_by_hand,
    _lost_notices,
    _dead_trades,
    _crowd,
)
_WEIGHTS_OF_THEMES = (67, 9, 5, 3, 4, 4, 4, 4)

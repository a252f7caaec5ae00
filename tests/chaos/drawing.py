"""What one seed does to a day of the deployed system, as values. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from random import Random
from types import MappingProxyType
from typing import NamedTuple

from sandbox.exchange.sessions import sessions_between
from sandbox.kills import Moment

FIRST_DAY, LAST_DAY = date(2022, 3, 16), date(2023, 3, 16)
FREEZE_S = 20.0
MESSAGES = 45
"""How many messages show up in the inboxes on nearly every day."""


class Kind(StrEnum):
    """What can happen to a day; the values are those of `--only`."""

    KILL = "kill"
    RESEND = "resend"
    FREEZE = "freeze"
    RESTART = "restart"
    TWO_DAYS = "two-days"


class Host(StrEnum):
    """The server that a request goes to."""

    EMULATOR = "emulator"
    EXCHANGE = "exchange"


class KillDraw(NamedTuple):
    """A worker of a module dies at the module's n-th request to a server."""

    module: str
    host: Host
    number: int
    moment: Moment


class ResendDraw(NamedTuple):
    """The n-th message that shows up in any inbox is sent again: at once, or when the day is over."""

    number: int
    is_late: bool


@dataclass(frozen=True, slots=True)
class Trial:
    """One seed.

    Attributes:
        opening: shares by symbol that a strategy of the book bought on an earlier day.
        freeze_at, restart_at, second_at: the exchange is frozen, the emulator restarted, a second command started when
            so many messages have shown up in the inboxes, however fast the machine is; None when it does not happen.
    """

    seed: int
    day: date
    opening: Mapping[str, Decimal] = field(default_factory=dict)
    kills: tuple[KillDraw, ...] = ()
    resends: tuple[ResendDraw, ...] = ()
    freeze_at: int | None = None
    restart_at: int | None = None
    second_at: int | None = None

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Return what happens to this day."""
        happens = {
            Kind.KILL: bool(self.kills),
            Kind.RESEND: bool(self.resends),
            Kind.FREEZE: self.freeze_at is not None,
            Kind.RESTART: self.restart_at is not None,
            Kind.TWO_DAYS: self.second_at is not None,
        }
        return tuple(kind for kind, does in happens.items() if does)


# How often a kill meets each module: mostly those that decide about orders, send them, or tell people.
_MODULES: Mapping[str, int] = MappingProxyType(
    {
        "execution_v2": 6,
        "trade_aggregator": 4,
        "portfolio_v2": 3,
        "coordinator_v2": 3,
        "notifications_v2": 3,
        "aggregator_v2": 2,
        "strategy_v2": 2,
        "metrics_v2": 1,
        "data_v2": 1,
        "data_quality_monitor": 1,
    }
)
# How many requests each module sends on a day, about: by far the most of them are reached.
_REQUESTS: Mapping[tuple[str, Host], int] = MappingProxyType(
    {
        ("coordinator_v2", Host.EMULATOR): 7,
        ("coordinator_v2", Host.EXCHANGE): 2,
        ("strategy_v2", Host.EMULATOR): 100,
        ("aggregator_v2", Host.EMULATOR): 50,
        ("portfolio_v2", Host.EMULATOR): 19,
        ("portfolio_v2", Host.EXCHANGE): 6,
        ("trade_aggregator", Host.EMULATOR): 45,
        ("trade_aggregator", Host.EXCHANGE): 5,
        ("execution_v2", Host.EMULATOR): 60,
        ("execution_v2", Host.EXCHANGE): 40,
        ("notifications_v2", Host.EMULATOR): 10,
        ("metrics_v2", Host.EMULATOR): 30,
        ("data_v2", Host.EMULATOR): 60,
        ("data_v2", Host.EXCHANGE): 4,
        ("data_quality_monitor", Host.EMULATOR): 40,
        ("data_quality_monitor", Host.EXCHANGE): 2,
    }
)
_OPENING = ("GLD", "IWM", "KO", "QUAL", "SPY", "TLT", "USMV", "WMT", "AAPL", "XOM")
# Kills and messages that come again are what most accidents amount to; the others cost most of a minute each.
_WEIGHTS: Mapping[Kind, int] = MappingProxyType(
    {Kind.KILL: 8, Kind.RESEND: 5, Kind.FREEZE: 2, Kind.RESTART: 2, Kind.TWO_DAYS: 2}
)


def draw_trial(seed: int, only: Kind | None = None) -> Trial:
    """Return what this seed does; the same seed always does the same.

    Args:
        only: nothing else happens.
    """
    random = Random(f"chaos {seed}")  # noqa: S311 - reproducible on purpose
    kinds = {only} if only else _draw_kinds(random)
    sessions = [session.date for session in sessions_between(FIRST_DAY, LAST_DAY)]
    return Trial(
        seed=seed,
        day=sessions[seed % len(sessions)],
        opening={symbol: Decimal(random.randrange(5, 60)) for symbol in random.sample(_OPENING, 4)},
        kills=_draw_kills(random) if Kind.KILL in kinds else (),
        resends=_draw_resends(random) if Kind.RESEND in kinds else (),
        freeze_at=random.randint(1, MESSAGES) if Kind.FREEZE in kinds else None,
        restart_at=random.randint(1, MESSAGES) if Kind.RESTART in kinds else None,
        second_at=random.randint(1, MESSAGES) if Kind.TWO_DAYS in kinds else None,
    )


def _draw_kinds(random: Random) -> frozenset[Kind]:
    kinds, weights = list(_WEIGHTS), list(_WEIGHTS.values())
    return frozenset(random.choices(kinds, weights, k=1 if random.random() < 0.7 else 2))


def _draw_kills(random: Random) -> tuple[KillDraw, ...]:
    kills = [_draw_kill(random) for _ in range(random.choice((1, 2)))]
    return tuple(dict.fromkeys(kills))


def _draw_kill(random: Random) -> KillDraw:
    (module,) = random.choices(list(_MODULES), list(_MODULES.values()))
    host = random.choice([host for name, host in _REQUESTS if name == module])
    number = random.randint(1, _REQUESTS[module, host])
    return KillDraw(module, host, number, random.choice(list(Moment)))


def _draw_resends(random: Random) -> tuple[ResendDraw, ...]:
    numbers = random.sample(range(1, MESSAGES + 1), random.randint(2, 6))
    return tuple(ResendDraw(number, random.random() < 0.4) for number in sorted(numbers))

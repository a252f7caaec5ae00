"""The lake as it is on the evening before a session: written once per process by the real data_v2 and monitor."""

from collections.abc import Mapping
from datetime import date, datetime, time
from functools import lru_cache

from sandbox.exchange.corporate_actions import CorporateAction
from sandbox.exchange.sessions import at_new_york, session_before
from tests.simulation.aws_clients import StoredBody
from tests.simulation.functions import Ends, installed
from tests.simulation.latencies import MINUTE
from tests.simulation.scenario import AccountPlan, FaultPlan, Split
from tests.simulation.system import System, build_system

NIGHT = time(20, 0)
DATA_INBOX = "DataInbox"
REFRESH = '{"command": "refresh-market-data"}'


def evening_before(day: date) -> datetime:
    """Return 20:00 in New York on the session before a day, when the nightly schedule fires."""
    return at_new_york(session_before(day).date, NIGHT)


def plant_splits(system: System, splits: tuple[Split, ...]) -> None:
    """Let the exchange know the splits of a history."""
    for split in splits:
        kind = "forward_split" if split.new > split.old else "reverse_split"
        action = CorporateAction(
            type=kind, symbol=split.symbol, ex_date=split.ex_date, old_rate=split.old, new_rate=split.new
        )
        system.exchange.market.actions.plant(action)


@lru_cache(maxsize=1024)
def prepared_lake(day: date, splits: tuple[Split, ...]) -> Mapping[str, StoredBody]:
    """Return the objects of the lake before a session."""
    start = evening_before(day)
    system = build_system(start, seed=0, plan=AccountPlan(), faults=FaultPlan(), skews={})
    plant_splits(system, splits)
    with installed(Ends(system.world, system.account, system.brokerage)):
        system.inboxes[DATA_INBOX].send(REFRESH)
        system.world.run(system.world.now + 10 * MINUTE)
        system.world.close()
    assert system.is_quiet, f"the lake before {day} was not written"
    return system.account.objects

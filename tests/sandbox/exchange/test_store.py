from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from sandbox.exchange.activities import Entry
from sandbox.exchange.orders import PLAIN
from sandbox.exchange.store import DamagedStateError, StateFile
from tests.sandbox.exchange.worlds import exchange_at, send

# A state with one resting order, as the release before this one wrote it.
_EARLIER = """
{"version":1,"clock":{"set_to":"2022-03-16T19:45:00Z","session":"2022-03-16","phase":"before_close","ticks":2,
"is_fresh":false},"account":{"generation":1,"mode":"cash","opening_cash":"10000","cash":"9899.99","opened_at":
"2022-03-14T20:05:00Z","whole_shares":[],"positions":{"CALM":{"symbol":"CALM","qty":"1","avg_entry_price":"100.01"}},
"orders":{},"fills":[],"marks":[]},"orders":[{"id":"59a4d805-2cdd-51f0-ae71-5ebeb199adaf","client_order_id":"first",
"symbol":"CALM","side":"buy","type":"limit","time_in_force":"day","qty":"1","notional":null,"limit_price":"50",
"extended_hours":false,"reserve_price":"50","status":"new","submitted_at":"2022-03-16T19:45:00Z","updated_at":
"2022-03-16T19:45:00Z","expires_at":"2022-03-16T20:00:00Z","fill_fraction":"1","filled_qty":"0","filled_value":"0",
"filled_at":null,"canceled_at":null,"expired_at":null,"failed_at":null,"replaced_at":null,"replaced_by":null,
"replaces":null}],"fills":[]}
"""


def test_load_without_a_file_is_none(tmp_path: Path) -> None:
    assert StateFile(tmp_path / "none.json").load() is None


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"version":2}', b"\xff\xfe", b'{"version":1,"clock":{}}'])
def test_load_of_a_damaged_file_names_and_keeps_it(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(damage)

    with pytest.raises(DamagedStateError, match=r"state\.json: not a usable exchange state .* delete it to start"):
        StateFile(path).load()

    assert path.read_bytes() == damage


def test_load_of_a_truncated_file_fails(tmp_path: Path) -> None:
    exchange, path = exchange_at(), tmp_path / "state.json"
    send(exchange)
    StateFile(path).save(exchange.snapshot())
    whole = path.read_bytes()

    for length in range(0, len(whole) - 2, 97):
        path.write_bytes(whole[:length])
        with pytest.raises(DamagedStateError):
            StateFile(path).load()


def test_save_after_a_change_of_an_old_order_writes_it(tmp_path: Path) -> None:
    exchange, file = exchange_at(), StateFile(tmp_path / "state.json")
    first = send(exchange, limit_price="50")
    send(exchange)
    file.save(exchange.snapshot())
    exchange.cancel(first.id)
    file.save(exchange.snapshot())

    assert file.load() == exchange.snapshot()


def test_save_keeps_activities(tmp_path: Path) -> None:
    exchange, file = exchange_at(), StateFile(tmp_path / "state.json")
    exchange.book(Entry("DIV", Decimal("1.02"), "CALM", Decimal(2), Decimal("0.51"), settled=date(2022, 3, 15)))
    file.save(exchange.snapshot())

    state = file.load()

    assert state == exchange.snapshot()
    assert state is not None
    assert [activity.entry.type for activity in state.account.activities] == ["DIV"]


def test_save_creates_the_folder_and_leaves_one_file(tmp_path: Path) -> None:
    file = StateFile(tmp_path / "deep" / "state.json")
    file.save(exchange_at().snapshot())

    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["state.json"]


def test_save_after_a_reset_drops_the_old_orders(tmp_path: Path) -> None:
    exchange, file = exchange_at(), StateFile(tmp_path / "state.json")
    send(exchange)
    send(exchange)
    file.save(exchange.snapshot())
    fresh = exchange_at()
    file.save(fresh.snapshot())

    assert file.load() == fresh.snapshot()


def test_load_of_a_file_of_the_release_before_takes_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text(_EARLIER)
    state = StateFile(path).load()

    assert state is not None
    (order,) = state.account.open_orders()
    assert (order.client_order_id, order.script, order.qty) == ("first", PLAIN, Decimal(1))
    assert state.account.positions["CALM"].is_quoted
    assert (state.account.fractional_shorts, state.account.adjustments) == (False, ())
    assert state.account.activities == ()
    assert state.bar_faults == ()

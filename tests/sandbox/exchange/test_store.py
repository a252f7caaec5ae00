from pathlib import Path

import pytest

from sandbox.exchange.store import DamagedStateError, StateFile
from tests.sandbox.exchange.worlds import exchange_at, send


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

"""The lake: a read returns what was written, or a fault, and a failed write keeps the old bars."""

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given

from tests.the_alchemiser.shared.market_data.in_memory_objects import InMemoryObjects
from tests.the_alchemiser.shared.market_data.samples import FETCHED_AT, ORIGIN, bars, histories
from the_alchemiser.shared.errors import StateUnavailableError
from the_alchemiser.shared.market_data.bars import Bars, encode_bars
from the_alchemiser.shared.market_data.lake import BarsDamagedError, Lake, description_key, parquet_key
from the_alchemiser.shared.market_data.objects import ObjectChangedError, StoredObject, digest_of

PARQUET, JSON = parquet_key("SPY"), description_key("SPY")


@pytest.fixture
def objects() -> InMemoryObjects:
    return InMemoryObjects()


@pytest.fixture
def lake(objects: InMemoryObjects) -> Lake:
    return Lake(objects)


def write(lake: Lake, history: Bars) -> None:
    lake.replace(lake.read("SPY"), history, origin=ORIGIN)


def test_keys_lie_under_bars_v1() -> None:
    assert (PARQUET, JSON) == ("bars/v1/SPY.parquet", "bars/v1/SPY.json")


def test_read_without_file_is_missing(lake: Lake) -> None:
    assert lake.read("SPY").fault == "missing: no bars/v1/SPY.parquet"


@given(histories())
def test_read_after_replace_returns_what_was_written(history: Bars) -> None:
    lake = Lake(InMemoryObjects())
    written = lake.replace(lake.read("SPY"), history, origin=ORIGIN)
    entry = lake.read("SPY")

    assert (entry.bars, entry.fault) == (history, None)
    assert entry.digest == written.digest


@given(histories())
def test_replace_twice_writes_nothing_the_second_time(history: Bars) -> None:
    objects = InMemoryObjects()
    lake = Lake(objects)
    write(lake, history)
    before = list(objects.writes)
    lake.replace(lake.read("SPY"), history, origin=ORIGIN.changed(fetched_at=FETCHED_AT.replace(year=2023)))

    assert objects.writes == before == [PARQUET, JSON]


def test_describe_returns_facts_about_the_parquet(lake: Lake) -> None:
    write(lake, bars(20))
    description = lake.describe("SPY").description

    assert description is not None
    assert (description.rows, description.first_date, description.last_date) == (
        20,
        date(2022, 1, 3),
        date(2022, 1, 28),
    )
    assert (description.source, description.fetched_at) == ("data.example.com", FETCHED_AT)
    assert description.digest == lake.read("SPY").digest
    assert not description.close_only


def test_describe_flat_bars_without_volume_is_close_only(lake: Lake) -> None:
    write(lake, tuple(bar._replace(open=bar.close, high=bar.close, low=bar.close, volume=0) for bar in bars(3)))
    description = lake.describe("SPY").description

    assert description is not None
    assert description.close_only


def test_describe_unreadable_json_is_none_and_is_replaced(lake: Lake, objects: InMemoryObjects) -> None:
    objects.plant(JSON, b"{")
    assert lake.describe("SPY").description is None

    write(lake, bars(3))

    assert lake.describe("SPY").description is not None


def test_read_changed_bytes_is_damaged_and_never_parsed(lake: Lake, objects: InMemoryObjects) -> None:
    write(lake, bars(20))
    stored = objects.objects[PARQUET]
    objects.objects[PARQUET] = stored.changed(body=encode_bars(bars(19)))

    assert lake.read("SPY").fault == "damaged: bars/v1/SPY.parquet does not match its digest"
    assert lake.read("SPY").bars == ()


def test_read_parquet_without_digest_is_checked_against_the_json(lake: Lake, objects: InMemoryObjects) -> None:
    write(lake, bars(20))
    objects.plant(PARQUET, encode_bars(bars(20)))
    assert lake.read("SPY").bars == bars(20)

    objects.plant(PARQUET, encode_bars(bars(19)))

    assert lake.read("SPY").fault == "damaged: bars/v1/SPY.parquet does not match its digest"


def test_read_junk_with_matching_digest_is_damaged(lake: Lake, objects: InMemoryObjects) -> None:
    objects.plant(PARQUET, b"junk", sha256=digest_of(b"junk"))

    assert str(lake.read("SPY").fault).startswith("damaged: bars/v1/SPY.parquet: not a parquet file")


def test_replace_damaged_entry_repairs_it(lake: Lake, objects: InMemoryObjects) -> None:
    write(lake, bars(20))
    objects.plant(PARQUET, b"junk")
    write(lake, bars(20))

    assert lake.read("SPY").bars == bars(20)


def test_replace_failed_parquet_write_keeps_the_old(lake: Lake, objects: InMemoryObjects) -> None:
    write(lake, bars(20))
    objects.refuses.add(PARQUET)
    with pytest.raises(StateUnavailableError):
        write(lake, bars(21))

    assert lake.read("SPY").bars == bars(20)


def test_replace_failed_json_write_leaves_readable_bars(lake: Lake, objects: InMemoryObjects) -> None:
    write(lake, bars(20))
    objects.refuses.add(JSON)
    with pytest.raises(StateUnavailableError):
        write(lake, bars(21))

    assert lake.read("SPY").bars == bars(21)


def test_replace_after_failed_json_write_repairs_the_json(lake: Lake, objects: InMemoryObjects) -> None:
    objects.refuses.add(JSON)
    with pytest.raises(StateUnavailableError):
        write(lake, bars(21))
    objects.refuses.clear()
    write(lake, bars(21))
    description = lake.describe("SPY").description

    assert description is not None
    assert description.digest == lake.read("SPY").digest


def test_replace_outdated_entry_raises_and_changes_nothing(lake: Lake) -> None:
    write(lake, bars(20))
    outdated = lake.read("SPY")
    write(lake, bars(22))
    with pytest.raises(ObjectChangedError):
        lake.replace(outdated, bars(21), origin=ORIGIN)

    assert lake.read("SPY").bars == bars(22)


def test_replace_repeated_after_a_lost_answer_succeeds(lake: Lake, objects: InMemoryObjects) -> None:
    objects.loses_answer.add(PARQUET)
    write(lake, bars(20))

    assert lake.read("SPY").bars == bars(20)
    assert lake.describe("SPY").description is not None


def test_replace_json_changed_meanwhile_describes_the_new_bars(lake: Lake, objects: InMemoryObjects) -> None:
    write(lake, bars(20))

    def another_writer_changes_the_json() -> None:
        objects.before_write = lambda: objects.plant(JSON, b"{}")

    objects.before_write = another_writer_changes_the_json
    write(lake, bars(21))
    description = lake.describe("SPY").description

    assert description is not None
    assert description.digest == lake.read("SPY").digest


class Disturbed(InMemoryObjects):
    """Objects that change after the parquet object was written, before the next read of a key."""

    before_read_of = PARQUET
    disturb: Callable[[], None] | None = None

    def get(self, key: str) -> StoredObject | None:
        if key == self.before_read_of and self.writes[-1:] == [PARQUET] and self.disturb is not None:
            disturb, self.disturb = self.disturb, None
            disturb()
        return super().get(key)


def test_replace_of_an_object_that_was_stored_truncated_raises_retryable() -> None:
    objects = Disturbed()
    body = encode_bars(bars(20))
    objects.disturb = lambda: objects.plant(PARQUET, body[:-9], sha256=digest_of(body))
    expected = rf"^bars/v1/SPY\.parquet: {len(body) - 9} bytes were read back, not the {len(body)} written$"

    with pytest.raises(BarsDamagedError, match=expected) as raised:
        write(Lake(objects), bars(20))

    assert raised.value.retryable
    assert Lake(objects).read("SPY").fault == "damaged: bars/v1/SPY.parquet does not match its digest"


def test_replace_of_damaged_bars_by_equal_ones_reads_them_back() -> None:
    objects = Disturbed()
    lake = Lake(objects)
    write(lake, bars(20))
    body = encode_bars(bars(20))
    objects.plant(PARQUET, b"junk")
    objects.disturb = lambda: objects.plant(PARQUET, body[:-9], sha256=digest_of(body))
    objects.writes.clear()

    with pytest.raises(BarsDamagedError):
        write(lake, bars(20))


@pytest.mark.parametrize("key", [PARQUET, JSON])
@pytest.mark.parametrize("through", [21, 23])
def test_replace_overtaken_before_it_reads_back_leaves_the_other_description(through: int, key: str) -> None:
    objects = Disturbed()
    objects.before_read_of = key
    lake = Lake(objects)
    write(lake, bars(20))
    objects.disturb = lambda: write(lake, bars(through))

    with pytest.raises(ObjectChangedError, match=r"^bars/v1/SPY\.parquet: another writer replaced it$"):
        write(lake, bars(22))

    assert_consistent(lake, bars(through))


def test_replace_overtaken_before_it_describes_leaves_the_other_description(
    lake: Lake, objects: InMemoryObjects
) -> None:
    write(lake, bars(20))

    def another_refresh_replaces_all() -> None:
        objects.before_write = lambda: write(lake, bars(22))

    objects.before_write = another_refresh_replaces_all

    with pytest.raises(ObjectChangedError):
        write(lake, bars(21))

    assert_consistent(lake, bars(22))


def test_replace_without_change_describes_nothing_that_is_no_longer_stored(
    lake: Lake, objects: InMemoryObjects
) -> None:
    write(lake, bars(20))
    outdated = lake.read("SPY")
    write(lake, bars(22))

    with pytest.raises(ObjectChangedError):
        lake.replace(outdated, bars(20), origin=ORIGIN)

    assert_consistent(lake, bars(22))


def assert_consistent(lake: Lake, history: Bars) -> None:
    """Check that the lake has these bars and their description."""
    description = lake.describe("SPY").description
    assert lake.read("SPY").bars == history
    assert description is not None
    assert (description.digest, description.rows) == (lake.read("SPY").digest, len(history))


def test_replace_bars_that_do_not_round_trip_writes_nothing(lake: Lake, objects: InMemoryObjects) -> None:
    not_a_number = tuple(bar._replace(volume=float("nan")) for bar in bars(2))
    with pytest.raises(Exception, match="differ after encoding and decoding"):
        write(lake, not_a_number)

    assert objects.writes == []


def test_read_all_returns_every_symbol_once_and_sorted(lake: Lake) -> None:
    write(lake, bars(3))
    entries = lake.read_all(["SPY", "AAPL", "SPY"])

    assert list(entries) == ["AAPL", "SPY"]
    assert entries["SPY"].bars == bars(3)
    assert entries["AAPL"].fault is not None


def test_read_all_unreadable_object_raises(lake: Lake, objects: InMemoryObjects) -> None:
    objects.unreadable.add(PARQUET)
    with pytest.raises(StateUnavailableError):
        lake.read_all(["SPY"])


def test_read_columns_returns_arrays_and_no_bars(lake: Lake) -> None:
    write(lake, bars(3))
    entry, (dates, closes) = lake.read_columns("SPY", ("date", "adjusted"))

    assert (entry.bars, entry.fault, entry.digest) == ((), None, lake.read("SPY").digest)
    assert dates.to_pylist() == [bar.date for bar in bars(3)]
    assert closes.to_pylist() == [bar.adjusted for bar in bars(3)]


def test_read_columns_of_missing_or_damaged_file_are_empty(lake: Lake, objects: InMemoryObjects) -> None:
    missing = lake.read_columns("SPY", ("date",))
    write(lake, bars(20))
    objects.objects[PARQUET] = objects.objects[PARQUET].changed(body=encode_bars(bars(19)))
    damaged = lake.read_columns("SPY", ("date",))

    assert (missing[0].fault, missing[1]) == ("missing: no bars/v1/SPY.parquet", ())
    assert (damaged[0].fault, damaged[1]) == ("damaged: bars/v1/SPY.parquet does not match its digest", ())

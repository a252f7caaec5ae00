"""A table of releases in memory, and the contract that it keeps together with the real one (tests/e2e)."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, Protocol

import pytest

from automation.deploying.adoption import search
from automation.deploying.releases import deployer_lock, expiry, watch_marks
from automation.deploying.releases import records as releases
from automation.system.deployers import Deployer, DeployerLock, LockReading
from automation.system.errors import DeploymentError
from automation.system.targets import Target

TARGET = Target("eu-west-1")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ANN = Deployer("arn:aws:iam::123456789012:user/ann", "ann@desk", 11)
LOCK = DeployerLock(ANN, "t1", NOW, NOW + timedelta(hours=1))


class Table(releases.Table, deployer_lock.Table, watch_marks.Table, search.Table, expiry.Table, Protocol):
    """The whole interface of a table of releases."""

    def create(self, *, tags: Mapping[str, str]) -> None: ...

    def exists(self) -> bool: ...

    def write_retained(self, stack: str, documents: Sequence[Mapping[str, Any]]) -> None: ...

    def delete(self) -> None: ...


@dataclass
class FakeReleaseTable:
    """A table of releases in memory; `now` is the clock of its AWS."""

    name: str = "shop-live-releases"
    target: Target = TARGET
    now: datetime = NOW
    rows: dict[int, str] = field(default_factory=dict)
    lock: DeployerLock | None = None
    mutex: Any = field(default_factory=Lock)
    left: dict[str, str] = field(default_factory=dict)
    mark: str = ""
    is_created: bool = False
    labels: dict[str, str] = field(default_factory=dict)

    def create(self, *, tags: Mapping[str, str]) -> None:
        if not self.exists():
            self.labels = dict(tags)
        self.is_created = True

    def tags(self) -> Mapping[str, str]:
        return self.labels

    def tag(self, tags: Mapping[str, str]) -> None:
        self.labels |= tags

    def exists(self) -> bool:
        return self.is_created or bool(self.rows)

    def retained(self, stack: str) -> tuple[Mapping[str, Any], ...]:
        return tuple(json.loads(self.left.get(stack, "[]")))

    def write_retained(self, stack: str, documents: Sequence[Mapping[str, Any]]) -> None:
        self.left[stack] = json.dumps(documents)

    def watch_mark(self) -> Mapping[str, Any] | None:
        mark: Mapping[str, Any] | None = json.loads(self.mark) if self.mark else None
        return mark

    def write_watch_mark(self, document: Mapping[str, Any]) -> None:
        self.mark = json.dumps(document)

    def remove_watch_mark(self) -> None:
        self.mark = ""

    def delete(self) -> None:
        self.rows, self.left, self.lock, self.mark, self.is_created, self.labels = {}, {}, None, "", False, {}

    def documents(self, limit: int) -> tuple[tuple[int, Mapping[str, Any]], ...]:
        newest = sorted(self.rows, reverse=True)[:limit]
        return tuple((number, json.loads(self.rows[number])) for number in newest)

    def add(self, document: Mapping[str, Any]) -> int:
        with self.mutex:
            number = max(self.rows, default=0) + 1
            self.rows[number] = json.dumps(document)
        return number

    def replace(self, number: int, document: Mapping[str, Any]) -> None:
        if number not in self.rows:
            raise DeploymentError(f"has no release r{number}", where=self.name)
        self.rows[number] = json.dumps(document)

    def read_lock(self) -> LockReading:
        return LockReading(self.lock, self.now)

    def write_lock(self, lock: DeployerLock, *, expected: str) -> bool:
        with self.mutex:
            if (self.lock.token if self.lock else "") != expected:
                return False
            self.lock = lock
        return True

    def remove_lock(self, token: str) -> None:
        if self.lock and self.lock.token == token:
            self.lock = None


class ReleaseTableContract(ABC):
    """Inherit and provide a table that does not exist yet, and an existing one without items."""

    @pytest.fixture
    @abstractmethod
    def missing(self) -> Table: ...

    @pytest.fixture
    def table(self, missing: Table) -> Table:
        missing.create(tags={"created-by": "inv deploy"})
        return missing

    def test_a_missing_table_reads_as_empty(self, missing: Table) -> None:
        assert missing.documents(5) == ()
        assert missing.read_lock().lock is None

    def test_create_again_keeps_everything(self, table: Table) -> None:
        table.add({"commit": "a"})

        table.create(tags={})

        assert table.documents(5) == ((1, {"commit": "a"}),)

    def test_add_numbers_from_1_and_documents_are_newest_first(self, table: Table) -> None:
        numbers = [table.add({"commit": str(index), "stacks": [{"ä": None}]}) for index in range(12)]

        assert numbers == list(range(1, 13))
        assert table.documents(2) == (
            (12, {"commit": "11", "stacks": [{"ä": None}]}),
            (11, {"commit": "10", "stacks": [{"ä": None}]}),
        )

    def test_add_at_once_gives_each_its_own_number(self, table: Table) -> None:
        with ThreadPoolExecutor(8) as pool:
            numbers = list(pool.map(lambda index: table.add({"commit": str(index)}), range(16)))

        assert sorted(numbers) == list(range(1, 17))
        assert {number: document["commit"] for number, document in table.documents(99)} == {
            number: str(index) for index, number in enumerate(numbers)
        }

    def test_replace_changes_one_release(self, table: Table) -> None:
        table.add({"commit": "a"})
        table.add({"commit": "b"})

        table.replace(1, {"commit": "c"})

        assert table.documents(5) == ((2, {"commit": "b"}), (1, {"commit": "c"}))

    def test_replace_of_an_unknown_release_is_an_error(self, table: Table) -> None:
        with pytest.raises(DeploymentError, match="has no release r1"):
            table.replace(1, {})

        assert table.documents(5) == ()

    def test_write_lock_free_lock_is_stored(self, table: Table) -> None:
        assert table.write_lock(LOCK, expected="")
        assert table.read_lock().lock == LOCK

    def test_write_lock_taken_lock_stays(self, table: Table) -> None:
        table.write_lock(LOCK, expected="")

        assert not table.write_lock(replace(LOCK, token="t2"), expected="")
        assert not table.write_lock(replace(LOCK, token="t2"), expected="t3")
        assert table.read_lock().lock == LOCK

    def test_write_lock_with_its_token_replaces_it(self, table: Table) -> None:
        later = replace(LOCK, token="t2", expires_at=NOW + timedelta(hours=2))
        table.write_lock(LOCK, expected="")

        assert table.write_lock(later, expected="t1")
        assert table.read_lock().lock == later

    def test_write_lock_removed_lock_is_not_written(self, table: Table) -> None:
        assert not table.write_lock(LOCK, expected="t1")
        assert table.read_lock().lock is None

    def test_write_lock_at_once_has_one_winner(self, table: Table) -> None:
        locks = [replace(LOCK, token=f"t{index}") for index in range(16)]

        with ThreadPoolExecutor(8) as pool:
            won = list(pool.map(lambda lock: table.write_lock(lock, expected=""), locks))

        assert won.count(True) == 1
        assert table.read_lock().lock == locks[won.index(True)]

    def test_remove_lock_needs_its_token(self, table: Table) -> None:
        table.write_lock(LOCK, expected="")

        table.remove_lock("t2")
        kept = table.read_lock().lock
        table.remove_lock("t1")
        table.remove_lock("t1")

        assert (kept, table.read_lock().lock) == (LOCK, None)

    def test_read_lock_time_is_aware(self, table: Table) -> None:
        assert table.read_lock().now.utcoffset() == timedelta(0)

    def test_exists_from_its_creation_to_its_deletion(self, missing: Table) -> None:
        before = missing.exists()
        missing.create(tags={})
        missing.add({})
        during = missing.exists()
        missing.delete()
        missing.delete()

        assert (before, during, missing.exists(), missing.documents(5)) == (False, True, False, ())

    def test_tag_adds_tags_and_replaces_values_until_the_table_is_deleted(self, missing: Table) -> None:
        before = missing.tags()
        missing.create(tags={"created-by": "inv deploy", "expires-at": "2026-01-02T03:04:05+00:00"})
        missing.create(tags={"expires-at": "2027-01-02T03:04:05+00:00"})
        created = dict(missing.tags())
        missing.tag({"expires-at": "2026-02-03T04:05:06+00:00"})
        changed = dict(missing.tags())
        missing.delete()

        assert (before, missing.tags()) == ({}, {})
        assert created == {"created-by": "inv deploy", "expires-at": "2026-01-02T03:04:05+00:00"}
        assert changed == {"created-by": "inv deploy", "expires-at": "2026-02-03T04:05:06+00:00"}

    def test_retained_of_a_missing_table_is_empty(self, missing: Table) -> None:
        assert missing.retained("shop") == ()

    def test_write_retained_replaces_what_was_there(self, table: Table) -> None:
        table.write_retained("shop", [{"logical_id": "Sales", "definition": {"ä": None}}])
        table.write_retained("shop", [{"logical_id": "Ledger"}])
        table.write_retained("shop-base", [{"logical_id": "Stock"}])

        assert table.retained("shop") == ({"logical_id": "Ledger"},)
        assert (table.retained("other"), table.documents(5)) == ((), ())

    def test_watch_mark_of_a_missing_table_is_none(self, missing: Table) -> None:
        assert missing.watch_mark() is None

    def test_watch_mark_is_replaced_and_removed(self, table: Table) -> None:
        assert table.watch_mark() is None

        table.write_watch_mark({"person": "ann@desk"})
        table.write_watch_mark({"person": "ben@desk", "since": "2026-01-02"})
        assert table.watch_mark() == {"person": "ben@desk", "since": "2026-01-02"}
        assert (table.documents(5), table.read_lock().lock, table.retained("code")) == ((), None, ())

        table.remove_watch_mark()
        table.remove_watch_mark()
        assert table.watch_mark() is None

    def test_lock_is_not_a_release(self, table: Table) -> None:
        table.write_lock(LOCK, expected="")

        assert table.documents(5) == ()
        assert table.add({}) == 1

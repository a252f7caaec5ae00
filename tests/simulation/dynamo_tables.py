"""The tables of DynamoDB in memory: typed items, each with the version before it, for readers that lag behind."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from tests.simulation.deployment import Table
from tests.simulation.world import World

type Item = Mapping[str, Any]
type Key = tuple[str, ...]
type Watch = Callable[[str, Item | None, Item | None], None]


class Version(NamedTuple):
    """An item, and what it was before it last changed."""

    item: Item | None
    changed_at: int
    before: Item | None


class TableData:
    """The items of one table."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.versions: dict[Key, Version] = {}
        self.partitions: dict[str, dict[Key, None]] = {}

    def key_of(self, item: Item) -> Key:
        """Return the key of an item.

        Raises:
            ClientError: a key attribute is missing or is not a text.
        """
        try:
            key = tuple(str(item[name]["S"]) for name in self.table.key)
        except KeyError as error:
            raise refusal("ValidationException", f"One of the required keys was not given a value: {error}") from error
        if not all(key):
            raise refusal("ValidationException", "One or more parameter values are not valid: empty string value")
        return key

    def read(self, key: Key) -> Item | None:
        """Return the newest version of an item."""
        version = self.versions.get(key)
        return None if version is None else version.item

    def write(self, key: Key, item: Item | None, now: int) -> None:
        self.versions[key] = Version(item, now, self.read(key))
        self.partitions.setdefault(key[0], {}).setdefault(key)

    def items(self) -> Iterator[Item]:
        """Yield every item, by key."""
        for key in sorted(self.versions):
            item = self.versions[key].item
            if item is not None:
                yield item


class Tables:
    """Every table of the account. `watch` is called with each change: table, item before, item after."""

    def __init__(self, world: World, tables: Mapping[str, Table], watch: Watch) -> None:
        self.world = world
        self.data = {name: TableData(table) for name, table in tables.items()}
        self._watch = watch
        self.tokens: dict[str, None] = {}

    def named(self, name: str) -> TableData:
        """Return a table.

        Raises:
            ClientError: there is no such table.
        """
        if name not in self.data:
            raise refusal("ResourceNotFoundException", "Requested resource not found")
        return self.data[name]

    def write(self, data: TableData, key: Key, item: Item | None) -> None:
        """Replace an item; None deletes it."""
        before = data.read(key)
        data.write(key, item, self.world.now)
        self._watch(data.table.name, before, item)

    def visible(self, version: Version, *, lag: int) -> Item | None:
        """Return the item as a reader sees it that lags so many microseconds behind."""
        return version.before if self.world.now - version.changed_at < lag else version.item


def refusal(code: str, message: str, operation: str = "Operation", *, status: int = 400, **more: Any) -> ClientError:
    """Return the client's error for a refused request."""
    answer: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}, **more}
    return ClientError(answer, operation)


def check_item(item: Item) -> None:
    for name, value in item.items():
        if "L" not in value and [] in value.values():
            raise refusal("ValidationException", f"One or more parameter values are not valid: {name} is an empty set")

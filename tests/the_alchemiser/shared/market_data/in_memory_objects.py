"""An ObjectStore in a dict, with the conditional writes of S3 and failures that a test can plant."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from threading import Lock

from the_alchemiser.shared.errors import StateUnavailableError
from the_alchemiser.shared.market_data.objects import ObjectChangedError, StoredObject, digest_of


@dataclass
class InMemoryObjects:
    """Objects by key.

    Attributes:
        writes: keys in the order they were written.
        refuses: keys whose writes fail before anything is stored.
        loses_answer: keys whose writes are stored but whose answer is lost, so that the client repeats the write.
        unreadable: keys whose reads fail.
        before_write: called once before the next write, in place of another process.
    """

    objects: dict[str, StoredObject] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)
    loses_answer: set[str] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=set)
    before_write: Callable[[], None] | None = None
    _versions: "count[int]" = field(default_factory=count)
    _lock: Lock = field(default_factory=Lock)

    def get(self, key: str) -> StoredObject | None:
        if key in self.unreadable:
            raise StateUnavailableError(f"{key}: planted")
        return self.objects.get(key)

    def put(self, key: str, body: bytes, *, content_type: str, replaces: str | None) -> None:
        callback, self.before_write = self.before_write, None
        if callback is not None:
            callback()
        self._put_if(key, body, replaces)
        if key in self.loses_answer:
            self._put_if(key, body, replaces)

    def overwrite(self, key: str, body: bytes, *, content_type: str) -> None:
        stored = self.objects.get(key)
        self.put(key, body, content_type=content_type, replaces=None if stored is None else stored.version)

    def url(self, key: str) -> str:
        return f"s3://lake/{key}"

    def plant(self, key: str, body: bytes, *, sha256: str | None = None) -> None:
        """Store any bytes with any digest or none, as another tool might."""
        self.objects[key] = StoredObject(body, f'"{next(self._versions)}"', sha256)

    def _put_if(self, key: str, body: bytes, replaces: str | None) -> None:
        with self._lock:
            if key in self.refuses:
                raise StateUnavailableError(f"{key}: planted")
            stored = self.objects.get(key)
            if (None if stored is None else stored.version) != replaces:
                raise ObjectChangedError(f"{key}: another writer changed it first")
            self.plant(key, body, sha256=digest_of(body))
            self.writes.append(key)

"""An ObjectStore in a dict, with the conditional writes of S3 and failures that can be planted at any write."""

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
        refuses: a write of such a key fails before anything is stored.
        loses_answer: a write of such a key is stored, and its answer is lost; the store's client repeats it.
        before_write: runs once before the next write: another process at work.
        unreadable: reads of such a key fail.
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
        other, self.before_write = self.before_write, None
        if other is not None:
            other()
        self._put_if(key, body, replaces)
        if key in self.loses_answer:
            self._put_if(key, body, replaces)

    def overwrite(self, key: str, body: bytes, *, content_type: str) -> None:
        stored = self.objects.get(key)
        self.put(key, body, content_type=content_type, replaces=None if stored is None else stored.version)

    def url(self, key: str) -> str:
        return f"s3://lake/{key}"

    def plant(self, key: str, body: bytes, *, sha256: str | None = None) -> None:
        """Put bytes as another tool would: any bytes, with any digest or none."""
        self.objects[key] = StoredObject(body, f'"{next(self._versions)}"', sha256)

    def _put_if(self, key: str, body: bytes, replaces: str | None) -> None:
        with self._lock:
            if key in self.refuses:
                raise StateUnavailableError(f"{key}: planted")
            stored = self.objects.get(key)
            if (None if stored is None else stored.version) != replaces:
                raise ObjectChangedError(f"{key}: another writer was faster")
            self.plant(key, body, sha256=digest_of(body))
            self.writes.append(key)

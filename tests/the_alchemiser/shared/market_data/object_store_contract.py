"""The contract of every ObjectStore; a test class of one inherits it."""

from abc import ABC, abstractmethod
from uuid import uuid4

import pytest

from the_alchemiser.shared.market_data.objects import ObjectChangedError, ObjectStore, digest_of


class ObjectStoreContract(ABC):
    @pytest.fixture
    @abstractmethod
    def store(self) -> ObjectStore: ...

    @pytest.fixture
    def key(self) -> str:
        return f"quality/v1/{uuid4().hex}.json"

    def test_get_missing_returns_none(self, store: ObjectStore, key: str) -> None:
        assert store.get(key) is None

    def test_put_new_is_read_back_with_its_digest(self, store: ObjectStore, key: str) -> None:
        store.put(key, b"one", content_type="text/plain", replaces=None)
        stored = store.get(key)

        assert stored is not None
        assert (stored.body, stored.sha256) == (b"one", digest_of(b"one"))

    def test_put_new_over_an_object_changes_nothing(self, store: ObjectStore, key: str) -> None:
        store.put(key, b"one", content_type="text/plain", replaces=None)
        with pytest.raises(ObjectChangedError):
            store.put(key, b"two", content_type="text/plain", replaces=None)

        assert _body(store, key) == b"one"

    def test_put_over_the_read_version_replaces_it(self, store: ObjectStore, key: str) -> None:
        store.put(key, b"one", content_type="text/plain", replaces=None)
        store.put(key, b"two", content_type="text/plain", replaces=_version(store, key))

        assert _body(store, key) == b"two"

    def test_put_over_an_older_version_changes_nothing(self, store: ObjectStore, key: str) -> None:
        store.put(key, b"one", content_type="text/plain", replaces=None)
        old = _version(store, key)
        store.put(key, b"two", content_type="text/plain", replaces=old)
        with pytest.raises(ObjectChangedError):
            store.put(key, b"three", content_type="text/plain", replaces=old)

        assert _body(store, key) == b"two"

    def test_overwrite_needs_no_version(self, store: ObjectStore, key: str) -> None:
        store.overwrite(key, b"one", content_type="text/plain")
        store.overwrite(key, b"two", content_type="text/plain")

        assert _body(store, key) == b"two"

    def test_url_names_the_key(self, store: ObjectStore, key: str) -> None:
        assert store.url(key).startswith("s3://")
        assert store.url(key).endswith(f"/{key}")


def _body(store: ObjectStore, key: str) -> bytes:
    stored = store.get(key)
    return b"" if stored is None else stored.body


def _version(store: ObjectStore, key: str) -> str | None:
    stored = store.get(key)
    return None if stored is None else stored.version

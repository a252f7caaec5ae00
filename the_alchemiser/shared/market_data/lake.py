"""The data lake: the bars of a symbol in `bars/v1/<SYMBOL>.parquet`, described by `<SYMBOL>.json` beside it.

A parquet object carries its digest in its own metadata. Bytes and digest thus change in one write, and no reader can
see one without the other. The JSON repeats the digest, for programs that list the lake. Bytes that match neither digest
are damaged and are never parsed.

Before a write, the encoded bars are decoded again and compared. The write then replaces only the version that was read
before, and the object is read back. A failure before that leaves the old object in place.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any, ClassVar, Self

from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.market_data.bars import Bars, UnreadableBarsError, decode_bars, decode_columns, encode_bars
from the_alchemiser.shared.market_data.objects import ObjectChangedError, ObjectStore, StoredObject, digest_of
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.threads import map_in_threads
from the_alchemiser.shared.values import UtcDatetime, Value

PREFIX = "bars/v1"
_DESCRIBE_ATTEMPTS = 3


class BarsNotWrittenError(AlchemiserError):
    """The bars changed when they were encoded and decoded again. The old object was left in place."""


class BarsDamagedError(AlchemiserError):
    """The object that was just written has other bytes. Readers see that it is damaged; the next refresh repairs it."""

    retryable: ClassVar[bool] = True


class Description(Value):
    """The content of `<SYMBOL>.json`: a description of the parquet file beside it.

    Attributes:
        digest: SHA-256 of the parquet file, hex.
        source: host that served the bars.
        fetched_at: business time, UTC.
        close_only: true when every bar has open = high = low = close, and volume 0.
        asked_from: first date that was requested from the source. The source may have earlier bars.
    """

    rows: int
    first_date: date
    last_date: date
    digest: str
    source: str
    fetched_at: UtcDatetime
    close_only: bool
    asked_from: date | None = None

    @classmethod
    def of(cls, bars: Bars, *, digest: str, origin: "FetchOrigin") -> Self:
        """Describe at least one bar."""
        return cls(
            rows=len(bars),
            first_date=bars[0].date,
            last_date=bars[-1].date,
            digest=digest,
            source=origin.source,
            fetched_at=origin.fetched_at,
            close_only=all(bar.is_close_only for bar in bars),
            asked_from=origin.asked_from,
        )


class FetchOrigin(Frozen):
    """The source and the time of a fetch, and the first date that it requested."""

    source: str
    fetched_at: datetime
    asked_from: date


class LakeEntry(Frozen):
    """One symbol of the lake, as it was read.

    Attributes:
        bars: in the file's order; empty when there is a fault.
        digest: SHA-256 of the parquet file, hex; empty when there is no file.
        version: version of the parquet object; None when there is none.
        fault: `missing: …` or `damaged: …`; None when the bars are the ones that were written.
    """

    symbol: str
    bars: Bars = ()
    digest: str = ""
    version: str | None = None
    fault: str | None = None


class StoredDescription(Frozen):
    """The JSON beside a parquet file, and its version.

    Attributes:
        description: None when the JSON is missing or cannot be parsed.
        version: None when the JSON is missing.
    """

    description: Description | None
    version: str | None


class Lake:
    """Reads and replaces bars. Threads may share it when they may share its store."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    def read(self, symbol: str) -> LakeEntry:
        """Return the symbol's bars after checking their digest. A missing or damaged file gives an entry with a fault.

        Raises:
            StateUnavailableError: the store did not answer.
        """
        entry, bars = self._read_verified(symbol, decode_bars)
        return entry.changed(bars=bars)

    def read_columns(self, symbol: str, names: Iterable[str]) -> tuple[LakeEntry, tuple[Any, ...]]:
        """Return an entry without bars, and the named columns as arrow arrays, `()` when the entry has a fault.

        This is faster than `read`, which builds a Python object per bar. `decode_columns` describes the arrays.

        Raises:
            StateUnavailableError: the store did not answer.
        """
        return self._read_verified(symbol, lambda body: decode_columns(body, names))

    def read_all(self, symbols: Iterable[str]) -> Mapping[str, LakeEntry]:
        """Read many symbols at once; keys ascend.

        Raises:
            StateUnavailableError: the store did not answer.
        """
        return map_in_threads(self.read, symbols)

    def describe(self, symbol: str) -> StoredDescription:
        """Return the description of the symbol's bars.

        Raises:
            StateUnavailableError: the store did not answer.
        """
        stored = self._objects.get(description_key(symbol))
        if stored is None:
            return StoredDescription(None, None)
        try:
            return StoredDescription(Description.read_json(stored.body), stored.version)
        except ValueError:
            return StoredDescription(None, stored.version)

    def describe_all(self, symbols: Iterable[str]) -> Mapping[str, StoredDescription]:
        """Return the descriptions of many symbols at once; keys ascend.

        Raises:
            StateUnavailableError: the store did not answer.
        """
        return map_in_threads(self.describe, symbols)

    def replace(self, entry: LakeEntry, bars: Bars, *, origin: FetchOrigin) -> LakeEntry:
        """Replace the entry that was read with new bars. Equal bars write nothing.

        Args:
            entry: what `read` returned; the write fails if the stored object has changed since then.
            bars: at least one, dates strictly ascending.

        Returns:
            The entry with the new bars and digest. Its version is still the one that was replaced.

        Raises:
            BarsNotWrittenError: the bars differ after encoding and decoding them.
            BarsDamagedError: the stored object differs from what was written.
            ObjectChangedError: another writer replaced the entry since it was read, or just now.
            StateUnavailableError: the store failed. The parquet object is complete, either the old one or the new one.
        """
        body = encode_bars(bars)
        if decode_bars(body) != bars:
            raise BarsNotWrittenError(f"{parquet_key(entry.symbol)}: the bars differ after encoding and decoding them")

        # The parquet object first: it carries its own digest, so readers need no JSON. If the process stops in between,
        # the next replace writes the JSON.
        written = LakeEntry(entry.symbol, bars, digest_of(body), entry.version)
        is_new = written.digest != entry.digest or bool(entry.fault)
        if is_new:
            self._put_parquet(written, body)
        description = Description.of(bars, digest=written.digest, origin=origin)
        self._put_description(written.symbol, description, body, is_new=is_new)
        return written

    def _read_verified[T](
        self, symbol: str, decode: Callable[[bytes], tuple[T, ...]]
    ) -> tuple[LakeEntry, tuple[T, ...]]:
        """Return the entry without bars, and the decoded content, which is empty when the entry has a fault."""
        key = parquet_key(symbol)
        stored = self._objects.get(key)
        if stored is None:
            return LakeEntry(symbol, fault=f"missing: no {key}"), ()

        entry = LakeEntry(symbol, digest=digest_of(stored.body), version=stored.version)
        # The digest is checked before the parser runs: damaged bytes must never reach a decision.
        if not self._matches_recorded_digest(symbol, stored, entry.digest):
            return entry.changed(fault=f"damaged: {key} does not match its digest"), ()
        try:
            return entry, decode(stored.body)
        except UnreadableBarsError as error:
            return entry.changed(fault=f"damaged: {key}: {error}"), ()

    def _matches_recorded_digest(self, symbol: str, stored: StoredObject, digest: str) -> bool:
        if stored.sha256 is not None:
            return stored.sha256 == digest
        description = self.describe(symbol).description
        return description is not None and description.digest == digest

    def _put_parquet(self, written: LakeEntry, body: bytes) -> None:
        key = parquet_key(written.symbol)
        try:
            self._objects.put(key, body, content_type="application/vnd.apache.parquet", replaces=written.version)
        except ObjectChangedError:
            # After a lost response the S3 client repeats the write, which then finds the object it has just written.
            stored = self._objects.get(key)
            if stored is None or stored.sha256 != written.digest or stored.body != body:
                raise

    def _put_description(self, symbol: str, description: Description, body: bytes, *, is_new: bool) -> None:
        """Read the parquet object back if it is new, and describe it."""
        for attempt in range(_DESCRIBE_ATTEMPTS):
            stored = self.describe(symbol)
            is_described = stored.description is not None and _is_up_to_date(stored.description, description)
            if is_described and not is_new:
                return

            # After the JSON was read, not before: a refresh that replaces the parquet object later also replaces the
            # JSON later, and one of the two writes of the JSON fails. So a refresh that ends late cannot describe its
            # own bars when they are not stored any more.
            self._require_stored(symbol, body)
            if is_described:
                return
            text = description.to_json(indent=2).encode()
            try:
                self._objects.put(
                    description_key(symbol), text, content_type="application/json", replaces=stored.version
                )
            except ObjectChangedError:
                if attempt == _DESCRIBE_ATTEMPTS - 1:
                    raise
            else:
                return

    def _require_stored(self, symbol: str, body: bytes) -> None:
        key, digest = parquet_key(symbol), digest_of(body)
        stored = self._objects.get(key)
        if stored is not None and stored.body == body:
            return
        if stored is not None and stored.sha256 == digest:
            raise BarsDamagedError(f"{key}: {len(stored.body)} bytes were read back, not the {len(body)} written")
        raise ObjectChangedError(f"{key}: another writer replaced it")


def _is_up_to_date(stored: Description, wanted: Description) -> bool:
    return stored.digest == wanted.digest and stored.asked_from == wanted.asked_from


def parquet_key(symbol: str) -> str:
    """Return the key of a symbol's bars."""
    return f"{PREFIX}/{symbol}.parquet"


def description_key(symbol: str) -> str:
    """Return the key of the description of a symbol's bars."""
    return f"{PREFIX}/{symbol}.json"

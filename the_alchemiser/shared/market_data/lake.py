"""The data lake: `bars/v1/<SYMBOL>.parquet`, and beside it `<SYMBOL>.json`, which describes it.

A parquet object carries its digest in its own metadata, so that bytes and digest change in one write and no reader
falls between the two objects; the JSON repeats the digest for whoever lists the lake. Bytes that match neither are
damaged and never parsed. A write is encoded whole, decoded again, compared, and then replaces exactly the version it
was made from: what fails before that leaves the old object.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.market_data.bars import Bars, UnreadableBarsError, decode, decode_columns, encode
from the_alchemiser.shared.market_data.objects import ObjectChangedError, ObjectStore, StoredObject, digest_of

PREFIX = "bars/v1"
THREADS = 16
_DESCRIBE_ATTEMPTS = 3


class BarsNotWrittenError(AlchemiserError):
    """Bars that do not survive encoding; the old object stands."""


class Description(BaseModel):
    """What `<SYMBOL>.json` says of the parquet beside it.

    Attributes:
        digest: sha256 of the parquet's bytes, hex.
        source: host the bars came from.
        fetched_at: business time, UTC.
        close_only: every bar is open = high = low = close, volume 0.
        asked_from: first date that was asked of the source; earlier bars may exist there.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    rows: int
    first_date: date
    last_date: date
    digest: str
    source: str
    fetched_at: AwareDatetime
    close_only: bool
    asked_from: date | None = None

    @classmethod
    def of(cls, bars: Bars, *, digest: str, origin: "Origin") -> Self:
        """Describe bars, at least one."""
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


class Origin(NamedTuple):
    """Where and when bars were fetched."""

    source: str
    fetched_at: datetime
    asked_from: date


class Entry(NamedTuple):
    """A symbol of the lake as one read found it.

    Attributes:
        bars: in the file's order; empty when `fault` says why there are none to use.
        digest: sha256 of the parquet's bytes; empty when there is no parquet.
        version: of the parquet object; None when there is none.
        fault: `missing: …` or `damaged: …`; None when the bars are as they were written.
    """

    symbol: str
    bars: Bars = ()
    digest: str = ""
    version: str | None = None
    fault: str | None = None


class Described(NamedTuple):
    """The JSON beside a parquet; description is None when it is absent or unreadable."""

    description: Description | None
    version: str | None


class Lake:
    """Reads and replaces bars. Safe to share between threads, as its store is."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    def read(self, symbol: str) -> Entry:
        """The symbol's bars, verified; an absent or damaged file is an entry with a fault.

        Raises:
            StateUnavailableError: the store did not answer.
        """
        entry, bars = self._decoded(symbol, decode)
        return entry._replace(bars=bars)

    def read_columns(self, symbol: str, names: Iterable[str]) -> tuple[Entry, tuple[Any, ...]]:
        """`read` without making bars: an entry that has none, and the arrow arrays of `decode_columns`.

        Raises:
            StateUnavailableError: the store did not answer.
        """
        return self._decoded(symbol, lambda body: decode_columns(body, names))

    def read_all(self, symbols: Iterable[str]) -> Mapping[str, Entry]:
        """`read` of many at once, by symbol, ascending."""
        return each(self.read, symbols)

    def describe(self, symbol: str) -> Described:
        """The JSON beside the symbol's parquet."""
        stored = self._objects.get(description_key(symbol))
        if stored is None:
            return Described(None, None)
        try:
            return Described(Description.model_validate_json(stored.body), stored.version)
        except ValidationError:
            return Described(None, stored.version)

    def describe_all(self, symbols: Iterable[str]) -> Mapping[str, Described]:
        """`describe` of many at once, by symbol, ascending."""
        return each(self.describe, symbols)

    def replace(self, entry: Entry, bars: Bars, *, origin: Origin) -> Entry:
        """Put bars in the place of the entry that was read; the same bars again write nothing.

        Args:
            bars: dates strictly ascending, at least one.

        Returns:
            The entry as it now stands.

        Raises:
            BarsNotWrittenError: the bars do not come back from their own encoding.
            ObjectChangedError: somebody else replaced the entry since it was read.
            StateUnavailableError: the store failed; the old parquet or the new one stands, whole.
        """
        body = encode(bars)
        if decode(body) != bars:
            raise BarsNotWrittenError(f"{parquet_key(entry.symbol)}: the encoded bars differ from those to write")
        written = Entry(entry.symbol, bars, digest_of(body), entry.version)
        if written.digest != entry.digest or entry.fault:
            self._put_parquet(written, body)
        self._put_description(written.symbol, Description.of(bars, digest=written.digest, origin=origin))
        return written

    def _decoded[T](self, symbol: str, form: Callable[[bytes], tuple[T, ...]]) -> tuple[Entry, tuple[T, ...]]:
        """What is known of the symbol's parquet, and its content, which is empty with a fault."""
        key = parquet_key(symbol)
        stored = self._objects.get(key)
        if stored is None:
            return Entry(symbol, fault=f"missing: no {key}"), ()
        entry = Entry(symbol, digest=digest_of(stored.body), version=stored.version)
        if not self._is_vouched_for(symbol, stored, entry.digest):
            return entry._replace(fault=f"damaged: {key} does not match its digest"), ()
        try:
            return entry, form(stored.body)
        except UnreadableBarsError as error:
            return entry._replace(fault=f"damaged: {key}: {error}"), ()

    def _is_vouched_for(self, symbol: str, stored: StoredObject, digest: str) -> bool:
        if stored.sha256 is not None:
            return stored.sha256 == digest
        description = self.describe(symbol).description
        return description is not None and description.digest == digest

    def _put_parquet(self, written: Entry, body: bytes) -> None:
        key = parquet_key(written.symbol)
        try:
            self._objects.put(key, body, content_type="application/vnd.apache.parquet", replaces=written.version)
        except ObjectChangedError:
            # A write repeated after a lost answer meets itself.
            stands = self._objects.get(key)
            if stands is None or stands.sha256 != written.digest or stands.body != body:
                raise

    def _put_description(self, symbol: str, description: Description) -> None:
        for attempt in range(_DESCRIBE_ATTEMPTS):
            described = self.describe(symbol)
            if described.description is not None and _says_the_same(described.description, description):
                return
            body = description.model_dump_json(indent=2).encode()
            try:
                self._objects.put(
                    description_key(symbol), body, content_type="application/json", replaces=described.version
                )
            except ObjectChangedError:
                if attempt == _DESCRIBE_ATTEMPTS - 1:
                    raise
            else:
                return


def _says_the_same(stored: Description, wanted: Description) -> bool:
    return stored.digest == wanted.digest and stored.asked_from == wanted.asked_from


def each[T](work: Callable[[str], T], symbols: Iterable[str]) -> Mapping[str, T]:
    """Do the work for every symbol, in threads, since it waits for the store; by symbol, ascending."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - handlers import this module cold

    wanted = sorted(set(symbols))
    with ThreadPoolExecutor(THREADS) as pool:
        return dict(zip(wanted, pool.map(work, wanted), strict=True))


def parquet_key(symbol: str) -> str:
    """Where a symbol's bars lie."""
    return f"{PREFIX}/{symbol}.parquet"


def description_key(symbol: str) -> str:
    """Where what describes them lies."""
    return f"{PREFIX}/{symbol}.json"

"""The lake of a deployed environment, as the commands of a person read it."""

import difflib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from automation.system.errors import CheckFailedError, ConfigurationError, UsageError
from desk.operations.environment import Environment
from the_alchemiser.shared.errors import StateUnavailableError
from the_alchemiser.shared.formats import plural
from the_alchemiser.shared.market_data.lake import PREFIX, Lake, LakeEntry, parquet_key
from the_alchemiser.shared.market_data.objects import ObjectStore
from the_alchemiser.shared.market_data.verdict import Verdict, VerdictMalformedError, read_verdict
from the_alchemiser.shared.symphony import canonical_symbol

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

type Connect = Callable[[Path, str], Environment]
_PARQUET = ".parquet"


@dataclass(frozen=True, slots=True)
class StoredLake:
    """The bars and the verdict of an environment."""

    environment: str
    bucket: str
    objects: ObjectStore
    client: "S3Client"

    @property
    def lake(self) -> Lake:
        return Lake(self.objects)

    def symbols(self) -> tuple[str, ...]:
        """Return every symbol that has a parquet object, sorted."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=f"{PREFIX}/")
        stored = chain.from_iterable(page.get("Contents", ()) for page in pages)
        paths = [PurePosixPath(entry["Key"]) for entry in stored]
        return tuple(sorted(path.name.removesuffix(_PARQUET) for path in paths if path.suffix == _PARQUET))

    def verdict(self) -> Verdict | None:
        """Return the latest verdict; None before the first."""
        return read_verdict(self.objects)

    def read(self, symbol: str) -> LakeEntry:
        """Return the bars of a symbol.

        Raises:
            UsageError: the lake has none; the message has similar symbols.
            CheckFailedError: the object is damaged.
        """
        entry = self.lake.read(symbol)
        if entry.version is None:
            raise self.unknown(symbol)
        if entry.fault:
            message = f"{self.objects.url(parquet_key(symbol))} cannot be used: {entry.fault}"
            raise CheckFailedError(f"{message}; run {self.refresh_of(symbol)}", where=self.environment)
        return entry

    def refresh_of(self, *symbols: str) -> str:
        """Return the command that loads these symbols."""
        return " ".join(("inv data.refresh", *symbols, "--env", self.environment))

    def unknown(self, symbol: str) -> UsageError:
        """Return the error about a symbol that the lake does not have, with similar ones."""
        known = self.symbols()
        similar = difflib.get_close_matches(symbol, known, n=3)
        meant = f"similar: {', '.join(similar)}" if similar else f"it has {plural(len(known), 'other symbol')}"
        message = f"the lake has no bars of {symbol} ({meant})"
        return UsageError(
            f"{message}; run inv data.status --env {self.environment}, or {self.refresh_of(symbol)}",
            where=self.environment,
        )


@contextmanager
def opened(environment: Environment) -> Iterator[StoredLake]:
    """Yield the lake, and turn what goes wrong with it into errors that a person can act on.

    Raises:
        ConfigurationError: the bucket does not exist.
        CheckFailedError: the verdict cannot be parsed.
        AutomationError: AWS or the broker does not answer.
    """
    bucket = environment.output("BucketName")
    with environment.errors():
        try:
            yield StoredLake(environment.name, bucket, environment.objects(), environment.client("s3"))
        except (ClientError, StateUnavailableError) as cause:
            if "NoSuchBucket" not in str(cause):
                raise
            message = f"the bucket {bucket} of the lake does not exist; run inv deploy --env {environment.name}"
            raise ConfigurationError(message, where=environment.name) from cause
        except VerdictMalformedError as cause:
            raise CheckFailedError(str(cause), where=environment.name) from cause


def parse_symbols(texts: Iterable[str], *, task: str) -> tuple[str, ...]:
    """Return the symbols as the broker writes them, each once, in the order in which they were typed.

    Raises:
        UsageError: a text cannot be a symbol; the message names every one.
    """
    symbols: list[str] = []
    wrong: list[str] = []
    for text in texts:
        try:
            symbols.append(canonical_symbol(text))
        except ValueError:
            wrong.append(text)
    if wrong:
        message = f"found {', '.join(sorted(set(wrong)))}, expected symbols as the broker writes them: SPY BRK.B"
        raise UsageError(message, where=task)
    return tuple(dict.fromkeys(symbols))


def require_any(symbols: tuple[str, ...], lake: StoredLake) -> tuple[str, ...]:
    """Return the symbols.

    Raises:
        UsageError: there are none.
    """
    if not symbols:
        raise UsageError(f"the lake has no bars yet; run {lake.refresh_of()}", where=lake.environment)
    return symbols

"""How far a refresh has come: the deliveries of one request continue where the last one ended, and people follow it."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import batched
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import msgspec

from the_alchemiser.shared import aws
from the_alchemiser.shared.dynamo import plain, put_if, typed
from the_alchemiser.shared.errors import AlchemiserError, StateUnavailableError
from the_alchemiser.shared.messaging.wiring import Context, logger
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.values import Value

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from the_alchemiser.shared.messaging.messages import MarketDataRefreshed

KEPT = timedelta(days=1)
NO_LIMIT_S = 86_400.0
LEAST_TIME_S = 10.0  # a request to the broker may wait 8 s for the rate limit
SYMBOLS_AT_ONCE = 25
HISTORIES_AT_ONCE = 5  # six years of them are one page of the broker's


class SymbolOutcome(Value):
    """What became of one symbol.

    Attributes:
        before, after: the digests of its bars, hex; empty when there are none.
        error: `reason: text`; empty when the symbol is up to date.
        is_retryable: a later delivery tries again.
        repaired: the fault of a damaged object that was replaced, `damaged: …`; empty when there was none.
    """

    before: str
    after: str
    error: str = ""
    is_retryable: bool = False
    repaired: str = ""


class RefreshProgress(Value):
    """What is known of a request.

    Attributes:
        symbols: all that are to be refreshed.
        outcomes: of those that were tried.
        is_finished: no delivery follows.
    """

    request_id: str
    symbols: tuple[str, ...]
    outcomes: Mapping[str, SymbolOutcome]
    is_finished: bool = False


class ProgressStore(Protocol):
    """The progress of every request with an id."""

    def read(self, request_id: str) -> RefreshProgress | None:
        """Return the progress of a request; None before its first batch, or if the item cannot be parsed.

        Raises:
            StateUnavailableError: the table did not answer.
        """
        ...

    def write(self, progress: RefreshProgress) -> None:
        """Replace the progress, unless the request has been finished. An item that `read` could not parse is replaced.

        Raises:
            StateUnavailableError: the table did not answer.
        """
        ...


class RefreshIncompleteError(AlchemiserError):
    """Some symbols are not refreshed, and the next delivery may succeed.

    Attributes:
        refreshed: what to publish when no delivery follows; None when no symbol was refreshed.
        finish: notes that no delivery follows.
    """

    retryable: ClassVar[bool] = True

    def __init__(self, text: str, refreshed: "MarketDataRefreshed | None", finish: Callable[[], None]) -> None:
        super().__init__(text)
        self.refreshed = refreshed
        self.finish = finish


class Request(Frozen):
    """What to refresh.

    Attributes:
        id: the same in each delivery; empty when the request has none, so that each delivery starts over.
        is_full: fetch the whole history, not only what is new.
        caused_by: id of the message that asked for it; None for a command.
    """

    id: str
    symbols: tuple[str, ...]
    is_full: bool
    caused_by: str | None = None


class Attempt(msgspec.Struct):
    """One delivery of a request.

    Attributes:
        outcomes: of this delivery, and the final ones of those before it.
    """

    request: Request
    store: ProgressStore
    time_left_s: Callable[[], float]
    outcomes: dict[str, SymbolOutcome] = {}

    def resume(self) -> None:
        """Take over what earlier deliveries have finished.

        Raises:
            StateUnavailableError: the table did not answer.
        """
        progress = self.store.read(self.request.id) if self.request.id else None
        if progress is not None:
            self.outcomes |= {name: done for name, done in progress.outcomes.items() if not done.is_retryable}

    @property
    def left(self) -> tuple[str, ...]:
        """Return the symbols without an outcome, sorted."""
        return tuple(sorted(set(self.request.symbols) - self.outcomes.keys()))

    def batches(self) -> Iterator[tuple[str, ...]]:
        """Yield the symbols that are left while there is time for another batch; the first one comes in any case."""
        size, longest_s = HISTORIES_AT_ONCE if self.request.is_full else SYMBOLS_AT_ONCE, 0.0
        for number, symbols in enumerate(batched(self.left, size)):
            before_s = self.time_left_s()
            # Ending here costs nothing. When Lambda ends the function, an alarm rings.
            if number and before_s < max(LEAST_TIME_S, 2 * longest_s):
                return
            yield symbols
            longest_s = max(longest_s, before_s - self.time_left_s())

    def record(self, outcomes: Mapping[str, SymbolOutcome]) -> None:
        """Add outcomes, and store the progress."""
        self.outcomes |= outcomes
        self._write(is_finished=False)

    def finish(self) -> None:
        """Store that no delivery follows."""
        self._write(is_finished=True)

    def _write(self, *, is_finished: bool) -> None:
        if not self.request.id:
            return
        progress = RefreshProgress(
            request_id=self.request.id,
            symbols=tuple(sorted(set(self.request.symbols))),
            outcomes=self.outcomes,
            is_finished=is_finished,
        )
        try:
            self.store.write(progress)
        except StateUnavailableError as error:
            # The bars are stored. The next delivery, if there is one, fetches them again.
            logger.warning("progress not stored", extra={"detail": str(error)})


class DynamoProgress:
    """ProgressStore in the FetchRequests table, under keys that no symbol has. Grants: GetItem and PutItem."""

    def __init__(self, client: "DynamoDBClient", table: str, *, now: Callable[[], datetime]) -> None:
        """Take the wall clock as `now`."""
        self._client = client
        self._table = table
        self._now = now
        self._unreadable: dict[str, Any] = {}  # by request id, the body of the item

    def read(self, request_id: str) -> RefreshProgress | None:
        """See ProgressStore."""
        key = typed({"symbol": _key(request_id)})
        try:
            answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        except (aws.ClientError, aws.BotoCoreError) as error:
            raise StateUnavailableError(f"table {self._table}: {error}") from error

        item = answer.get("Item")
        return None if item is None else self._parse(request_id, plain(item).get("body"))

    def _parse(self, request_id: str, body: Any) -> RefreshProgress | None:
        try:
            return RefreshProgress.read_json(body)
        except (TypeError, ValueError) as error:
            # Starting over loses nothing: the bars are stored, and what is stored is fetched again.
            if request_id not in self._unreadable:
                logger.warning("progress not readable", extra={"request_id": request_id, "detail": str(error)})
            self._unreadable[request_id] = body
            return None

    def write(self, progress: RefreshProgress) -> None:
        """See ProgressStore."""
        row = {
            "symbol": _key(progress.request_id),
            "expires_at": int((self._now() + KEPT).timestamp()),
            "is_finished": progress.is_finished,
            "body": progress.to_json(),
        }
        # SQS may deliver a command twice at the same time: the slower one does not undo the end.
        condition = "attribute_not_exists(body) OR is_finished = :false OR body = :unreadable"
        values = {":false": False, ":unreadable": self._unreadable.get(progress.request_id)}
        try:
            put_if(self._client, self._table, row, condition=condition, values=values)
        except (aws.ClientError, aws.BotoCoreError) as error:
            raise StateUnavailableError(f"table {self._table}: {error}") from error


class Invocation:
    """The current invocation of the function: which message it handles, and how long it may still run."""

    def __init__(self) -> None:
        self.request_id = ""
        self._context: Context | None = None

    def start(self, event: Mapping[str, Any], context: Context) -> None:
        """Begin an invocation.

        SQS gives a message an id, which each of its deliveries has and its sender knows. A command has no other. With
        several messages in one event, there is no request id, so nothing is resumed.
        """
        ids = [str(record.get("messageId", "")) for record in event.get("Records", ())]
        self.request_id = ids[0] if len(ids) == 1 else ""
        self._context = context

    def time_left_s(self) -> float:
        """Return the seconds until Lambda ends the function; a day outside of an invocation."""
        return NO_LIMIT_S if self._context is None else self._context.get_remaining_time_in_millis() / 1000


def _key(request_id: str) -> str:
    return f"REQUEST#{request_id}"

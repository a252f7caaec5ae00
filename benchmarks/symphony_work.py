"""Time the code of StrategyFunction in a fresh process, on a strategy file and a lake in a folder.

One of the measurements includes the imports, so this module imports little more than the handler does.
"""

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Self

from the_alchemiser.shared.book import Book, BookEntry, read_symphony
from the_alchemiser.shared.market_data.lake import Lake
from the_alchemiser.shared.market_data.objects import StoredObject
from the_alchemiser.shared.market_data.verdict import Verdict
from the_alchemiser.shared.messaging.messages import StrategyEvaluated, StrategyRequested
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.symphony import Symphony, required_symbols
from the_alchemiser.shared.symphony.compiler import compile_symphony
from the_alchemiser.shared.symphony.options import StrategyOptions
from the_alchemiser.strategy_v2 import lambda_handler  # noqa: F401 - what Lambda imports first
from the_alchemiser.strategy_v2.history import PriceHistory
from the_alchemiser.strategy_v2.prices import read_prices
from the_alchemiser.strategy_v2.service import Evaluator
from the_alchemiser.strategy_v2.strategy_decision import decide_strategy

AS_OF = date(2025, 12, 31)
DIGESTS = "digests.json"
TEN_YEARS = 2520
_NOW = datetime(2026, 1, 2, 20, 45, tzinfo=UTC)

Figures = Mapping[str, float]


class FolderObjects(Frozen):
    """The lake's bucket as a folder; writes are discarded. As S3 does, it knows the digests that were written."""

    folder: Path
    digests: Mapping[str, str]

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Read the digests of a folder."""
        return cls(folder, json.loads((folder / DIGESTS).read_text("utf-8")))

    def get(self, key: str) -> StoredObject | None:
        path = self.folder / key
        if not path.is_file():
            return None
        return StoredObject(path.read_bytes(), "1", self.digests[key])

    def put(self, key: str, body: bytes, *, content_type: str, replaces: str | None) -> None: ...

    def overwrite(self, key: str, body: bytes, *, content_type: str) -> None: ...

    def url(self, key: str) -> str:
        return str(self.folder / key)


def parse_file(_process_started: float, folder: Path, name: str) -> Figures:
    """Time the parsing and compilation of one file."""
    started = time.perf_counter()
    compile_symphony(read_symphony(folder / f"{name}.clj"))
    return {"seconds": time.perf_counter() - started}


def decide_one_day(_process_started: float, folder: Path, name: str) -> Figures:
    """Time one request: read the file and its history, decide, and write the decision path."""
    started = time.perf_counter()
    _answer(folder, name)
    return {"seconds": time.perf_counter() - started}


def decide_one_day_of_all(_process_started: float, folder: Path, *names: str) -> Figures:
    """Time one day of a book: read its files and their common history, and decide each."""
    from desk.decision_series import evaluate_day  # noqa: PLC0415 - StrategyFunction does not import it

    started = time.perf_counter()
    symphonies = [read_symphony(folder / f"{name}.clj") for name in names]
    history = _history(folder, *symphonies)
    for symphony in symphonies:
        evaluate_day(symphony, history, as_of=AS_OF, inception=AS_OF)
    return {"seconds": time.perf_counter() - started}


def decide_ten_years(_process_started: float, folder: Path, name: str) -> Figures:
    """Time ten years: read a file and its history, and decide every session."""
    from desk.decision_series import evaluate_days  # noqa: PLC0415 - StrategyFunction does not import it

    started = time.perf_counter()
    symphony = read_symphony(folder / f"{name}.clj")
    history = _history(folder, symphony)
    first: date = history.dates[-TEN_YEARS].item()
    decided = evaluate_days(symphony, history, first=first, last=AS_OF, inception=first)
    return {"seconds": time.perf_counter() - started, "days": len(decided.dates), "peak_bytes": peak_bytes()}


def answer_first_request(process_started: float, folder: Path, name: str) -> Figures:
    """Time everything from before the first import to the answer to the first request."""
    _answer(folder, name)
    return {"seconds": time.perf_counter() - process_started}


WORK: Mapping[str, Callable[..., Figures]] = {
    work.__name__: work
    for work in (parse_file, decide_one_day, decide_one_day_of_all, decide_ten_years, answer_first_request)
}


def main(process_started: float, name: str, folder: str, *names: str) -> None:
    """Run one measurement and print its figures as JSON."""
    print(json.dumps(WORK[name](process_started, Path(folder), *names)))  # noqa: T201 - read by the parent process


def _history(folder: Path, *symphonies: Symphony) -> PriceHistory:
    symbols = frozenset[str]().union(*map(required_symbols, symphonies))
    verdict = Verdict(checked_at=_NOW, as_of=AS_OF, quarantined={})
    prices = read_prices(Lake(FolderObjects.of(folder)), symbols, verdict, as_of=AS_OF)
    return PriceHistory.from_series(prices.series, flaws=prices.unusable)


def _answer(folder: Path, name: str) -> StrategyEvaluated:
    entry = BookEntry(name, Decimal(1), date(2021, 1, 4), StrategyOptions(), folder / f"{name}.clj")
    book = Book((entry,))
    run = "local-2026-01-02"
    request = StrategyRequested(
        message_id=f"{run}/StrategyRequested/{name}",
        run_id=run,
        occurred_at=_NOW,
        strategy=name,
        allocation=Decimal(1),
        trading_date=date(2026, 1, 2),
        as_of=AS_OF,
    )

    evaluator = Evaluator(book=lambda: book, objects=FolderObjects.of(folder), decide=decide_strategy)
    answer = evaluator.handle(request).messages[0]
    if not isinstance(answer, StrategyEvaluated):
        raise TypeError(f"the strategy failed, so its time means nothing: {answer}")
    return answer


def peak_bytes() -> int:
    """Return the peak memory of this process only; `getrusage` would include that of its parent."""
    status = Path("/proc/self/status").read_text("ascii")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))

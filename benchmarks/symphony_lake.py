"""Write bars to a folder with the layout of the lake's bucket."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.symphony_work import AS_OF, DIGESTS
from the_alchemiser.shared.market_data.bars import DailyBar, encode_bars
from the_alchemiser.shared.market_data.lake import parquet_key
from the_alchemiser.shared.market_data.objects import digest_of
from the_alchemiser.shared.market_data.verdict import VERDICT_KEY, Verdict


def write(folder: Path, series: Mapping[str, tuple[Any, Any]]) -> None:
    """Write the (dates, closes) of each symbol as parquet, and a verdict that finds nothing wrong."""
    bodies: dict[str, bytes] = {}
    for symbol, (dates, closes) in series.items():
        pairs = zip(dates.tolist(), closes.tolist(), strict=True)
        bars = tuple(DailyBar(day, close, close, close, close, 1e6, close) for day, close in pairs)
        bodies[parquet_key(symbol)] = encode_bars(bars)
    verdict = Verdict(checked_at=datetime(2026, 1, 1, 1, tzinfo=UTC), as_of=AS_OF, quarantined={})
    bodies[VERDICT_KEY] = verdict.to_json().encode()

    for key, body in bodies.items():
        _put(folder / key, body)
    digests = {key: digest_of(body) for key, body in bodies.items()}
    _put(folder / DIGESTS, json.dumps(digests).encode())


def _put(path: Path, body: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)

"""In-memory implementations of the ports of metrics_v2."""

from collections.abc import Iterable, Mapping

from the_alchemiser.shared.performance.rows import LATEST, Performance, row_of


class InMemoryPerformanceStore:
    """Performances in a dict. Like the table, it never replaces the figures of a later run."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Mapping[str, object]] = {}
        self.traded: set[str] = set()

    def add_traded(self, symbols: Iterable[str]) -> frozenset[str]:
        self.traded.update(symbols)
        return frozenset(self.traded)

    def put(self, performance: Performance) -> bool:
        row = row_of(performance)
        self._put({**row, "sk": performance.trading_date.isoformat()})
        return self._put({**row, "sk": LATEST})

    def _put(self, row: Mapping[str, object]) -> bool:
        key = str(row["strategy"]), str(row["sk"])
        if key in self.rows and str(self.rows[key]["edition"]) > str(row["edition"]):
            return False
        self.rows[key] = row
        return True

    def row(self, strategy: str, sk: str) -> Mapping[str, object] | None:
        return self.rows.get((strategy, sk))

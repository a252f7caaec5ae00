"""`inv data.export`: write the bars of the lake to a folder that `--bars` reads."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from automation.system import console, files
from automation.system.errors import CheckFailedError, Finding, UsageError
from desk.data.getting import csv_text
from desk.data.stored_lake import Connect, StoredLake, opened, parse_symbols, require_any
from desk.operations.environment import connect
from the_alchemiser.shared.formats import plural
from the_alchemiser.shared.market_data.bars import encode_bars
from the_alchemiser.shared.threads import map_in_threads

TASK = "data.export"
MANIFEST = "export.json"


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """The options of `data.export` as typed.

    Attributes:
        symbols: those to write; none for all of the lake.
        folder: a new or empty folder, or one with an earlier export, which is replaced.
        as_csv: write CSV instead of parquet.
    """

    symbols: Sequence[str]
    folder: str
    as_csv: bool = False


def export(root: Path, name: str, request: ExportRequest, *, connect: Connect = connect) -> None:
    """Write the bars of the environment `name` to SYMBOL.parquet or SYMBOL.csv files.

    Quarantined and damaged symbols are left out, because no decision of the deployed system uses them.

    Raises:
        UsageError: the folder is missing or has other files, or the lake does not have a symbol.
        CheckFailedError: symbols were left out; all others are written.
        AutomationError: the environment cannot be used, or AWS does not answer.
    """
    symbols = parse_symbols(request.symbols, task=TASK)
    if not request.folder:
        raise UsageError(f"name a folder: inv {TASK} --env {name or 'E'} --to FOLDER", where=TASK)
    folder = Path(request.folder).absolute()
    require_replaceable(folder)

    with opened(connect(root, name)) as lake, console.progress(f"{name}: writing bars to {request.folder}"):
        chosen = _choose(lake, symbols)
        left_out = _write(lake, chosen, folder, as_csv=request.as_csv)
    console.result(f"wrote {plural(len(chosen) - len(left_out), 'symbol')} to {request.folder}")
    console.result(f"to use them: inv backtest --bars {request.folder}")
    if left_out:
        message = f"{plural(len(left_out), 'symbol')} left out; their bars must not be used"
        raise CheckFailedError(message, where=name, findings=left_out)


def require_replaceable(folder: Path) -> None:
    """Check that an export may replace the folder.

    Raises:
        UsageError: it is not a folder, or has files that no export has written.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UsageError(f"{folder} is a file; name a new folder", where=TASK)
    names = {path.name for path in folder.iterdir()}
    if foreign := sorted(names - _exported(folder)):
        message = f"{folder} has other files, such as {foreign[0]}; nothing was written"
        raise UsageError(f"{message}: name a new folder", where=TASK)


def _exported(folder: Path) -> frozenset[str]:
    """Return the names of the files that an earlier export has written there, with its list of them."""
    try:
        document = json.loads((folder / MANIFEST).read_text())
        return frozenset({MANIFEST, *document["files"]})
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()


def _choose(lake: StoredLake, symbols: tuple[str, ...]) -> tuple[str, ...]:
    known = require_any(lake.symbols(), lake)
    unknown = next((symbol for symbol in symbols if symbol not in known), None)
    if unknown is not None:
        raise lake.unknown(unknown)
    return symbols or known


def _write(lake: StoredLake, symbols: Sequence[str], folder: Path, *, as_csv: bool) -> tuple[Finding, ...]:
    """Write all files beside the folder, then put them in its place; return the symbols that were left out."""
    verdict = lake.verdict()
    quarantined: Mapping[str, str] = verdict.quarantined if verdict else {}
    suffix = "csv" if as_csv else "parquet"
    staged = folder.with_name(f".{folder.name}.new")
    files.remove(staged)
    files.make_folder(staged)

    def write(symbol: str) -> str:
        """Write one symbol; return why it was left out, empty when it was not."""
        if symbol in quarantined:
            return f"quarantined: {quarantined[symbol]}"
        entry = lake.lake.read(symbol)
        if not entry.fault:
            body = csv_text(entry.bars).encode() if as_csv else encode_bars(entry.bars)
            (staged / f"{symbol}.{suffix}").write_bytes(body)
        return entry.fault or ""

    faults = map_in_threads(write, symbols)
    written = sorted(f"{symbol}.{suffix}" for symbol, fault in faults.items() if not fault)
    document = {"environment": lake.environment, "exported_at": datetime.now(UTC).isoformat(), "files": written}
    (staged / MANIFEST).write_text(json.dumps(document, indent=1) + "\n")
    files.replace_tree(staged, folder)
    return tuple(Finding(symbol, fault, lake.refresh_of(symbol)) for symbol, fault in sorted(faults.items()) if fault)

"""Convert a JSON export of Composer into a strategy file: everything or nothing is written."""

import re
import shlex
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automation.system import console, files
from automation.system.errors import CheckFailedError, UsageError
from desk.composer.elements import Element, Reading
from desk.composer.exports import read_root
from desk.composer.steps import convert
from desk.strategies.arguments import LoadedBars, read_bars, require_files, translate_product_errors
from desk.strategies.listing import rebalance_rule
from desk.strategies.sufficiency import Coverage, measure_coverage
from the_alchemiser.shared.book import STRATEGIES, BookEntry, BookError, load_book
from the_alchemiser.shared.formats import plural
from the_alchemiser.shared.symphony import Symphony, parse, render, required_symbols
from the_alchemiser.shared.symphony.compiler import compile_symphony

IMPORT = "strategies.import"
_SUFFIX = ".clj"
_LONGEST_NAME = 60
_ALLOCATION = "0.1"
_DEFAULT_NAME = "strategy"


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """The options of `strategies.import` as typed; an empty text selects the default.

    Attributes:
        files: exactly one export.
        output: the strategy file to write.
        at: the path of the step tree inside the file.
        bars: a folder of bars; empty for the bundled prices.
        force: True overwrites the strategy file.
    """

    files: Sequence[str]
    output: str = ""
    at: str = ""
    bars: str = ""
    force: bool = False


@dataclass(frozen=True, slots=True)
class Import:
    """A planned strategy file.

    Attributes:
        remarks: what the conversion ignored, for a person.
        coverage: the sessions that the bars can decide.
    """

    path: Path
    text: str
    symphony: Symphony
    remarks: tuple[str, ...]
    bars: LoadedBars
    coverage: Coverage


def import_strategy(request: ImportRequest, *, as_json: bool, directory: Path = STRATEGIES) -> None:
    """Convert an export, write the strategy file, and print what it needs and the next commands.

    Raises:
        UsageError: an option is invalid, or the file exists already.
        CheckFailedError: the export cannot be converted; nothing is written.
    """
    with _printing_findings(as_json=as_json), translate_product_errors(as_json=as_json):
        planned = plan_import(request, directory)
    files.write_atomically(planned.path, planned.text)

    commands = tuple(_next_commands(request, planned, directory))
    if as_json:
        console.result_json(_import_json(planned, commands))
    else:
        console.results(_lines(planned, commands))


@contextmanager
def _printing_findings(*, as_json: bool) -> Iterator[None]:
    try:
        yield
    except CheckFailedError as error:
        if not as_json or not error.findings:
            raise
        facts = [{"where": finding.where, "what": finding.what, "next": finding.fix} for finding in error.findings]
        console.result_json({"findings": facts})
        raise CheckFailedError(error.message, where=error.where) from error


def plan_import(request: ImportRequest, directory: Path) -> Import:
    """Return what would be written.

    Raises:
        UsageError: an option is invalid, or the file exists already.
        CheckFailedError: the export cannot be converted.
        UnusableOptionError: a window is too short.
    """
    source = _source(request)
    root = read_root(source, at=request.at, task=IMPORT)
    reading = Reading()
    symphony = convert(reading, root, name=source.stem)
    if symphony is None:
        problem = f"{plural(len(reading.findings), 'part')} of {source} cannot be converted, and nothing was written"
        fix = "change them in Composer and export again, or write the strategy by hand as docs/strategies.md says"
        raise CheckFailedError(f"{problem}; {fix}", findings=reading.findings)

    path = _output(request, symphony, directory)
    text = _comment(root) + render(symphony)
    reads_back = parse(text, source=str(path)) == symphony
    if not reads_back:
        raise AssertionError(f"{source}: the strategy file does not say what the export says")
    program = compile_symphony(symphony)
    bars = read_bars(request.bars, program.symbols)
    coverage = measure_coverage(program, bars.history, inception=None)
    return Import(path, text, symphony, tuple(_remarks(reading)), bars, coverage)


def name_of_file(title: str) -> str:
    """Return the name of a strategy's file, which is also a valid name for the book."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain.lower())[:_LONGEST_NAME].strip("-")
    return slug if slug[:1].isalpha() else f"{_DEFAULT_NAME}-{slug}".rstrip("-")


def _source(request: ImportRequest) -> Path:
    if len(request.files) != 1:
        raise UsageError(f"expected one export, got {len(request.files)}; run inv {IMPORT} FILE", where=IMPORT)
    path = Path(request.files[0])
    require_files((path,), task=IMPORT)
    return path


def _output(request: ImportRequest, symphony: Symphony, directory: Path) -> Path:
    path = Path(request.output) if request.output else directory / f"{name_of_file(symphony.name)}{_SUFFIX}"
    if path.suffix != _SUFFIX:
        raise UsageError(f"--output {path} must end in {_SUFFIX}", where=IMPORT)
    if path.is_dir():
        raise UsageError(f"--output {path} is a folder; pass the path of a file", where=IMPORT)
    if path.exists() and not request.force:
        shown = files.display_path(path)
        problem = f"{shown} already exists, and nothing was written"
        raise UsageError(f"{problem}; pass --output PATH, or --force to overwrite it", where=IMPORT)
    return path


def _comment(root: Element) -> str:
    description = root.get("description")
    text = description.value if description is not None and isinstance(description.value, str) else ""
    return "".join(f"; {line}".rstrip() + "\n" for line in text.strip().splitlines())


def _remarks(reading: Reading) -> Iterator[str]:
    for key, nodes in sorted(reading.ignored.items()):
        yield f"ignored the unknown key {key} ({plural(len(nodes), 'place')}, the first is {nodes[0].path})"
    yield from reading.remarks


def _next_commands(request: ImportRequest, planned: Import, directory: Path) -> Iterator[str]:
    """Yield the commands that follow; the book takes the strategy only if the bars can decide it."""
    path = shlex.quote(files.display_path(planned.path))
    bars = f" --bars {shlex.quote(request.bars)}" if request.bars else ""
    yield f"inv strategies.check {path}{bars}"

    first = planned.coverage.first
    entries = _book_entries(directory)
    if first is None or _lacking(planned) or any(entry.path.resolve() == planned.path.resolve() for entry in entries):
        return
    is_late = bool(entries) and first > max(entry.inception for entry in entries)
    inception = f" --inception {first}" if is_late else ""
    name = _name_option(planned.path, directory, entries)
    yield f"inv strategies.add {path} --allocation {_ALLOCATION} --scale{name}{inception}{bars}"


def _name_option(path: Path, directory: Path, entries: Sequence[BookEntry]) -> str:
    """Return the option --name if the book would not take the name of the file."""
    name = name_of_file(path.stem)
    target = directory / f"{name}{_SUFFIX}"
    is_taken = any(entry.name == name for entry in entries) or (target.exists() and not target.samefile(path))
    if is_taken or name.startswith(_DEFAULT_NAME):
        return f" --name {name}{'-imported' if is_taken else ''}"
    return ""


def _book_entries(directory: Path) -> Sequence[BookEntry]:
    try:
        return load_book(directory).entries
    except BookError:
        return ()


def _lines(planned: Import, commands: Sequence[str]) -> Iterator[str]:
    symphony = planned.symphony
    symbols = sorted(required_symbols(symphony))
    yield f"wrote {files.display_path(planned.path)}: {symphony.name}"
    size = f"{plural(len(symphony.nodes), 'node')}, {plural(len(symbols), 'symbol')}"
    yield f"{rebalance_rule(symphony)}, {size}: {', '.join(symbols)}"
    yield _coverage_line(planned)
    yield from planned.remarks
    yield from (f"next: {command}" for command in commands)


def _coverage_line(planned: Import) -> str:
    coverage, origin = planned.coverage, planned.bars.origin
    lacking = ", ".join(_lacking(planned))
    if coverage.first is not None and not lacking:
        return f"can be decided from {coverage.first} to {coverage.last} with {origin}"
    problem = f"not enough bars of {lacking}" if lacking else coverage.refusal
    return f"cannot be decided with {origin}: {problem}; pass --bars FOLDER to find the first session"


def _lacking(planned: Import) -> Sequence[str]:
    """Return the symbols whose bars do not suffice, even if no decision of the past needed them."""
    return [need.symbol for need in planned.coverage.needs if not need.is_met]


def _import_json(planned: Import, commands: Sequence[str]) -> Mapping[str, Any]:
    coverage = planned.coverage
    return {
        "file": str(planned.path),
        "name": planned.symphony.name,
        "rebalance": rebalance_rule(planned.symphony),
        "nodes": len(planned.symphony.nodes),
        "symbols": sorted(required_symbols(planned.symphony)),
        "decided_from": coverage.first,
        "decided_to": coverage.last,
        "bars_needed": {need.symbol: need.needed for need in coverage.needs},
        "bars_present": {need.symbol: need.present for need in coverage.needs},
        "remarks": planned.remarks,
        "next": commands,
    }

"""Report which files of some folders are written, created, renamed or deleted.

watchfiles asks the operating system for it, or looks again and again where that does not work, such as in folders of
another machine: `WATCHFILES_FORCE_POLLING=1`.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from automation.system import packages
from automation.system.errors import ToolError

# An editor writes a file in several steps, and a checkout writes many files: both are one edit when no step takes long.
_QUIET_MS = 30
_LONGEST_BURST_MS = 1000
TICK_MS = 500


def watch(folders: Sequence[Path], *, is_of_interest: Callable[[Path], bool]) -> Iterator[frozenset[Path]]:
    """Yield the files of each burst of edits, and an empty set about twice a second while nothing is edited.

    What happens while the caller works is in the next set.

    Args:
        folders: they exist; their subfolders are watched, too.
        is_of_interest: whether an edit of a file counts, also of a deleted one.

    Raises:
        ToolError: watchfiles is not installed, or a folder cannot be watched.
        KeyboardInterrupt: the user pressed Ctrl-C.
    """
    try:
        import watchfiles  # noqa: PLC0415 - an optional package
    except ImportError as cause:
        message = f"watchfiles is not installed; run: {packages.how_to_install('watchfiles')}"
        raise ToolError(message, where="watch") from cause

    bursts = watchfiles.watch(
        *folders,
        watch_filter=lambda _change, path: is_of_interest(Path(path)),
        debounce=_LONGEST_BURST_MS,
        step=_QUIET_MS,
        rust_timeout=TICK_MS,
        yield_on_timeout=True,
    )
    try:
        for burst in bursts:
            yield frozenset(Path(path) for _change, path in burst)
    except OSError as cause:
        raise ToolError(f"its files cannot be watched: {cause}", where=str(cause.filename or "watch")) from cause

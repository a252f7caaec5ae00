"""Format byte counts for people. 1 MB is 1,000,000 bytes, as in a template's BudgetMB."""


def format_bytes(count: int | None) -> str:
    """Return `812 B`, `93.2 kB` or `24.51 MB`; `-` for None."""
    if count is None:
        return "-"
    if abs(count) < 1_000:
        return f"{count} B"
    return f"{count / 1_000:,.1f} kB" if abs(count) < 999_950 else f"{count / 1_000_000:,.2f} MB"


def format_change(count: int) -> str:
    """Return a byte count with its sign, as `+93.2 kB`; `=` for 0."""
    return "=" if count == 0 else f"{'+' if count > 0 else '-'}{format_bytes(abs(count))}"


def format_percent(part: int, whole: int | None) -> str:
    """Return the share of `part` in `whole`, as `80 %`; `-` when there is no whole."""
    return "-" if whole is None else f"{100 * part / whole:.0f} %"


def format_count(count: int, noun: str) -> str:
    """Return the count with its noun, as `1 artifact` or `2 artifacts`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"

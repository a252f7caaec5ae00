"""Bytes as people read them. A MB is 1,000,000 bytes, as in a template's BudgetMB."""


def text(count: int | None) -> str:
    """`812 B`, `93.2 kB`, `24.51 MB`; `-` for None."""
    if count is None:
        return "-"
    if abs(count) < 1_000:
        return f"{count} B"
    return f"{count / 1_000:,.1f} kB" if abs(count) < 999_950 else f"{count / 1_000_000:,.2f} MB"


def signed(count: int) -> str:
    """A change, with its sign; `=` for none."""
    return "=" if count == 0 else f"{'+' if count > 0 else '-'}{text(abs(count))}"


def percent(part: int, whole: int | None) -> str:
    return "-" if whole is None else f"{100 * part / whole:.0f} %"


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"

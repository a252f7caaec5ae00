"""Write the table of rules in docs/proof.md from the rules and the planted faults: `python -m tests.faults.table`."""

from pathlib import Path

from automation.proof import rules
from automation.proof.model import Rule
from tests.faults.catalogue import FAULTS

PAGE = Path(__file__).parents[2] / "docs" / "proof.md"
BEGIN, END = "<!-- rules: written by python -m tests.faults.table -->\n", "<!-- end of rules -->\n"


def page(text: str) -> str:
    """Return the page with the current table between its marks.

    Raises:
        ValueError: the page has no marks.
    """
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"{PAGE.name} has no {BEGIN.strip()} … {END.strip()}")
    return f"{before}{BEGIN}{table()}{END}{after}"


def table() -> str:
    head = ("| rule | what must be true | what happens on Lambda otherwise | tested with |", "|---|---|---|---|")
    rows = [_row(rule) for rule in rules.RULES]
    return "".join(f"{line}\n" for line in [*head, *rows])


def _row(rule: Rule) -> str:
    planted = "; ".join(fault.title for fault in FAULTS if fault.rule == rule.id)
    cells = (f"`{rule.id}`", rule.title, rule.why, planted)
    return f"| {' | '.join(cell.replace('|', '\\|') for cell in cells)} |"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")

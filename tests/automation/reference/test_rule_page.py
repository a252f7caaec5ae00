"""The page of the rules of the proof and the dangers of a deployment."""

from automation.deploying.verdict import dangers
from automation.proof import rules
from automation.reference import rule_page


def test_page_has_every_rule_and_danger_in_order() -> None:
    rows = [line for line in rule_page.page().splitlines() if line.startswith("| `")]
    names = [row.split("`")[1] for row in rows]

    assert names == [*(rule.id for rule in rules.RULES), *dangers.KINDS]


def test_page_says_what_must_be_true_and_why() -> None:
    page = rule_page.page()

    assert (
        "| `handler-not-callable` | The handler can be called | The import succeeds, and every event fails with "
        "TypeError. |" in page
    )
    assert "| `public` | everybody can reach it |" in page
    assert "1. data loss\n2. replacement\n" in page
    assert page.endswith("8. other\n")

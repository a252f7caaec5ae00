"""The rules of the proof, and the dangers that a deployment plan may contain."""

from automation.deploying.verdict import dangers
from automation.deploying.views import plan_view
from automation.proof import rules
from automation.system import markdown


def page() -> str:
    """Return the page."""
    broken = [(f"`{rule.id}`", rule.title, rule.why) for rule in rules.RULES]
    kinds = [(f"`{kind}`", text) for kind, text in dangers.KINDS.items()]
    parts = (
        "# Rules",
        "## Rules of the proof",
        "`inv prove` prints each finding with its rule, its place, and the line to edit or the command to type.",
        markdown.table(
            ("rule", "what must be true", "what happens on Lambda otherwise"), broken, cell=markdown.with_code
        ),
        "## Dangers of a deployment",
        "`inv deploy` refuses a plan with a danger, unless `--allow KIND:RESOURCE` names it.",
        markdown.table(("kind", "danger"), kinds, cell=markdown.with_code),
        "## Order of the changes in a plan",
        "\n".join(f"{number}. {name}" for number, name in enumerate(plan_view.RANKS.values(), start=1)),
    )
    return "\n\n".join(parts) + "\n"

"""The guides that tests type: little of docs/deploying.md needs AWS itself, and its costs count what is deployed.

tests/e2e/test_9_deploying_guide.py and test_9_tutorial.py type their commands.
"""

import re
from pathlib import Path

from tests.e2e.guide_text import Command, Step, missing_lines, steps
from tests.templates.reading import load, of_type

ROOT = Path(__file__).parents[2]
GUIDE, TUTORIAL, README = (
    (ROOT / name).read_text(encoding="utf-8") for name in ("docs/deploying.md", "docs/tutorial.md", "README.md")
)
TEMPLATES = ("template.yaml", "data-template.yaml")
# Steps that only AWS can do, such as waiting for an afternoon. A new one needs an equivalent in the test of the guide.
MOST_EVENTS = 4
# New functions, each with an inbox and at most five alarms, before the table of costs has to be counted again.
FEW_FUNCTIONS = 2
EVENTS = [step.event for step in steps(GUIDE) if step.event]
TEXT = """
```sh
inv doctor --env prod  # exit 3: why
# a comment
aws sqs list-queues \\
  --output text
```

```text
found … queues
```

```sh on-aws-only evening
# wait
```

```sh by-hand install
pip install uv
```

```sh
cat > a.clj <<'END'
; not a comment of the shell
(b \\
# exit 4
END
inv strategies.check a.clj # exit 3
```
"""


def usage(name: str) -> str:
    """Return what the table of costs says about the usage of something."""
    rows: list[tuple[str, str]] = re.findall(
        r"^\| ([^|]+) \| ([^|]+) \|", GUIDE.partition("<!-- costs -->")[2], re.MULTILINE
    )
    return dict(rows)[name]


def count(kind: str, having: str = "") -> int:
    """Return how many resources of a type the templates have; `having` is a property that they must set."""
    number = 0
    for template in TEMPLATES:
        resources = [resource for _, resource in of_type(load(template), kind)]
        number += sum(not having or having in resource["Properties"] for resource in resources)
    return number


def test_every_block_is_typed_or_compared() -> None:
    assert set(re.findall(r"^```(.+)$", GUIDE, re.MULTILINE)) <= {"sh", "text"} | {
        f"sh on-aws-only {name}" for name in EVENTS
    }


def test_every_block_of_the_tutorial_is_typed_or_compared() -> None:
    assert set(re.findall(r"^```(.+)$", TUTORIAL, re.MULTILINE)) == {"sh", "text", "sh by-hand install"}
    assert [step.event for step in steps(TUTORIAL) if step.event] == ["install"]


def test_tutorial_installs_as_the_readme_does() -> None:
    install = next(step for step in steps(TUTORIAL) if step.event == "install")
    *set_up, activate = [command.line for command in install.commands]

    assert f"\n{' && '.join(set_up)}\n{activate} " in README


def test_few_steps_need_aws_itself() -> None:
    assert len(EVENTS) == len(set(EVENTS)) <= MOST_EVENTS


def test_costs_count_the_alarms_of_the_templates() -> None:
    alarms = int(usage("CloudWatch: alarms").partition(",")[0])

    assert abs(count("AWS::CloudWatch::Alarm") - alarms) <= 5 * FEW_FUNCTIONS
    assert f"| {(alarms - 10) * 0.1:.2f} |" in GUIDE


def test_costs_count_the_inboxes_of_the_templates() -> None:
    inboxes = re.findall(r"Lambda asks (\d+) inboxes", GUIDE)

    assert abs(count("AWS::SQS::Queue", "RedrivePolicy") - int(inboxes[0])) <= FEW_FUNCTIONS


def test_steps_have_commands_exit_codes_output_and_events() -> None:
    commands = (Command("inv doctor --env prod", 3, 3), Command("aws sqs list-queues   --output text", 0, 5))

    text = "cat > a.clj <<'END'\n; not a comment of the shell\n(b \\\n# exit 4\nEND"
    assert steps(TEXT) == [
        Step(commands, "", ("found … queues",)),
        Step((), "evening"),
        Step((Command("pip install uv", 0, 18),), "install"),
        Step((Command(text, 0, 22), Command("inv strategies.check a.clj", 3, 27))),
    ]


def test_missing_lines_ignore_widths_and_what_is_left_out() -> None:
    output = "found  12 (old) queues\nand more\n"

    assert missing_lines(["found … queues", "and more"], output) == []
    assert missing_lines(["found … topics", "more and"], output) == ["found … topics", "more and"]

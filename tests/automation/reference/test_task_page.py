"""The page of all tasks: each with its options; a task or option without a text is a finding."""

from pathlib import Path
from typing import Any

import pytest
from invoke.collection import Collection
from invoke.context import Context
from invoke.tasks import task

import tasks as project_tasks
from automation import commands
from automation.reference import task_page
from automation.system.errors import CheckFailedError, Finding

ROOT = Path(__file__).parents[3]


@task(
    iterable=["names", "allow"],
    positional=["names"],
    optional=["page"],
    help={
        "names": "what to bake",
        "allow": "a <thing> to allow",
        "dry_run": "bake nothing",
        "loaves": "how many",
        "page": "also write a page",
        "oven": "the oven",
    },
)
def bake(
    _context: Context,
    names: list[str],
    allow: list[str],
    dry_run: bool = False,
    loaves: int = 3,
    page: str | None = None,
    oven: str = "",
) -> None:
    """Bake bread: `inv bake [NAME...]`.

    It takes | an hour.
    """


@task
def silent(_context: Context, count: int = 1) -> None:
    pass


@pytest.fixture
def bakery() -> Collection:
    return commands.assemble(Collection(bake), Collection("oven"))


def test_page_shows_each_option_with_default_and_meaning(bakery: Collection) -> None:
    page = task_page.page(bakery, program="inv")

    assert "| [`inv bake`](#inv-bake) | Bake bread: `inv bake [NAME...]`. |\n" in page
    section = page.partition("## inv bake\n\n")[2].partition("\n\n## ")[0]
    assert section.splitlines() == [
        "Bake bread: `inv bake [NAME...]`.",
        "",
        "It takes \\| an hour.",
        "",
        "| option | default | meaning |",
        "|---|---|---|",
        "| `names…` |  | what to bake |",
        "| `-a`, `--allow TEXT …` |  | a &lt;thing> to allow |",
        "| `-d`, `--dry-run` |  | bake nothing |",
        "| `-l`, `--loaves NUMBER` | `3` | how many |",
        "| `-o`, `--oven TEXT` |  | the oven |",
        "| `-p`, `--page[=TEXT]` |  | also write a page |",
    ]


def test_page_is_the_same_after_invoke_has_parsed_a_command_line(bakery: Collection) -> None:
    first = task_page.page(bakery, program="inv")

    assert bakery.to_contexts()
    assert task_page.page(bakery, program="inv") == first


def test_page_refuses_a_task_and_an_option_without_a_text() -> None:
    namespace = commands.assemble(Collection(silent))

    with pytest.raises(CheckFailedError, match=r"^2 task\(s\) or option\(s\) without a description$") as raised:
        task_page.page(namespace, program="inv")

    assert raised.value.findings == (
        Finding("silent", "the task has no docstring", "say in a sentence what it does"),
        Finding("silent", "the option count has no help", "add it to help= of the task"),
    )


def test_page_of_this_project_has_every_task_and_option() -> None:
    page = task_page.page(project_tasks.namespace, program="inv")
    contexts = project_tasks.namespace.to_contexts()

    headings = [line for line in page.splitlines() if line.startswith("## ")]
    assert headings == sorted(f"## inv {context.name}" for context in contexts)
    options = [line for line in page.splitlines() if line.startswith("| `")]
    assert len(options) == sum(len(context.args) for context in contexts)
    assert "`--dry-run`" in page
    assert "`--dry_run`" not in page


def test_links_lead_to_the_sections(bakery: Collection) -> None:
    inner: Any = Collection("oven", bake)
    page = task_page.page(commands.assemble(inner), program="inv")

    assert "[`inv oven.bake`](#inv-ovenbake)" in page
    assert "## inv oven.bake" in page

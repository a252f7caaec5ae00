"""The options of `inv dlq` and `inv logs` reach their commands."""

import os
from collections.abc import Callable
from typing import Any

import pytest

from automation import dlq, logs, operating_tasks
from automation.project.model import Project
from tests.automation.test_tasks import inv


@pytest.fixture
def taken(shop: Project, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return what each command was called with, instead of running it."""
    monkeypatch.setattr(operating_tasks, "ROOT", shop.root)
    calls: list[Any] = []

    def taking(name: str) -> Callable[..., None]:
        def take(root: object, *words: str, variables: object, **options: Any) -> None:
            assert (root, variables) == (shop.root, os.environ)
            calls.append((name, *words, options))

        return take

    for name in ("report", "show", "redrive", "drop"):
        monkeypatch.setattr(dlq, name, taking(name))
    monkeypatch.setattr(logs, "show", taking("logs"))
    return calls


def test_list_and_show_options_arrive(taken: list[Any]) -> None:
    assert inv("dlq.list", "--env", "live", "--json") == 0
    assert inv("dlq.show", "Dead", "--env", "live", "--limit", "3", "--json") == 0
    assert inv("dlq.show", "Dead", "--env", "live") == 0

    assert taken == [
        ("report", "live", {"json": True}),
        ("show", "live", "Dead", {"limit": 3, "json": True}),
        ("show", "live", "Dead", {"limit": dlq.DEFAULT_LIMIT, "json": False}),
    ]


def test_redrive_and_drop_options_arrive(taken: list[Any]) -> None:
    names = ("--id", "a", "--id", "b")

    assert inv("dlq.redrive", "Dead", "--env", "live", *names, "--to", "In", "--file", "f", "--yes") == 0
    assert inv("dlq.redrive", "--env", "live", "Dead") == 0
    assert inv("dlq.drop", "Dead", "--env", "live", *names, "--yes") == 0

    assert taken == [
        ("redrive", "live", "Dead", {"options": dlq.Options(("a", "b"), "In", "f", yes=True)}),
        ("redrive", "live", "Dead", {"options": dlq.Options()}),
        ("drop", "live", "Dead", {"options": dlq.Options(("a", "b"), yes=True)}),
    ]


def test_logs_options_arrive(taken: list[Any]) -> None:
    functions = ("--function", "Till", "--function", "Stock")

    assert inv("logs", "--env", "live", "--run", "r-1", *functions, "--level", "error", "--since", "2d", "--json") == 0
    assert inv("logs", "--env", "live", "--follow") == 0

    assert taken == [
        ("logs", "live", {"options": logs.Options("r-1", ("Till", "Stock"), "error", "2d", json=True)}),
        ("logs", "live", {"options": logs.Options(follow=True)}),
    ]


def test_unknown_environment_exits_2(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operating_tasks, "ROOT", shop.root)

    assert [inv("dlq.list", "--env", "nowhere"), inv("logs"), inv("dlq.drop", "A", "--env", "nowhere")] == [2, 2, 2]

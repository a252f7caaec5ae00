import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import pytest

from automation import lint_worker


@dataclass(frozen=True)
class Place:
    """Copies itself as cfn-lint's contexts do."""

    path: str = ""
    ref_values: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def length(self) -> int:
        return len(self.path)

    def evolve(self, **kwargs: Any) -> "Place":
        cls = self.__class__

        if "ref_values" in kwargs:
            merged = self.ref_values.copy()  # type: ignore[attr-defined]
            merged.update(kwargs["ref_values"])
            kwargs["ref_values"] = merged

        for f in fields(Place):
            if f.init:
                kwargs.setdefault(f.name, getattr(self, f.name))

        return cls(**kwargs)


@dataclass
class Checker:
    """Copies itself as cfn-lint's validators do."""

    schema: str = ""
    keywords: tuple[str, ...] = field(init=False, default_factory=lambda: ("type",))
    level: int = field(init=False, default=1)

    def __post_init__(self) -> None:
        self.schema = self.schema or "empty"

    def evolve(self, **kwargs: Any) -> "Checker":
        cls = self.__class__
        for f in fields(Checker):
            if f.init:
                kwargs.setdefault(f.name, getattr(self, f.name))

        return cls(**kwargs)


@dataclass
class Counter:
    """Does more than to copy itself."""

    count: int = 0

    def evolve(self, **kwargs: Any) -> "Counter":
        for f in fields(Counter):
            kwargs.setdefault(f.name, getattr(self, f.name))
        kwargs["count"] = abs(kwargs["count"])
        return self.__class__(**kwargs)


@pytest.fixture(params=["cfn-lint's own", "ours"])
def copied(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    for cls in (Place, Checker):
        monkeypatch.setattr(cls, "evolve", own := cls.evolve)
        if request.param == "ours":
            lint_worker.copy_at_once(cls)
            assert cls.evolve is not own


@pytest.mark.usefixtures("copied")
def test_copy_at_once_changes_only_the_copy() -> None:
    place = Place("a", {"x": 1, "y": 1})

    copy = place.evolve(ref_values={"y": 2})

    assert type(copy) is Place
    assert (copy.path, copy.ref_values) == ("a", {"x": 1, "y": 2})
    assert (place.path, place.ref_values) == ("a", {"x": 1, "y": 1})
    assert place.evolve(path="b") == Place("b", {"x": 1, "y": 1})


@pytest.mark.usefixtures("copied")
def test_copy_at_once_keeps_nothing_that_was_derived() -> None:
    place = Place("a")

    assert place.length == 1
    assert place.evolve(path="long").length == 4


@pytest.mark.usefixtures("copied")
def test_copy_at_once_gives_fields_that_no_caller_sets_their_defaults() -> None:
    checker = Checker("schema")
    checker.keywords, checker.level = ("enum",), 2

    copy = checker.evolve()

    assert (copy.schema, copy.keywords, copy.level) == ("schema", ("type",), 1)
    assert checker.evolve(schema="").schema == "empty"


def test_copy_at_once_leaves_out_a_class_that_does_more() -> None:
    lint_worker.copy_at_once(Counter)

    assert Counter(3).evolve(count=-4).count == 4


def test_main_changes_all_that_the_locked_cfn_lint_does_again_and_again() -> None:
    """Otherwise a new version of cfn-lint made `inv validate` slow, and nobody saw it."""
    program = """
import sys
from automation import lint_worker
try:
    lint_worker.main()
except SystemExit:
    pass
from cfnlint.context.context import Context
from cfnlint.jsonschema import _filter, validators
from cfnlint.schema.resolver import _resolver
from cfnlint.template.template import Template
made = validators.create({}, None, {})
changed = (Context.evolve, _filter.FunctionFilter.evolve, made.evolve, validators.create, validators.Template,
    Template.get_valid_getatts, _resolver._search_schema, _resolver._match_keyword)
print(*(function.__module__ for function in changed))
"""
    words = [sys.executable, "-c", program, "--version"]

    lines = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()

    assert lines[-1].split() == ["automation.lint_worker"] * 8

"""Reason codes: every error of the product has one, and no two errors share one."""

import re
from collections import defaultdict
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from the_alchemiser.shared.errors import RETRIES_EXHAUSTED, AlchemiserError

PRODUCT = Path(__file__).parents[3] / "the_alchemiser"


def product_errors() -> list[type[AlchemiserError]]:
    """Return every error class of the product, after importing each module that defines one."""
    for path in sorted(PRODUCT.rglob("*.py")):
        if re.search(r"^class \w+Error\(", path.read_text(), re.MULTILINE):
            import_module(".".join(path.relative_to(PRODUCT.parent).with_suffix("").parts))
    # Once each: a class with two parents is reached twice.
    return [
        error
        for error in dict.fromkeys(subclasses_of(AlchemiserError))
        if error.__module__.startswith("the_alchemiser.")
    ]


def subclasses_of(error: type[AlchemiserError]) -> Iterator[type[AlchemiserError]]:
    for subclass in error.__subclasses__():
        yield subclass
        yield from subclasses_of(subclass)


def test_reason_of_an_error_is_its_name_in_snake_case() -> None:
    class TwoWordsError(AlchemiserError):
        """Has no reason of its own."""

    assert TwoWordsError.reason == "two_words"


def test_reason_that_a_class_sets_is_not_inherited() -> None:
    class OwnError(AlchemiserError):
        """Has a reason of its own."""

        reason = "another_code"

    class ChildError(OwnError):
        """Has none."""

    assert (OwnError.reason, ChildError.reason) == ("another_code", "child")


def test_reason_of_every_error_of_the_product_is_snake_case() -> None:
    errors = product_errors()

    assert len(errors) > 30
    assert [error for error in errors if not re.fullmatch(r"[a-z]+(_[a-z]+)*", error.reason)] == []


def test_reason_of_every_error_of_the_product_is_its_own() -> None:
    by_reason = defaultdict(list, {RETRIES_EXHAUSTED: ["the constant"]})
    for error in product_errors():
        by_reason[error.reason].append(error.__qualname__)

    assert {reason: names for reason, names in by_reason.items() if len(names) > 1} == {}

"""Immutable values: equal by class and fields, changed only as a copy."""

import subprocess
import sys
from pathlib import Path

import pytest

from the_alchemiser.shared.records import Frozen


class Lot(Frozen):
    """A value with a default."""

    symbol: str
    shares: int = 1


class Lookalike(Frozen):
    """Another class with the same fields."""

    symbol: str
    shares: int = 1


def test_frozen_takes_fields_by_position_and_by_name() -> None:
    assert Lot("SPY", 2) == Lot(shares=2, symbol="SPY")


def test_frozen_is_neither_a_tuple_nor_another_class() -> None:
    lot: object = Lot("SPY")

    assert lot != Lookalike("SPY")
    assert lot != ("SPY", 1)


def test_frozen_cannot_be_changed() -> None:
    lot = Lot("SPY")

    with pytest.raises(AttributeError):
        lot.shares = 2  # type: ignore[misc] # what the test is about

    assert lot.shares == 1


def test_frozen_equal_values_have_one_hash() -> None:
    assert {Lot("SPY"), Lot("SPY"), Lot("SPY", 2)} == {Lot("SPY"), Lot("SPY", 2)}


def test_frozen_changed_is_a_copy_with_other_values() -> None:
    lot = Lot("SPY", 2)

    assert lot.changed(shares=3) == Lot("SPY", 3)
    assert lot == Lot("SPY", 2)


def test_frozen_changed_refuses_another_field() -> None:
    with pytest.raises(TypeError, match="price"):
        Lot("SPY").changed(price=1)


def test_frozen_shows_its_fields() -> None:
    assert repr(Lot("SPY")) == "Lot(symbol='SPY', shares=1)"


def test_import_of_records_lets_python_look_for_garbage_rarely() -> None:
    program = "import gc, the_alchemiser.shared.records; print(gc.get_threshold()[0], gc.isenabled())"
    root = Path(__file__).parents[3]

    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["50000", "True"]

"""Records behave like frozen dataclasses."""

import copy
import pickle

import pytest

from the_alchemiser.shared.symphony.tree import Asset, CurrentPrice, Number, Place, WeightEqual


def test_record_equality_compares_class_and_fields() -> None:
    assert Number(1) == Number(1.0)
    assert Number(1) != Number(2)
    assert CurrentPrice("A") != Asset("A", None)
    assert len({Number(1), Number(1.0), CurrentPrice("A")}) == 2


def test_record_equality_ignores_the_place() -> None:
    assert Asset("A", None, Place(1, 2)) == Asset("A", None)
    assert hash(Asset("A", None, Place(1, 2))) == hash(Asset("A", None))


def test_record_inequality_is_the_opposite_of_equality() -> None:
    assert not Asset("A", None, Place(1, 2)) != Asset("A", None)  # noqa: SIM202 - the operator is what is tested
    assert Asset("A", None) != Asset("A", "Alpha")


def test_record_accepts_fields_by_position_or_name() -> None:
    assert Asset("A", name="Alpha", place=Place(3, 4)).place == Place(3, 4)
    assert Asset(symbol="A", name="Alpha") == Asset("A", "Alpha")


def test_record_assignment_and_deletion_raise() -> None:
    node = Asset("A", None)

    with pytest.raises(AttributeError, match="immutable type: 'Asset'"):
        setattr(node, "symbol", "B")  # noqa: B010 - mypy rejects a plain assignment
    with pytest.raises(AttributeError, match="immutable type: 'Asset'"):
        delattr(node, "name")


@pytest.mark.parametrize(
    ("values", "named", "message"),
    [
        (("A",), {}, "Missing required argument 'name'"),
        (("A", None, Place(1, 1), 5), {}, "Extra positional arguments provided"),
        (("A",), {"symbol": "B"}, "Argument 'symbol' given by name and position"),
        (("A", None), {"colour": 1}, "Unexpected keyword argument 'colour'"),
    ],
)
def test_record_wrong_fields_raise(values: tuple[object, ...], named: dict[str, object], message: str) -> None:
    record_class: type = Asset

    with pytest.raises(TypeError, match=message):
        record_class(*values, **named)


def test_record_repr_shows_its_fields() -> None:
    assert repr(WeightEqual((0, 1))) == "WeightEqual(children=(0, 1), place=Place(line=0, column=0))"


def test_record_survives_copying_and_pickling() -> None:
    node = WeightEqual((0, 1), Place(2, 3))

    assert copy.deepcopy(node) == node
    assert pickle.loads(pickle.dumps(node)).place == Place(2, 3)  # noqa: S301 - pickled on this line

"""The table of safeguards can switch each of them off, and back on."""

import ast
from pathlib import Path

import pytest

from tests.simulation.safeguards import SAFEGUARDS, Outcome, Safeguard, rendered
from tests.simulation.switched_off import Patch, switched_off

ROOT = Path(__file__).parents[2]
NARROWER = [safeguard for safeguard in SAFEGUARDS if safeguard.test]


class Product:
    """Stands for a module or class of the product."""

    answer = "own"


def test_switched_off_replaces_only_inside() -> None:
    with switched_off((Patch(Product, "answer", "replaced"),)):
        assert Product.answer == "replaced"
    assert Product.answer == "own"


def test_switched_off_restores_after_an_error() -> None:
    with pytest.raises(ValueError, match="planted"), switched_off((Patch(Product, "answer", "replaced"),)):
        raise ValueError("planted")
    assert Product.answer == "own"


def test_every_safeguard_has_a_name_of_its_own() -> None:
    assert len({safeguard.name for safeguard in SAFEGUARDS}) == len(SAFEGUARDS)


@pytest.mark.parametrize("safeguard", SAFEGUARDS, ids=lambda safeguard: safeguard.name)
def test_every_patch_replaces_what_the_product_has(safeguard: Safeguard) -> None:
    with switched_off(safeguard.patches):
        assert all(patch.owner.__dict__[patch.name] is patch.value for patch in safeguard.patches)


@pytest.mark.parametrize("safeguard", NARROWER, ids=lambda safeguard: safeguard.name)
def test_every_narrower_test_exists(safeguard: Safeguard) -> None:
    file, _, name = safeguard.test.partition("::")
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assert name == "" or name.split("::")[0] in names


def test_table_says_what_noticed_and_what_did_not() -> None:
    outcomes = (Outcome("a", "b", "seed 3: never_short"), Outcome("c", "d", ""))
    assert rendered(outcomes).splitlines() == [
        "| safeguard | switched off | red |",
        "|---|---|---|",
        "| a | b | seed 3: never_short |",
        "| c | d | **nothing notices** |",
    ]

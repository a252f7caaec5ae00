"""Each planted fault is found by its rule, and by that alone; the project it was planted into has none."""

from pathlib import Path

import pytest

from automation import prove
from tests.faults import bakery, proving
from tests.faults.catalogue import FAULTS
from tests.faults.model import PlantedFault


def test_prove_sound_project_finds_nothing(root: Path, runtime_site: Path) -> None:
    assert proving.found(root, runtime_site) == []


@pytest.mark.parametrize("fault", FAULTS, ids=[f"{one.rule}: {one.title}" for one in FAULTS])
def test_prove_planted_fault_is_found_by_its_rule_alone(fault: PlantedFault, root: Path, runtime_site: Path) -> None:
    fault.plant(root)
    if not fault.after_build:
        bakery.make(root)

    found = proving.found(root, runtime_site)

    assert {rule for rule, _ in found} == {fault.rule}, found


def test_catalogue_has_a_fault_for_each_rule_and_no_other() -> None:
    assert {fault.rule for fault in FAULTS} == {rule.id for rule in prove.RULES}

"""Each planted fault is found by its rule and by no other; the project without a planted fault has none."""

from pathlib import Path

import pytest

from automation.proof import rules
from tests.faults import bakery, proving
from tests.faults.catalogue import FAULTS
from tests.faults.model import PlantedFault


def test_prove_sound_project_has_no_faults(root: Path, runtime_site: Path) -> None:
    assert proving.find_faults(root, runtime_site) == []


@pytest.mark.parametrize("fault", FAULTS, ids=[f"{fault.rule}: {fault.title}" for fault in FAULTS])
def test_prove_planted_fault_is_found_only_by_its_rule(fault: PlantedFault, root: Path, runtime_site: Path) -> None:
    fault.plant(root)
    if not fault.after_build:
        bakery.make(root)

    faults = proving.find_faults(root, runtime_site)

    assert {rule for rule, _ in faults} == {fault.rule}, faults


def test_catalogue_has_a_fault_for_each_rule_and_no_other() -> None:
    assert {fault.rule for fault in FAULTS} == {rule.id for rule in rules.RULES}

"""The advice of each rule works: after following it literally, the rule finds nothing more."""

from pathlib import Path

import pytest

from automation.proof import rules
from tests.faults import bakery, proving
from tests.faults.advice import ADVICE, FollowedAdvice
from tests.faults.catalogue import FAULTS


@pytest.mark.slow
@pytest.mark.parametrize("advice", ADVICE, ids=[f"{advice.rule}: {advice.title}" for advice in ADVICE])
def test_advice_followed_literally_ends_the_fault(advice: FollowedAdvice, root: Path, runtime_site: Path) -> None:
    (fault,) = [fault for fault in FAULTS if (fault.rule, fault.title) == (advice.rule, advice.title)]
    fault.plant(root)
    if not fault.after_build:
        bakery.make(root)
    fixes = [reported.fix for _, reported in proving.find_faults(root, runtime_site)]
    assert [fix for fix in fixes if advice.advice in fix], fixes

    advice.follow(root)

    assert [rule for rule, _ in proving.find_faults(root, runtime_site)] == []


def test_advice_exists_for_each_rule() -> None:
    assert {rule.id for rule in rules.RULES} - {advice.rule for advice in ADVICE} == set()

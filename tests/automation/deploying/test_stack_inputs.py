from pathlib import Path

import pytest

from automation.deploying import stack_inputs

DEFINITIONS = {"Stage": {}, "Key": {"NoEcho": True}, "Word": {"NoEcho": "true"}, "Open": {"NoEcho": False}}
PARAMETERS = {"Stage": "live", "Key": "k", "Word": "w", "Open": "o", "Extra": "e"}


def test_visible_parameters_leaves_no_echo_out() -> None:
    visible = stack_inputs.visible_parameters(PARAMETERS, DEFINITIONS)

    assert visible == {"Stage": "live", "Open": "o", "Extra": "e"}


def test_masked_hides_the_values_of_no_echo() -> None:
    masked = stack_inputs.masked(PARAMETERS, DEFINITIONS)

    assert masked == {"Stage": "live", "Key": "(hidden)", "Word": "(hidden)", "Open": "o", "Extra": "e"}


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    (tmp_path / "zips").mkdir()
    (tmp_path / "zips" / "Till.zip").write_bytes(b"till")
    template = tmp_path / "packed.json"
    template.write_text('{"Resources": {}}')
    return template


def test_deployment_digest_counts_template_zips_and_parameters(packed: Path) -> None:
    digests = [stack_inputs.deployment_digest(packed, {"Stage": "dev", "Colour": "red"})]
    digests.append(stack_inputs.deployment_digest(packed, {"Stage": "live", "Colour": "red"}))
    (packed.parent / "zips" / "Till.zip").write_bytes(b"changed")
    digests.append(stack_inputs.deployment_digest(packed, {"Stage": "dev", "Colour": "red"}))
    (packed.parent / "zips" / "Till.zip").rename(packed.parent / "zips" / "Stock.zip")
    digests.append(stack_inputs.deployment_digest(packed, {"Stage": "dev", "Colour": "red"}))
    packed.write_text('{"Resources": {"Till": {}}}')
    digests.append(stack_inputs.deployment_digest(packed, {"Stage": "dev", "Colour": "red"}))

    assert len(set(digests)) == 5
    assert "" not in digests


def test_deployment_digest_parameter_order_does_not_count(packed: Path) -> None:
    assert stack_inputs.deployment_digest(packed, {"A": "1", "B": "2"}) == stack_inputs.deployment_digest(
        packed, {"B": "2", "A": "1"}
    )


@pytest.mark.parametrize("name", ["template.yaml", "missing/packed.json"])
def test_deployment_digest_of_folders_is_empty(packed: Path, name: str) -> None:
    assert stack_inputs.deployment_digest(packed.parent / name, {}) == ""

"""What a run has stored beside its items."""

import json

from sandbox.run_evidence import read_decision
from tests.the_alchemiser.shared.market_data.in_memory_objects import InMemoryObjects


def test_decision_is_read_from_its_reference() -> None:
    objects = InMemoryObjects()
    body = json.dumps({"path": {"steps": []}, "strategy": "calm"}).encode()
    objects.put("decisions/v1/calm.json", body, content_type="application/json", replaces=None)

    assert read_decision(objects, objects.url("decisions/v1/calm.json")) == {"steps": []}
    assert read_decision(objects, objects.url("decisions/v1/gone.json")) == {}

"""The environment is connected to once, and again after a failure that is not the broker's."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from automation.system.errors import ConfigurationError, DeploymentError, ToolError
from desk.operations.environment import Environment
from desk.page.live import Connection, LiveEnvironment
from tests.desk.operations.duty import UNREACHABLE, World, environment


@dataclass
class Cloud:
    """An account that is connected to; `missing` raises as long as nothing is deployed."""

    missing: bool = False
    connections: int = 0

    def connect(self) -> Environment:
        self.connections += 1
        if self.missing:
            raise ConfigurationError("is not deployed; run inv deploy --env prod", where="prod")
        return environment(World())


def test_connected_connects_once() -> None:
    cloud = Cloud()
    live = LiveEnvironment(cloud.connect)

    assert cloud.connections == 0
    with live.connected() as first, live.connected() as second:
        assert first is second
    assert cloud.connections == 1


def test_connected_tries_again_when_the_environment_is_deployed() -> None:
    cloud = Cloud(missing=True)
    live = LiveEnvironment(cloud.connect)
    with pytest.raises(ConfigurationError, match="is not deployed"), live.connected():
        pass

    cloud.missing = False
    with live.connected() as connection:
        assert connection.environment.name == "prod"


def test_connected_connects_anew_after_aws_did_not_answer() -> None:
    cloud = Cloud()
    live = LiveEnvironment(cloud.connect)

    with pytest.raises(DeploymentError, match="does not answer"), live.connected():
        raise EndpointConnectionError(endpoint_url="https://aws")
    with live.connected():
        assert cloud.connections == 2


def test_connected_keeps_the_connection_when_the_broker_does_not_answer() -> None:
    cloud = Cloud()
    live = LiveEnvironment(cloud.connect)

    with pytest.raises(ToolError, match="the broker: "), live.connected():
        raise UNREACHABLE
    with live.connected():
        assert cloud.connections == 1


def test_record_sources_read_each_decision_once(monkeypatch: pytest.MonkeyPatch) -> None:
    stored: dict[str, Mapping[str, Any]] = {"s3://lake/a": {"steps": []}}
    reads: list[str] = []
    world = World()
    deployed = replace(environment(world), client=lambda _: object())
    connection = Connection(deployed, world.broker)  # type: ignore[arg-type] # a fake broker

    def read(_objects: object, path_ref: str) -> Mapping[str, Any]:
        reads.append(path_ref)
        return stored.get(path_ref, {})

    monkeypatch.setattr("desk.operations.run_show.read_decision", read)
    for _ in range(2):
        sources = connection.record_sources()
        assert sources.decision("s3://lake/a") == {"steps": []}
        assert sources.decision("s3://lake/later") == {}
    assert reads == ["s3://lake/a", "s3://lake/later", "s3://lake/later"]

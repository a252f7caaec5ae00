"""The kill switch on SSM: its value, who set it and when."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from desk.operations.switch import KillSwitch, Setting

NAME = "/alchemiser/prod/trading"
AT = datetime(2026, 11, 27, 15, 2, 11, tzinfo=UTC)


def change(version: int, value: str, *, by: str = "eva", hour: int = 0) -> Mapping[str, Any]:
    moment = AT.astimezone() + timedelta(hours=hour)
    return {"Version": version, "Value": value, "LastModifiedDate": moment, "LastModifiedUser": by}


class FakeSsm:
    """SSM with one parameter; its history comes in pages of one change."""

    def __init__(self, value: str, *history: Mapping[str, Any], denied: bool = False) -> None:
        self.value, self.history, self.denied = value, history, denied
        self.put: list[Mapping[str, Any]] = []

    def get_parameter(self, *, Name: str) -> Any:  # noqa: N803 - the vendor's name
        assert Name == NAME
        return {"Parameter": {"Value": self.value}}

    def put_parameter(self, **request: Any) -> None:
        self.put.append(request)

    def get_paginator(self, operation: str) -> Any:
        assert operation == "get_parameter_history"
        return self

    def paginate(self, *, Name: str) -> Any:  # noqa: N803
        assert Name == NAME
        if self.denied:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetParameterHistory")
        return [{"Parameters": [entry]} for entry in self.history]


def switch(ssm: FakeSsm) -> KillSwitch:
    return KillSwitch(ssm, NAME)  # type: ignore[arg-type] # only what it calls


def test_read_says_who_set_it_and_when() -> None:
    ssm = FakeSsm("paused", change(1, "enabled", by="a"), change(2, "paused", by="b", hour=1))

    setting = switch(ssm).read()

    assert setting == Setting("paused", AT + timedelta(hours=1), "b")
    assert setting.since is not None
    assert setting.since.tzinfo is UTC


def test_read_names_who_set_this_value_first() -> None:
    """A second pause changes nothing: the first one is why trading is paused."""
    history = (
        change(10, "paused", by="again", hour=4),
        change(9, "paused", by="eva", hour=3),
        change(8, "enabled", by="x", hour=2),
        change(1, "paused", by="stack"),
    )

    assert switch(FakeSsm("paused", *history)).read() == Setting("paused", AT + timedelta(hours=3), "eva")


def test_read_without_an_author_leaves_it_empty() -> None:
    entry = {key: value for key, value in change(1, "enabled").items() if key != "LastModifiedUser"}

    assert switch(FakeSsm("enabled", entry)).read() == Setting("enabled", AT, "")


@pytest.mark.parametrize("ssm", [FakeSsm("paused", denied=True), FakeSsm("paused"), FakeSsm("paused", change(1, "x"))])
def test_read_without_a_history_has_the_value(ssm: FakeSsm) -> None:
    assert switch(ssm).read() == Setting("paused", None, "")


def test_set_overwrites_the_parameter() -> None:
    ssm = FakeSsm("enabled")

    switch(ssm).set("paused")

    assert ssm.put == [{"Name": NAME, "Value": "paused", "Overwrite": True}]


@pytest.mark.parametrize(
    ("value", "is_enabled"), [("enabled", True), ("paused", False), ("Enabled", False), ("", False)]
)
def test_setting_is_enabled_only_by_its_exact_value(value: str, is_enabled: bool) -> None:
    assert Setting(value).is_enabled is is_enabled

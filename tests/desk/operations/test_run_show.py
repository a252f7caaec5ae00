"""`inv run.show`: exactly one run, from the environment's own tables, bucket and broker."""

import json
from dataclasses import replace
from typing import Any

import pytest

from automation.system.errors import UsageError
from desk.operations import run_show
from desk.operations.run_show import sources_of
from tests.desk.operations.duty import ROOT, RUN_ID, STAGE, FakeBroker, World, connected, environment, run, stored
from tests.desk.operations.records import failed_record
from the_alchemiser.shared.dynamo import typed

Out = pytest.CaptureFixture[str]


class Tables:
    """DynamoDB with an index of runs, and no record of notices."""

    def __init__(self) -> None:
        self.reads: list[dict[str, Any]] = []

    def get_paginator(self, operation: str) -> Any:
        assert operation == "scan"
        return self

    def paginate(self, **request: Any) -> Any:
        assert request == {"TableName": "runs", "IndexName": "by-date"}
        rows = [{"pk": f"RUN#{RUN_ID}-r{number}", "trading_date": "2022-11-28"} for number in (9, 10)]
        return [{"Items": [typed(row) for row in rows]}]

    def get_item(self, **request: Any) -> Any:
        self.reads.append(request)
        return {}


def report(world: World, *names: str, as_json: bool = False) -> None:
    run_show.report(ROOT, "prod", names, as_json=as_json, connect=connected(world))


def test_show_prints_the_page(capsys: Out) -> None:
    world = World(store=stored(run(settled=True)))

    report(world, RUN_ID)

    assert capsys.readouterr().out.startswith(f"{RUN_ID}: COMPLETED, settled;")
    assert world.broker.is_closed


def test_show_prints_json(capsys: Out) -> None:
    report(World(store=stored(run())), RUN_ID, as_json=True)

    assert json.loads(capsys.readouterr().out)["run_id"] == RUN_ID


@pytest.mark.parametrize("names", [(), (RUN_ID, "latest")])
def test_show_takes_exactly_one_run(names: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match=f"name one run, its date, or latest; got {len(names)}"):
        report(World(), *names)


def test_sources_are_those_of_the_environment() -> None:
    tables, world = Tables(), World()
    deployed = replace(environment(world), client=lambda _: tables)

    sources = sources_of(deployed, world.broker)

    assert (sources.stage, sources.runs, sources.ledger) == (STAGE, world.store, world.ledger)
    assert isinstance(sources.broker, FakeBroker)
    assert sources.latest_id() == f"{RUN_ID}-r10"
    assert not sources.deliveries.read("notifications_v2#mail#x").is_sent
    assert [read["TableName"] for read in tables.reads] == ["claims"]
    assert sources.decision("s3://lake/gone.json") == {}


def test_show_of_a_failed_run_says_why_it_failed(capsys: Out) -> None:
    failed_run = failed_record().run
    deployed = replace(environment(World(store=stored(failed_run))), client=lambda _: Tables())

    run_show.report(ROOT, "prod", [failed_run.run_id], connect=lambda *_: deployed)

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{failed_run.run_id}: FAILED, not settled yet;")
    assert any(line.startswith("failed in EVALUATING: strategy_failed: ") for line in lines)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("2022-11-31", "2022-11-31 is not a date; write it as 2026-11-27"),
        (
            "2022-11-29",
            "there is no run '2022-11-29' in this environment; name a run such as prod-2026-11-27, its date",
        ),
    ],
)
def test_show_of_a_run_that_cannot_exist_says_what_to_name(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        report(World(store=stored(run())), name)

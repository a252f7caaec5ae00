"""The sizes of the newest release."""

from dataclasses import replace

from automation.deploying.releases.records import Release
from automation.releases import ReleaseList
from automation.sizing.history import SeriesKind
from automation.system.stacks import StackResource
from desk.page.stack import SizeLine, Stacks, alarm_names, size_lines
from tests.automation.sizing.releases import WHEELS, history_of, sizes
from tests.desk.operations.duty import World, environment


def test_size_lines_are_those_of_the_newest_release() -> None:
    first = sizes("r1", {"Wheels": {"numpy==1": 10}, "Gone": {"x==1": 5}})
    second = sizes("r2", {"Wheels": {"numpy==2": 30_000_000}, "Till": {"(own code)": 1000}})

    assert size_lines(history_of(first, second, limits={WHEELS: 60_000_000})) == (
        SizeLine("Wheels", SeriesKind.LAYER, 30_000_000, 60_000_000),
        SizeLine("Till", SeriesKind.FUNCTION, 1000, None),
        SizeLine("Till", SeriesKind.MOUNTED, 30_001_000, None),
    )


def test_size_lines_without_a_release_are_empty() -> None:
    assert size_lines(history_of()) == ()


def test_size_line_has_its_share_of_the_limit() -> None:
    line = SizeLine("Wheels", SeriesKind.LAYER, 45_000_000, 60_000_000)

    assert (line.size, line.limit, line.used_percent) == ("45.00 MB", "60.00 MB", 75.0)
    assert (SizeLine("x", SeriesKind.LAYER, 1, None).limit, SizeLine("x", SeriesKind.LAYER, 1, 0).used_percent) == (
        "",
        None,
    )


def test_alarm_names_are_those_of_all_stacks() -> None:
    alarm, composite = "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"
    resources = {
        "data": (StackResource("Old", "data-old", alarm), StackResource("In", "url", "AWS::SQS::Queue")),
        "trading": (StackResource("Any", "a-composite", composite), StackResource("Dead", "dead-letters", alarm)),
    }

    assert alarm_names(replace(environment(World()), resources=resources)) == (
        "a-composite",
        "data-old",
        "dead-letters",
    )


def test_shown_releases_are_the_ten_newest_and_the_one_that_runs() -> None:
    releases = tuple(Release(number=number) for number in range(12, 0, -1))

    shown = Stacks((), 0, ReleaseList("local", releases, releases[1]), ())

    assert [release.number for release in shown.shown] == list(range(12, 2, -1))
    assert shown.running == 11
    assert Stacks((), 0, ReleaseList("local", releases, None), ()).running == 0

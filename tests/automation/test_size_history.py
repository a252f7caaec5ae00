"""`inv size --history`: sizes from the table of releases and the tags of git, with today's limits."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from automation import size_history
from automation.deploying.releases import records as releases
from automation.deploying.releases.records import Release, ReleasedStack, Status
from automation.deploying.scope import Scope
from automation.project import model
from automation.project.model import LAMBDA_LIMIT_BYTES, Project
from automation.sizing.history import SeriesKind
from automation.system import git
from automation.system.errors import UsageError
from automation.system.release_table import ReleaseTable
from tests.automation import repositories
from tests.automation.projects import make_shop
from tests.automation.release_tables import FakeReleaseTable
from tests.automation.weights import MB

Report = Callable[..., None]


def stack(contents: Mapping[str, Mapping[str, int]]) -> ReleasedStack:
    return ReleasedStack("app", "shop-live", contents=contents, mounts={"Till": ("Wheels",)})


def release(commit: str, numpy: int, *, status: str = Status.DEPLOYED) -> Release:
    """Make a release whose layer has numpy of that many bytes."""
    contents = {"Wheels": {f"numpy=={numpy // MB}": numpy}, "Till": {"(own code)": 300}}
    return Release(commit=commit, status=status, created_at="2026-01-02T03:04:05+00:00", stacks=(stack(contents),))


OLD = replace(release("c0", 0), stacks=(stack({}),))
KNOWN = (release("c1", MB), release("c2", 2 * MB))


def numbered(*oldest_first: Release) -> tuple[Release, ...]:
    """Return releases as the table returns them."""
    return tuple(replace(entry, number=number) for number, entry in enumerate(oldest_first, start=1))[::-1]


@pytest.fixture
def table() -> FakeReleaseTable:
    return FakeReleaseTable()


@pytest.fixture
def report(tmp_path: Path, table: FakeReleaseTable) -> Report:
    root = make_shop(tmp_path)

    def run(*known: Release, **options: Any) -> None:
        for entry in known:
            releases.add(table, entry)
        size_history.report(root, "live", variables={}, connect=lambda _: table, **options)

    return run


def test_report_shows_bars_and_what_grew(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    report(*KNOWN)

    output = capsys.readouterr().out
    assert "Wheels 1.00 MB -> 2.00 MB in r2: numpy 1 -> 2 +1.00 MB" in output
    assert "100 %" in output
    assert "function with layers" in output


def test_report_names_select_artifacts(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    report(*KNOWN, names=["layers/wheels"])

    assert "Till" not in capsys.readouterr().out


def test_report_unknown_name_is_refused(report: Report) -> None:
    message = "size --history: no release of live has A; see all: inv size --history --env live"
    with pytest.raises(UsageError, match=message):
        report(*KNOWN, names=["Wheels", "B", "A"])


def test_report_json_is_printed(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    report(*KNOWN, json=True)

    content = json.loads(capsys.readouterr().out)
    assert (content["environment"], [entry["release"] for entry in content["releases"]]) == ("live", ["r1", "r2"])


@pytest.mark.parametrize("html", [True, "history.html"])
def test_report_html_writes_a_page(
    report: Report,
    html: str | bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)

    report(*KNOWN, html=html)

    path = Path(capsys.readouterr().out.strip())
    assert path == (tmp_path / ".alchemiser/size-history.html" if html is True else Path("history.html"))
    assert "<h1>Sizes over time: live</h1>" in path.read_text()


def test_report_json_and_html_exclude_each_other(report: Report) -> None:
    with pytest.raises(UsageError, match="size --history: --json and --html exclude each other"):
        report(json=True, html="a.html")


def test_report_without_releases_says_how_to_make_one(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    report(names=["Wheels"])

    assert capsys.readouterr().out == "live has no releases; make the first: inv deploy --env live\n"


def test_report_old_releases_only_say_when_sizes_appear(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    report(OLD, OLD)

    assert capsys.readouterr().out == (
        "no release of live has recorded its sizes yet; the next one does: inv deploy --env live\n"
        "note: r1, r2 recorded no bytes per distribution: an earlier version deployed them\n"
    )


def test_report_reads_the_tags_of_the_project(
    report: Report, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repositories.make_plain_repository(tmp_path)
    repositories.git(tmp_path, "tag", "v1")
    commit = git.find_commit(tmp_path, "HEAD")

    report(release(commit, MB))

    assert "v1" in capsys.readouterr().out


def test_report_unknown_environment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="here, live"):
        size_history.report(make_shop(tmp_path), "nonsense", variables={})


def test_connect_names_the_table_after_the_last_stack(tmp_path: Path) -> None:
    seen: list[Scope] = []

    def keep(scope: Scope) -> FakeReleaseTable:
        seen.append(scope)
        return FakeReleaseTable()

    size_history.report(make_shop(tmp_path), "live", variables={}, connect=keep)

    (scope,) = seen
    assert size_history.connect(scope) == ReleaseTable(scope.target, "shop-live-releases")


# --- gather


def gather(
    shop: Project, *known: Release, tags: Mapping[str, tuple[str, ...]] | None = None
) -> tuple[list[str], list[str]]:
    """Return the labels of the releases with sizes, and the notes."""
    sized = size_history.gather(numbered(*known), tags or {}, shop, environment="live")
    return [entry.label for entry in sized.releases], list(sized.notes)


def test_gather_a_tag_names_the_release_of_its_commit(shop: Project) -> None:
    dirty = replace(KNOWN[1], is_dirty=True)

    assert gather(shop, KNOWN[0], dirty, tags={"c1": ("v1",), "c2": ("v2",)}) == (["r1 (v1)", "r2 (v2 + changes)"], [])


@pytest.mark.parametrize("status", [Status.FAILED, Status.DEPLOYING])
def test_gather_unfinished_release_is_left_out(shop: Project, status: Status) -> None:
    unfinished = release("c3", 9 * MB, status=status)

    assert gather(shop, KNOWN[0], unfinished) == (["r1"], [f"r2 ({status}) did not reach every stack, and is left out"])


def test_gather_rolled_back_release_reached_every_stack(shop: Project) -> None:
    assert gather(shop, KNOWN[0], release("c3", 9 * MB, status=Status.ROLLED_BACK)) == (["r1", "r2"], [])


def test_gather_old_release_has_no_sizes(shop: Project) -> None:
    labels, notes = gather(shop, OLD, *KNOWN)

    assert labels == ["r2", "r3"]
    assert notes == ["r1 recorded no bytes per distribution: an earlier version deployed them"]


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (1, "no size for tag t0: not in the newest 100 releases of live"),
        (5, "no size for tags t0, t1, t2, t3, t4: not in the newest 100 releases of live"),
        (6, "no size for tags t1, t2, t3, t4, t5 and 1 more: not in the newest 100 releases of live"),
    ],
)
def test_gather_tag_without_a_release_has_no_size(shop: Project, count: int, text: str) -> None:
    tags = {f"x{number}": (f"t{number}",) for number in range(count)}

    assert gather(shop, *KNOWN, tags={"c1": ("v1",), **tags})[1] == [text]


def test_gather_mounts_and_limits_make_the_series(shop: Project) -> None:
    sized = size_history.gather(numbered(*KNOWN), {}, shop, environment="live")

    assert [(series.kind, series.stack, series.logical_id, series.limit_bytes) for series in sized.series] == [
        (SeriesKind.LAYER, "app", "Wheels", 2 * MB),
        (SeriesKind.FUNCTION, "app", "Till", 250_000),
        (SeriesKind.MOUNTED, "app", "Till", LAMBDA_LIMIT_BYTES),
    ]


def test_limits_of_an_artifact_without_budget_has_none(tmp_path: Path) -> None:
    root = make_shop(tmp_path, pyproject_toml='[[tool.alchemiser.stacks]]\nname = "app"\ntemplate = "app.yaml"\n')

    limits = size_history.limits_of(model.load(root))

    assert limits[SeriesKind.FUNCTION, "app", "Till"] == 250_000
    assert (SeriesKind.FUNCTION, "app", "Ledger") not in limits
    assert (SeriesKind.LAYER, "app", "Wheels") not in limits


# --- options


def test_require_consistent_environment_needs_history() -> None:
    with pytest.raises(UsageError, match="size: --env is only for --history; add it: inv size --history --env ENV"):
        size_history.require_consistent(history=False, baseline="", markdown=False)


@pytest.mark.parametrize(("baseline", "markdown", "option"), [("main", False, "--baseline"), ("", True, "--markdown")])
def test_require_consistent_history_excludes_other_views(baseline: str, markdown: bool, option: str) -> None:
    with pytest.raises(UsageError, match=f"size: --history and {option} exclude each other; choose one"):
        size_history.require_consistent(history=True, baseline=baseline, markdown=markdown)


def test_require_consistent_history_alone_passes() -> None:
    size_history.require_consistent(history=True, baseline="", markdown=False)

"""Sizes over time: what a release records, the series of its artifacts, and which growth counts."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.sizing import history
from automation.sizing.history import Growth, Point, ReleaseSizes, SeriesKind
from automation.sizing.model import FunctionSize, Part, Sizes
from tests.automation.sizing.releases import APP, WHEELS, history_of, sizes, wheels
from tests.automation.weights import MB, function, layer, part

BASE = 10 * MB


def grown(before: int, after: int) -> tuple[Growth, ...]:
    releases = (wheels("r1", numpy_1=before), wheels("r2", numpy_1=after))
    return history_of(*releases).growths


# --- what a release records


def test_contents_of_has_bytes_by_distribution_and_version() -> None:
    artifact = layer("Wheels", part("numpy", 20, "2.4.1"), part("(own code)", 3, ""))

    assert history.contents_of(artifact) == {"numpy==2.4.1": 20, "(own code)": 3}


@pytest.mark.parametrize(
    ("count", "smaller"), [(50, {}), (51, {"(smaller distributions)": 1}), (53, {"(smaller distributions)": 3})]
)
def test_contents_of_many_parts_joins_the_smallest(count: int, smaller: dict[str, int]) -> None:
    parts = [part(f"d{number}", 1) for number in range(count)]

    contents = history.contents_of(layer("Wheels", *parts))

    assert list(contents)[:50] == [f"d{number}==1.0" for number in range(50)]
    assert dict(list(contents.items())[50:]) == smaller


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True), st.integers(1, 10**9), max_size=9))
def test_parts_of_is_the_reverse_of_contents_of(counts: dict[str, int]) -> None:
    parts = tuple(Part(name, "1.0", count) for name, count in counts.items())
    artifact = layer("Wheels", *parts)

    assert history.parts_of(json.loads(json.dumps(history.contents_of(artifact)))) == parts


def test_parts_of_own_code_has_no_version() -> None:
    assert history.parts_of({"(own code)": 3}) == (Part("(own code)", "", 3),)


def test_by_stack_contents_and_mounts_name_every_artifact() -> None:
    wheels_layer = layer("Wheels", part("numpy", 20))
    measured = Sizes(
        (function("Till", wheels_layer), function("Desk")), (wheels_layer, replace(wheels_layer, stack="base"))
    )

    assert history.contents_by_stack(measured) == {
        "app": {"Wheels": {"numpy==1.0": 20}, "Till": {"(own code)": 1_000}, "Desk": {"(own code)": 1_000}},
        "base": {"Wheels": {"numpy==1.0": 20}},
    }
    assert history.mounts_by_stack(measured) == {"app": {"Till": ("Wheels",), "Desk": ()}}


def test_mounts_by_stack_keeps_the_order_of_the_layers() -> None:
    first, second = layer("B", part("b", 1)), layer("A", part("a", 1))

    assert history.mounts_by_stack(Sizes((FunctionSize(function("Till").own, (first, second)),), ())) == {
        "app": {"Till": ("B", "A")}
    }


# --- series


def test_series_of_layers_come_before_functions_and_functions_with_layers() -> None:
    release = sizes("r1", {"Till": {"(own code)": 5}, "Wheels": {"numpy==1": 20, "h11==1": 3}})

    series = history.series_of([release], {WHEELS: 99, (SeriesKind.MOUNTED, APP, "Till"): 50})

    assert [
        (entry.kind, entry.stack, entry.logical_id, entry.points[0].bytes, entry.limit_bytes) for entry in series
    ] == [
        (SeriesKind.LAYER, "app", "Wheels", 23, 99),
        (SeriesKind.FUNCTION, "app", "Till", 5, None),
        (SeriesKind.MOUNTED, "app", "Till", 28, 50),
    ]
    assert series[2].points[0].parts == (Part("(own code)", "", 5), Part("Wheels", "", 23))


def test_series_of_a_function_without_layers_has_no_total() -> None:
    kinds = [series.kind for series in history.series_of([sizes("r1", {"Till": {"(own code)": 5}})], {})]

    assert kinds == [SeriesKind.FUNCTION]


def test_series_of_a_missing_layer_counts_as_zero_bytes() -> None:
    release = replace(sizes("r1", {"Till": {"(own code)": 5}}), mounts={(APP, "Till"): ("Elsewhere",)})

    assert history.series_of([release], {})[1].points[0].bytes == 5


def test_series_of_points_are_in_the_order_of_the_releases() -> None:
    first, second = wheels("r1", numpy_1=1), wheels("r2", numpy_1=2)

    (series,) = history.series_of([first, second], {})

    assert series.points == (Point(first, (Part("numpy", "1", 1),)), Point(second, (Part("numpy", "1", 2),)))


@pytest.mark.parametrize(("limit", "scale"), [(None, 20), (19, 20), (21, 21)])
def test_scale_is_the_limit_or_the_biggest_size(limit: int | None, scale: int) -> None:
    (series,) = history_of(wheels("r1", numpy_1=20), wheels("r2", numpy_1=10)).series

    assert replace(series, limit_bytes=limit).scale_bytes == scale


def test_scale_of_an_empty_artifact_is_not_zero() -> None:
    (series,) = history_of(wheels("r1", numpy_1=0)).series

    assert series.scale_bytes == 1


# --- runs


def test_runs_of_about_the_same_size_are_joined() -> None:
    releases = [wheels("r1", ("v1",), numpy_1=20), wheels("r2", numpy_1=20), wheels("r4", ("v2", "v3"), numpy_1=30)]
    (series,) = history_of(*releases, wheels("r5", numpy_2=10_020)).series

    runs = history.runs_of(series)

    assert [(run.releases, run.tags, run.bytes) for run in runs] == [("r1-r4", "v1, v2, v3", 30), ("r5", "", 10_020)]


def test_runs_of_a_creeping_size_end_when_it_differs_from_their_first() -> None:
    releases = [wheels(f"r{number}", numpy_1=number * 6_000) for number in range(1, 6)]

    (series,) = history_of(*releases).series

    assert [run.releases for run in history.runs_of(series)] == ["r1-r2", "r3-r4", "r5"]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [(BASE, BASE - 100_000, True), (BASE, BASE - 99_999, False), (20_000, 10_000, True), (20_000, 10_001, False)],
)
def test_is_noticeable_in_both_directions(before: int, after: int, expected: bool) -> None:
    assert history.is_noticeable(before, after) is expected


# --- growth


@pytest.mark.parametrize(
    ("before", "after", "counts"),
    [
        (BASE, BASE + BASE // 100, True),
        (BASE, BASE + BASE // 100 - 1, False),
        (100_000, 110_000, True),
        (100_000, 109_999, False),
        (BASE, BASE, False),
        (BASE, 1, False),
    ],
)
def test_growths_of_needs_one_percent_and_10_kb(before: int, after: int, counts: bool) -> None:
    assert len(grown(before, after)) == int(counts)


def test_growth_names_what_grew_and_not_what_shrank() -> None:
    before = wheels("r1", numpy_1=50_000, h11_1=30_000)
    (growth,) = history_of(before, wheels("r2", numpy_2=60_000, h11_2=20_000, pandas_3=20_000)).growths

    assert (growth.before.release.name, growth.after.release.name, growth.bytes) == ("r1", "r2", 20_000)
    assert [(entry.name, entry.bytes) for entry in growth.parts] == [("pandas", 20_000), ("numpy", 10_000)]


def test_growths_compare_with_the_release_before() -> None:
    releases = [wheels("r1", numpy_1=BASE), wheels("r2", numpy_1=2 * BASE), wheels("r3", numpy_1=2 * BASE)]

    assert [growth.after.release.name for growth in history_of(*releases).growths] == ["r2"]


def test_growth_of_a_new_artifact_does_not_count() -> None:
    assert history_of(sizes("r1", {}), wheels("r2", numpy_1=BASE)).growths == ()


# --- the history of an environment


def test_removed_in_names_the_first_release_without_it() -> None:
    kept = {"Till": {"(own code)": 5}}
    both = kept | {"Wheels": {"numpy==1": 20}}
    sized = history_of(sizes("r1", both), sizes("r2", kept), sizes("r3", kept))

    assert [(series.logical_id, sized.removed_in(series)) for series in sized.series] == [
        ("Wheels", "r2"),
        ("Till", ""),
        ("Till", "r2"),
    ]


def test_label_names_the_stack_when_two_have_the_artifact() -> None:
    release = wheels("r1", numpy_1=20)
    twin = replace(release, artifacts={**release.artifacts, ("base", "Wheels"): (), ("base", "Other"): ()})
    sized = history_of(twin)

    assert [sized.label(series) for series in sized.series] == ["Wheels (app)", "Wheels (base)", "Other"]


@pytest.mark.parametrize(
    ("tags", "is_dirty", "label"),
    [
        ((), False, "r7"),
        ((), True, "r7"),
        (("v1",), False, "r7 (v1)"),
        (("v1", "v2"), True, "r7 (v1 + changes, v2 + changes)"),
    ],
)
def test_label_of_a_release_has_its_tags(tags: tuple[str, ...], is_dirty: bool, label: str) -> None:
    assert ReleaseSizes("r7", tags=tags, is_dirty=is_dirty).label == label


def test_is_measured_needs_an_artifact() -> None:
    assert not ReleaseSizes("r1").is_measured
    assert wheels("r1", numpy_1=1).is_measured

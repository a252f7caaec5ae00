from automation.sizing import changes, overlaps
from automation.sizing.changes import ChangeStatus, SizeComparison
from automation.sizing.model import FunctionSize, Sizes
from tests.automation.weights import MB, function, layer, part, till, with_stack


def compared(before: Sizes, after: Sizes) -> SizeComparison:
    return changes.compare(before, after, label="then")


def statuses(comparison: SizeComparison) -> dict[str, ChangeStatus]:
    return {change.logical_id: change.status for change in (*comparison.functions, *comparison.layers)}


def test_compare_same_sizes_finds_no_change() -> None:
    sizes = till(part("numpy", MB))

    assert compared(sizes, sizes).changed == ()


def test_compare_grown_layer_changes_only_effective_bytes_of_functions() -> None:
    grown = compared(till(part("numpy", MB)), till(part("numpy", 3 * MB, "2.0")))

    assert [(change.logical_id, change.bytes, change.effective_bytes) for change in grown.changed] == [
        ("Till", 0, 2 * MB),
        ("Wheels", 2 * MB, 2 * MB),
    ]


def test_compare_parts_are_sorted_by_growth() -> None:
    before = till(part("numpy", MB), part("dropped", 4 * MB), part("same", MB))
    after = till(part("numpy", MB, "2.0"), part("fresh", 2 * MB), part("same", MB))

    parts = compared(before, after).layers[0].parts

    assert [(change.name, change.versions, change.bytes) for change in parts] == [
        ("fresh", "1.0, new", 2 * MB),
        ("numpy", "1.0 -> 2.0", 0),
        ("dropped", "1.0, removed", -4 * MB),
    ]


def test_compare_missing_from_the_baseline_is_new() -> None:
    assert statuses(compared(Sizes(), till(part("numpy", MB)))) == {
        "Till": ChangeStatus.NEW,
        "Wheels": ChangeStatus.NEW,
    }


def test_compare_only_in_the_baseline_is_removed() -> None:
    assert statuses(compared(till(part("numpy", MB)), Sizes())) == {
        "Till": ChangeStatus.REMOVED,
        "Wheels": ChangeStatus.REMOVED,
    }


def test_compare_same_name_in_another_stack_is_another_layer() -> None:
    sizes = till(part("numpy", MB))

    assert [change.status for change in compared(sizes, with_stack(sizes, "other")).layers] == [
        ChangeStatus.NEW,
        ChangeStatus.REMOVED,
    ]


def test_notes_describe_a_distribution_mounted_twice() -> None:
    first, second = layer("A", part("numpy", 3 * MB, "2.1")), layer("B", part("numpy", 2 * MB, "2.2"))

    notes = overlaps.notes(Sizes((function("Till", first, second),), (first, second)))

    assert "numpy has different versions: 2.1 in A, 2.2 in B" in notes
    assert "Till mounts numpy (2.1, 2.2) 2 times, wasting 2.00 MB: in A, B" in notes


def test_notes_describe_shared_distributions_in_one_sentence() -> None:
    shared = (part("h11", MB), part("httpx", MB))

    notes = overlaps.notes(Sizes(layers=(layer("A", *shared), layer("B", *shared))))

    assert "each of A, B contains h11 1.0, httpx 1.0" in notes


def test_notes_describe_distributions_of_the_runtime() -> None:
    notes = overlaps.notes(Sizes(layers=(layer("A", part("boto3", MB)),), runtime_distributions=frozenset({"boto3"})))

    assert notes == ("the runtime already contains boto3: 1.00 MB in A",)


def test_notes_identical_artifacts_are_named_with_their_stacks() -> None:
    first, second = layer("A", part("x", 1), sha256="s"), layer("A", part("x", 1), sha256="s", stack="base")

    assert "identical, so counted once: A (app), A (base)" in overlaps.notes(Sizes(layers=(first, second)))


def test_notes_describe_an_unmeasured_layer() -> None:
    till_size = FunctionSize(function("Till").own, unmeasured_layers=("arn:x",))

    assert "app.yaml: Till: layer arn:x was not measured" in overlaps.notes(Sizes((till_size,)))[0]


def test_notes_of_distinct_layers_are_empty() -> None:
    assert overlaps.notes(Sizes(layers=(layer("A", part("x", 1)), layer("B", part("y", 1))))) == ()

from automation.sizing import changes, overlaps
from automation.sizing.changes import Comparison, Status
from automation.sizing.model import FunctionSize, Sizes
from tests.automation.weights import MB, function, layer, part, till, with_stack


def compared(before: Sizes, after: Sizes) -> Comparison:
    return changes.compare(before, after, label="then")


def statuses(comparison: Comparison) -> dict[str, Status]:
    return {one.logical_id: one.status for one in (*comparison.functions, *comparison.layers)}


def test_compare_same_sizes_finds_no_change() -> None:
    sizes = till(part("numpy", MB))

    assert compared(sizes, sizes).changed == ()


def test_compare_layer_grown_changes_the_function_by_its_effective_bytes_alone() -> None:
    grown = compared(till(part("numpy", MB)), till(part("numpy", 3 * MB, "2.0")))

    assert [(one.logical_id, one.bytes, one.effective_bytes) for one in grown.changed] == [
        ("Till", 0, 2 * MB),
        ("Wheels", 2 * MB, 2 * MB),
    ]


def test_compare_tells_distributions_added_removed_and_of_another_version_greatest_growth_first() -> None:
    before = till(part("numpy", MB), part("gone", 4 * MB), part("same", MB))
    after = till(part("numpy", MB, "2.0"), part("fresh", 2 * MB), part("same", MB))

    parts = compared(before, after).layers[0].parts

    assert [(one.name, one.versions, one.bytes) for one in parts] == [
        ("fresh", "1.0, new", 2 * MB),
        ("numpy", "1.0 -> 2.0", 0),
        ("gone", "1.0, removed", -4 * MB),
    ]


def test_compare_function_and_layer_that_were_not_there_are_new() -> None:
    assert statuses(compared(Sizes(), till(part("numpy", MB)))) == {"Till": Status.NEW, "Wheels": Status.NEW}


def test_compare_function_and_layer_that_are_gone_are_removed() -> None:
    assert statuses(compared(till(part("numpy", MB)), Sizes())) == {"Till": Status.REMOVED, "Wheels": Status.REMOVED}


def test_compare_one_of_another_stack_is_another_one() -> None:
    sizes = till(part("numpy", MB))

    assert [one.status for one in compared(sizes, with_stack(sizes, "other")).layers] == [Status.NEW, Status.REMOVED]


def test_notes_tell_a_distribution_that_a_function_mounts_twice() -> None:
    first, second = layer("A", part("numpy", 3 * MB, "2.1")), layer("B", part("numpy", 2 * MB, "2.2"))

    told = overlaps.notes(Sizes((function("Till", first, second),), (first, second)))

    assert "numpy differs in version: 2.1 in A, 2.2 in B" in told
    assert "Till mounts numpy (2.1, 2.2) 2 times, 2.00 MB too much: in A, B" in told


def test_notes_tell_distributions_that_layers_share_in_one_sentence() -> None:
    shared = (part("h11", MB), part("httpx", MB))

    told = overlaps.notes(Sizes(layers=(layer("A", *shared), layer("B", *shared))))

    assert "in each of A, B: h11 1.0, httpx 1.0" in told


def test_notes_tell_what_the_runtime_has_already() -> None:
    told = overlaps.notes(Sizes(layers=(layer("A", part("boto3", MB)),), runtime=frozenset({"boto3"})))

    assert told == ("the runtime has boto3 already: 1.00 MB in A",)


def test_notes_tell_artifacts_of_one_content_by_their_stacks() -> None:
    first, second = layer("A", part("x", 1), sha256="s"), layer("A", part("x", 1), sha256="s", stack="base")

    assert "of one content, and counted once: A (app), A (base)" in overlaps.notes(Sizes(layers=(first, second)))


def test_notes_tell_a_layer_from_elsewhere() -> None:
    one = FunctionSize(function("Till").own, unmeasured=("arn:x",))

    assert "app.yaml: Till: layer arn:x is from elsewhere" in overlaps.notes(Sizes((one,)))[0]


def test_notes_of_distinct_layers_are_none() -> None:
    assert overlaps.notes(Sizes(layers=(layer("A", part("x", 1)), layer("B", part("y", 1))))) == ()

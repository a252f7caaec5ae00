import pytest

from automation.building import rebuilds
from automation.building.artifacts import Ingredients
from automation.building.manifests import Made

BEFORE = Ingredients({"runtime": "python3.12"}, {"app.py": "1", "data.json": "2"})
LOOKS = {"Greet": "seen"}


def reasons(now: Ingredients, *, looks: dict[str, str] | None = None, force: bool = False) -> tuple[str, ...]:
    made = {"Greet": Made(BEFORE, LOOKS)}
    return rebuilds.decide("main", {"Greet": now}, made, LOOKS if looks is None else looks, force=force)[0].reasons


def test_decide_what_is_as_it_was_is_current() -> None:
    assert reasons(BEFORE) == ()


def test_decide_what_was_never_built_is_built() -> None:
    assert rebuilds.decide("main", {"Greet": BEFORE}, {}, {})[0].reasons == ("it was never built",)


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (Ingredients({"runtime": "python3.13"}, BEFORE.files), "runtime: python3.12 -> python3.13"),
        (Ingredients({"runtime": "python3.12", "bytecode by": "x"}, BEFORE.files), "bytecode by: none -> x"),
        (Ingredients(BEFORE.settings, {"app.py": "9", "data.json": "2"}), "app.py changed"),
        (Ingredients(BEFORE.settings, {**BEFORE.files, "new.py": "3"}), "new.py added"),
        (Ingredients(BEFORE.settings, {"app.py": "1"}), "data.json removed"),
    ],
)
def test_decide_tells_what_changed(now: Ingredients, told: str) -> None:
    assert reasons(now) == (told,)


def test_decide_tells_three_files_and_counts_the_others() -> None:
    now = Ingredients(BEFORE.settings, {**BEFORE.files, **{f"n{number}.py": "" for number in range(5)}})

    assert reasons(now) == ("n0.py, n1.py, n2.py and 2 more added",)


def test_decide_output_that_somebody_wrote_to_is_built_again() -> None:
    assert reasons(BEFORE, looks={"Greet": "other"}) == ("its output was altered or removed",)


def test_decide_forced_is_built_although_it_is_current() -> None:
    assert reasons(BEFORE, force=True) == ("forced",)


def test_fingerprint_tells_settings_from_files() -> None:
    assert Ingredients({"a": "1"}, {}).fingerprint != Ingredients({}, {"a": "1"}).fingerprint

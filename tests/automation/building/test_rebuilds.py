import pytest

from automation.building import rebuilds
from automation.building.artifacts import Ingredients
from automation.building.manifests import BuiltArtifact

BEFORE = Ingredients({"runtime": "python3.12"}, {"app.py": "1", "data.json": "2"})
SIGNATURES = {"Greet": "written"}


def reasons(now: Ingredients, *, signatures: dict[str, str] | None = None, force: bool = False) -> tuple[str, ...]:
    last_build = {"Greet": BuiltArtifact(BEFORE, SIGNATURES)}
    present = SIGNATURES if signatures is None else signatures
    return rebuilds.decide("main", {"Greet": now}, last_build, present, force=force)[0].reasons


def test_decide_unchanged_artifact_is_up_to_date() -> None:
    assert reasons(BEFORE) == ()


def test_decide_new_artifact_is_built() -> None:
    assert rebuilds.decide("main", {"Greet": BEFORE}, {}, {})[0].reasons == ("it was never built",)


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (Ingredients({"runtime": "python3.13"}, BEFORE.files), "runtime: python3.12 -> python3.13"),
        (Ingredients({"runtime": "python3.12", "bytecode by": "x"}, BEFORE.files), "bytecode by: none -> x"),
        (Ingredients({}, BEFORE.files), "runtime: python3.12 -> none"),
        (Ingredients(BEFORE.settings, {"app.py": "9", "data.json": "2"}), "app.py changed"),
        (Ingredients(BEFORE.settings, {**BEFORE.files, "new.py": "3"}), "new.py added"),
        (Ingredients(BEFORE.settings, {"app.py": "1"}), "data.json removed"),
    ],
)
def test_decide_changed_ingredient_is_the_reason(now: Ingredients, reason: str) -> None:
    assert reasons(now) == (reason,)


def test_decide_many_files_names_three_and_counts_the_others() -> None:
    now = Ingredients(BEFORE.settings, {**BEFORE.files, **{f"n{number}.py": "" for number in range(5)}})

    assert reasons(now) == ("n0.py, n1.py, n2.py and 2 more added",)


def test_decide_altered_output_is_built_again() -> None:
    assert reasons(BEFORE, signatures={"Greet": "altered"}) == ("its output was altered or removed",)


def test_decide_forced_builds_what_is_up_to_date() -> None:
    assert reasons(BEFORE, force=True) == ("forced",)


def test_fingerprint_distinguishes_settings_from_files() -> None:
    assert Ingredients({"a": "1"}, {}).fingerprint != Ingredients({}, {"a": "1"}).fingerprint

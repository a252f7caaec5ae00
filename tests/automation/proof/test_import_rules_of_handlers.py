"""Handlers that the template names: they are in what the function mounts, and can be called."""

from pathlib import Path

import pytest

from automation.proof import import_rules
from automation.proof.cases import Case, FunctionFault
from automation.proof.imports import ImportResult, Outcome
from automation.proof.scan import Scan
from tests.automation.proof.test_import_rules import case_of


def handlers_of(case: Case) -> list[tuple[str, str]]:
    return [(fault.what, fault.fix) for fault in import_rules.check_handler(case)]


@pytest.mark.parametrize("handler", ["app", ".main", "app."])
def test_handler_without_a_module_or_a_function_is_an_error(tmp_path: Path, handler: str) -> None:
    assert handlers_of(case_of(tmp_path, None, Handler=handler)) == [
        (f"Handler {handler} is not module.function", "write it as module.function")
    ]


def test_handler_in_a_built_in_module_is_an_error(tmp_path: Path) -> None:
    case = case_of(tmp_path, ImportResult(Outcome.BUILT_IN), Scan(module="time"), Handler="time.main")

    assert handlers_of(case) == [("Handler time.main: Python has a built-in module time", "rename the module")]


@pytest.mark.parametrize(
    ("imported", "scan", "count"),
    [
        (ImportResult(Outcome.NO_ATTRIBUTE, names=("mian",)), Scan(module="app", is_found=True), 1),
        (None, Scan(module="app", is_found=True, names=frozenset({"mian"})), 1),
        (None, Scan(module="app", is_found=True, names=frozenset({"main"})), 0),
        (None, Scan(module="app", is_found=True), 0),
        (ImportResult(Outcome.RESOLVED), Scan(module="app", is_found=True, names=frozenset({"mian"})), 0),
    ],
)
def test_handler_that_its_module_does_not_define_is_an_error(
    tmp_path: Path, imported: ImportResult | None, scan: Scan, count: int
) -> None:
    assert (
        handlers_of(case_of(tmp_path, imported, scan))
        == [("Handler app.main: app does not define main", "correct Handler, or define it; did you mean mian?")] * count
    )


def test_handler_whose_module_is_missing_names_the_nearest(tmp_path: Path) -> None:
    scan = Scan(module="sub.ap", beside_handler=frozenset({"app"}))

    assert handlers_of(case_of(tmp_path, None, scan, Handler="sub/ap.main")) == [
        (
            "Handler sub/ap.main: the module sub.ap is missing in what the function mounts",
            "correct Handler, or CodeUri code; did you mean app?",
        )
    ]


def test_handler_whose_module_the_runtime_has_is_accepted(tmp_path: Path) -> None:
    assert handlers_of(case_of(tmp_path, None, Scan(module="awslambdaric.x"), Handler="awslambdaric.x.main")) == []


@pytest.mark.parametrize(
    ("imported", "uncallable", "count"),
    [
        (ImportResult(Outcome.NOT_CALLABLE), (), 1),
        (ImportResult(Outcome.RESOLVED), ("main",), 0),
        (None, ("main",), 1),
        (None, ("app",), 0),
    ],
)
def test_handler_that_cannot_be_called_is_an_error(
    tmp_path: Path, imported: ImportResult | None, uncallable: tuple[str, ...], count: int
) -> None:
    case = case_of(tmp_path, imported, Scan(uncallable=frozenset(uncallable)))

    assert (
        list(import_rules.check_callable(case))
        == [
            FunctionFault(
                "template.yaml: App",
                "Handler app.main names a value that cannot be called",
                "name a function of two parameters, event and context",
            )
        ]
        * count
    )

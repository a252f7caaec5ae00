from automation.lambda_runtime import importtime
from automation.lambda_runtime.importtime import Importer

TRACE = """import time: self [us] | cumulative | imported package
import time:      1000 |       1000 |     lib.inner
import time:       500 |        500 |       json
import time:      2000 |       2500 |     lib.other
import time:      3000 |       6500 |   lib
import time:       100 |       6600 | app
import time:       200 |        200 |   lib.late
import time:        50 |        250 | more
a line of the code's own
"""


def parsed() -> dict[str, Importer]:
    return {one.package: one for one in importtime.parse(TRACE)}


def test_parse_package_own_time_is_that_of_all_its_modules() -> None:
    assert parsed()["lib"].own_ms == 6.2


def test_parse_package_cumulative_time_counts_nothing_twice() -> None:
    assert parsed()["lib"].cumulative_ms == 6.7


def test_parse_package_is_told_by_its_first_importer() -> None:
    assert (parsed()["lib"].imported_by, parsed()["json"].imported_by) == ("app", "lib.other")


def test_parse_module_that_the_handler_imports_has_no_importer() -> None:
    assert parsed()["app"].imported_by == ""


def test_parse_dearest_comes_first() -> None:
    assert [one.package for one in importtime.parse(TRACE)] == ["lib", "json", "app", "more"]


def test_parse_nothing_is_nothing() -> None:
    assert importtime.parse("") == ()

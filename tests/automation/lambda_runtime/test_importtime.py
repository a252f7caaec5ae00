from automation.lambda_runtime import importtime
from automation.lambda_runtime.importtime import PackageImport

TRACE = """import time: self [us] | cumulative | imported package
import time:      1000 |       1000 |     lib.inner
import time:       500 |        500 |       json
import time:      2000 |       2500 |     lib.other
import time:      3000 |       6500 |   lib
import time:       100 |       6600 | app
import time:       200 |        200 |   lib.late
import time:        50 |        250 | more
a line that the code printed
"""


def parsed() -> dict[str, PackageImport]:
    return {package.package: package for package in importtime.parse(TRACE)}


def test_parse_own_time_is_summed_over_all_modules() -> None:
    assert parsed()["lib"].own_ms == 6.2


def test_parse_cumulative_time_counts_nested_imports_once() -> None:
    assert parsed()["lib"].cumulative_ms == 6.7


def test_parse_imported_by_is_the_first_importing_module() -> None:
    assert (parsed()["lib"].imported_by, parsed()["json"].imported_by) == ("app", "lib.other")


def test_parse_imported_by_is_empty_for_the_handlers_imports() -> None:
    assert parsed()["app"].imported_by == ""


def test_parse_slowest_package_comes_first() -> None:
    assert [package.package for package in importtime.parse(TRACE)] == ["lib", "json", "app", "more"]


def test_parse_empty_text_has_no_packages() -> None:
    assert importtime.parse("") == ()

"""Faults in the code that a handler can reach."""

from collections.abc import Callable
from pathlib import Path

from tests.faults.bakery import APP_BUILD, change, put
from tests.faults.model import PlantedFault

OVEN = "bakery/oven/handler.py"
TILL = "bakery/till/handler.py"
_BODY = "    return json.dumps"


def _in_body(*lines: str) -> Callable[[Path], None]:
    """Add lines at the end of Oven's handler function, before its return."""
    added = "".join(f"    {line}\n" for line in lines)
    return lambda root: change(root, OVEN, _BODY, f"{added}{_BODY}")


def _at_top(*lines: str) -> Callable[[Path], None]:
    """Add lines before the first import of Oven's handler module."""
    return lambda root: change(root, OVEN, "import json\n", "".join(f"{line}\n" for line in (*lines, "import json")))


def _append(name: str, *lines: str) -> Callable[[Path], None]:
    return lambda root: put(root / name, (root / name).read_text() + "".join(f"{line}\n" for line in lines))


def _in_template(old: str, new: str) -> Callable[[Path], None]:
    return lambda root: change(root, "app.yaml", old, new)


def _import_each_other(root: Path) -> None:
    put(root / "bakery/oven/heat.py", "from bakery.oven.handler import main\n\nDEGREES = 220\n")
    _at_top("from bakery.oven.heat import DEGREES")(root)


def _lead_out_of_the_package(root: Path) -> None:
    put(root / "bakery/oven/heat.py", "from ....kitchen import DEGREES\n")
    _in_body("from bakery.oven import heat", "heat.DEGREES")(root)


def _run_without_the_bit(root: Path) -> None:
    put(root / "bakery/oven/knead.sh", "#!/bin/sh\n")
    lines = ("import subprocess", "from pathlib import Path", "subprocess.run([Path(__file__).with_name('knead.sh')])")
    _in_body(*lines)(root)


FAULTS: tuple[PlantedFault, ...] = (
    PlantedFault("import-fails", "a name that its module does not define", _at_top("from json import dumpz")),
    PlantedFault("import-fails", "a syntax error", _at_top("if True")),
    PlantedFault("import-fails", "two modules that import each other", _import_each_other),
    PlantedFault("import-fails", "a process that exits at import", _at_top("import os", "os._exit(0)")),
    PlantedFault("import-fails", "a file written beside the code at import", _at_top("open('log.txt', 'w')")),
    PlantedFault(
        "import-fails", "a folder made in the home at import", _at_top("import os", "os.mkdir(os.path.expanduser('~'))")
    ),
    PlantedFault(
        "import-fails",
        "a file of another function, opened at import",
        _at_top(
            "from pathlib import Path", "open(Path(__file__).resolve().parents[3] / 'Till/bakery/till/handler.py')"
        ),
    ),
    PlantedFault(
        "import-fails", "a module that does not exist, imported in the handler", _in_body("import bakery.common.ovens")
    ),
    PlantedFault(
        "import-fails",
        "a name that does not exist, imported in the handler",
        _in_body("from bakery.common.messages import Roll"),
    ),
    PlantedFault("import-fails", "a relative import out of its package, in the handler", _lead_out_of_the_package),
    PlantedFault(
        "library-not-loadable",
        "libexpat, loaded at import",
        _at_top("import ctypes", "EXPAT = ctypes.CDLL('libexpat.so.1')"),
    ),
    PlantedFault(
        "program-not-runnable",
        "a program that no artifact has",
        _in_body("import subprocess", "subprocess.run(['/opt/bin/knead'])"),
    ),
    PlantedFault("program-not-runnable", "a script that lost its run bit", _run_without_the_bit),
    PlantedFault(
        "handler-missing", "a typo in the function's name", _in_template("till.handler.main", "till.handler.mian")
    ),
    PlantedFault(
        "handler-missing", "a typo in the module's name", _in_template("till.handler.main", "till.handlr.main")
    ),
    PlantedFault(
        "handler-missing", "no module in Handler", _in_template("bakery.till.handler.main", "main"), after_build=True
    ),
    PlantedFault("handler-not-callable", "a value instead of a function", _append(OVEN, "main = {}")),
    PlantedFault("sibling-import", "another function's module, at import", _at_top("import bakery.till.handler")),
    PlantedFault(
        "sibling-import", "another function's module, in the handler", _in_body("from bakery.till import handler")
    ),
    PlantedFault(
        "sibling-import",
        "another function's module, by its name in a string",
        _in_body("import importlib", "importlib.import_module('bakery.till.handler')"),
    ),
    PlantedFault("undeclared-import", "a distribution that no layer has", _at_top("import pandas")),
    PlantedFault(
        "undeclared-import", "a distribution of another stack's layer, in the handler", _in_body("import flourish")
    ),
    PlantedFault(
        "stdlib-shadowing",
        "a queue.py at the root of a layer",
        lambda root: put(root / "layers/flour/queue.py", "SHELVES = 3\n"),
    ),
    PlantedFault(
        "namespace-shadowing",
        "an __init__.py at the root of a package that is split over trees",
        lambda root: put(root / APP_BUILD / "Common/python/bakery/__init__.py", ""),
        after_build=True,
    ),
    PlantedFault("variable-unset", "a variable removed from Globals", _in_template("SHOP_NAME:", "STORE_NAME:")),
    PlantedFault(
        "variable-unset", "a variable read in the handler", _in_body("import os", "os.environ['OVEN_DEGREES']")
    ),
    PlantedFault(
        "data-file-absent",
        "a file deleted from the built tree",
        lambda root: (root / APP_BUILD / "Till/bakery/till/receipt.txt").unlink(),
        after_build=True,
    ),
    PlantedFault(
        "data-file-absent",
        "a file of a package that never existed",
        _in_body("from importlib.resources import files", "(files('bakery.oven') / 'recipe.txt').read_text()"),
    ),
)

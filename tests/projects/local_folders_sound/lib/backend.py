"""A build backend that needs no package: it writes every module of `acme` into a wheel."""

import zipfile
from pathlib import Path


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    name = "acme-1.0-py3-none-any.whl"
    with zipfile.ZipFile(Path(wheel_directory) / name, "w") as wheel:
        for module in sorted(Path("acme").rglob("*.py")):
            wheel.write(module)
        wheel.writestr("acme-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
        tags = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        wheel.writestr("acme-1.0.dist-info/WHEEL", tags)
        wheel.writestr("acme-1.0.dist-info/RECORD", "")
    return name

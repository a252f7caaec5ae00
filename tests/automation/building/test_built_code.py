"""The zips of the last build, with their digests."""

import os
from pathlib import Path

from automation.building import built_code, outputs
from automation.building.built_code import Digests
from automation.project import model
from automation.system import files
from automation.system.digests import base64_of
from tests.automation.deployable_shop import ShopDeployments


def test_read_has_every_zip_with_its_digest(deployments: ShopDeployments) -> None:
    zips = built_code.read(model.load(deployments.root), Digests())

    names = {"base": ("Stock", "Code"), "app": ("Till", "Ledger", "Code", "Wheels")}
    assert set(zips) == {*(("base", name) for name in names["base"]), *(("app", name) for name in names["app"])}
    till = zips["app", "Till"]
    assert till.path == deployments.root / ".aws-sam/build" / outputs.zip_name("Till")
    assert till.digest == base64_of(files.digest(till.read()))
    assert till.size_bytes == len(till.read())
    assert [name for (_, name), built in zips.items() if built.is_installed] == ["Wheels"]


def test_read_leaves_out_what_was_not_built(deployments: ShopDeployments) -> None:
    (deployments.root / ".aws-sam/build" / outputs.zip_name("Till")).unlink()

    assert ("app", "Till") not in built_code.read(model.load(deployments.root), Digests())


def test_digests_are_read_again_after_a_write_only(tmp_path: Path) -> None:
    digests, file = Digests(), tmp_path / "a.zip"
    file.write_bytes(b"1")
    os.utime(file, ns=(1, 1))
    first = digests.of(file)
    assert first == base64_of(files.digest(b"1"))

    digests.known = dict.fromkeys(digests.known, "known")
    assert digests.of(file) == "known"
    os.utime(file, ns=(2, 2))
    assert digests.of(file) == first

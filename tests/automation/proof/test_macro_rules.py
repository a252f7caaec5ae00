"""What a macro may add or change when the template is deployed is a warning, or is there."""

from pathlib import Path

import pytest

from automation import prove
from automation.building import built
from automation.proof import elsewhere
from tests.automation.proof.small import TEMPLATE, make, reported

SAM = "Transform: AWS::Serverless-2016-10-31"
HANDLER = "def handler(event, context): ...\n"


def template(macro: str, text: str = TEMPLATE) -> str:
    return text.replace(SAM, f"Transform: [AWS::Serverless-2016-10-31, {{Name: {macro}}}]")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (f"import ddtrace\n{HANDLER}", "undeclared-import"),
        (f"import os\nos.environ['KEY']\n{HANDLER}", "variable-unset"),
        ("handler = 5\n", "handler-not-callable"),
        ("def other(event, context): ...\n", "handler-missing"),
        ("import wavy\ndef handler(event, context): ...\n", "undeclared-import"),
    ],
)
def test_macro_makes_what_it_may_add_a_warning(tmp_path: Path, text: str, rule: str) -> None:
    changes = {"functions/one/app.py": text}

    assert reported(make(tmp_path / "a", changes)) == [(rule, "error")]
    assert reported(make(tmp_path / "b", changes, template=template("Own"))) == [(rule, "warning")]


def test_macro_of_datadog_brings_its_tracer(tmp_path: Path) -> None:
    changes = {"functions/one/app.py": f"import ddtrace, datadog_lambda.wrapper\n{HANDLER}"}

    assert reported(make(tmp_path, changes, template=template("DatadogServerless"))) == []


def test_macro_may_add_a_layer_that_the_template_lacks(tmp_path: Path) -> None:
    text = TEMPLATE.replace("Handler: app.handler}", "Handler: app.handler, Layers: [!Ref Added]}")

    assert reported(make(tmp_path / "a", template=text)) == [("layer-reference", "error")]
    assert reported(make(tmp_path / "b", template=template("Own", text))) == [("layer-reference", "warning")]


def test_macro_makes_no_wrong_name_a_warning(tmp_path: Path) -> None:
    changes = {"functions/one/app.py": f"from json import dumbs\n{HANDLER}"}

    assert reported(make(tmp_path, changes, template=template("Own"))) == [("import-fails", "error")]


def test_macro_is_named_in_the_advice_and_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loaded = make(tmp_path, {"functions/two/app.py": f"import wavy\n{HANDLER}"}, template=template("Own"))

    proof = prove.prove(loaded)
    prove.show(proof)

    assert next(broken.fault.fix for broken in proof.broken).startswith("check that the macro Own provides it, or ")
    assert proof.functions[1].why == "its import needs wavy, which the macro Own may provide"
    output = " ".join(capsys.readouterr().out.split())
    assert "may be changed by: the macro Own" in output
    assert "layers outside the template" not in output


def test_macro_beside_an_unknown_layer_is_not_the_only_provider(tmp_path: Path) -> None:
    layer = "arn:aws:lambda:us-east-1:123456789012:layer:shared:3"
    text = TEMPLATE.replace("Handler: app.handler}", f"Handler: app.handler, Layers: [{layer}]}}")
    mounts = built.mounts_of_project(make(tmp_path, template=template("Own", text)))

    providers = [elsewhere.provider(mount, "numpy", changes_path=False) for mount in mounts]

    assert providers == ["the macro Own may provide", "a layer outside the template may provide"]
    assert [(mount.unknown, mount.macros) for mount in mounts] == [
        (("the macro Own",), ("the macro Own",)),
        ((layer, "the macro Own"), ("the macro Own",)),
    ]

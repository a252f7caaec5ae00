"""An import that fails may depend on a value of the deployment only when it has read one."""

from pathlib import Path

import pytest

from automation import prove
from tests.automation.proof.small import TEMPLATE, make

HANDLER = "\n\ndef handler(event, context): ...\n"
FAILING = "\nint('x')"
COPY = "import os\nclass Fetcher:\n    def __init__(self): self.all = os.environ.copy()\n"


def fault(root: Path, text: str, *, template: str = TEMPLATE, changes: dict[str, str] | None = None) -> tuple[str, str]:
    """Return the severity and the fix of the function One's only fault."""
    project = make(root, {"functions/one/app.py": text + HANDLER, **(changes or {})}, template=template)
    (broken,) = prove.prove(project, names=["One"]).broken
    assert broken.rule.id == "import-fails"
    return str(broken.fault.severity), broken.fault.fix


@pytest.mark.parametrize(
    ("line", "severity"),
    [
        ("import os", "error"),
        ("import os; os.getenv('STAGE')", "error"),
        ("import os; os.getenv('TABLE')", "warning"),
        ("import os; os.environ[b'TABLE'] if False else os.environ.get('TABLE')", "warning"),
        ("import os; 'TABLE' in os.environ", "warning"),
        ("import os; dict(os.environ)", "warning"),
        ("import os; os.environb.get(b'TABLE')", "warning"),
        ("import os; os.system('true')", "warning"),
        ("import urllib.request; urllib.request.getproxies_environment()", "error"),
        ("import botocore.utils; botocore.utils.Fetcher()", "error"),
        ("import notocore.utils; notocore.utils.Fetcher()", "warning"),
    ],
)
def test_failing_import_is_certain_unless_it_has_read_a_placeholder(tmp_path: Path, line: str, severity: str) -> None:
    changes = {f"functions/one/{name}/utils.py": COPY for name in ("botocore", "notocore")}

    assert fault(tmp_path, line + FAILING, changes=changes)[0] == severity


@pytest.mark.parametrize(
    "template",
    [
        TEMPLATE.replace("AWS::Serverless-2016-10-31", "[AWS::Serverless-2016-10-31, Own]"),
        TEMPLATE.replace("{STAGE: test, TABLE: !Ref Table}", "{'Fn::Transform': {Name: 'AWS::Include'}}"),
    ],
)
def test_failing_import_is_uncertain_where_variables_may_be_added(tmp_path: Path, template: str) -> None:
    assert fault(tmp_path, FAILING, template=template)[0] == "warning"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("int(os.getenv('TABLES') or 'x', os.getenv('STAGE'), os.getenv('AWS_X'), os.getenv('BASE', 'y'))", "TABLES"),
        ("int(os.environ.get( 'QQ' ) or os.getenv(\"ZZ\") or os.getenv('QQ') or os.getenv('TZ') or 'x')", "QQ, ZZ"),
    ],
)
def test_failing_import_names_the_variables_that_are_not_set(tmp_path: Path, text: str, names: str) -> None:
    near = "; did you mean TABLE?" if names == "TABLES" else ""
    fix = f"add {names}, which the code reads, to Environment: Variables of One in template.yaml, or correct it{near}"

    assert fault(tmp_path, f"import os\n{text}") == ("error", fix)


def test_failing_import_without_such_a_variable_is_corrected(tmp_path: Path) -> None:
    assert fault(tmp_path, FAILING)[1] == "correct it, or move it into the handler; then run inv prove One"

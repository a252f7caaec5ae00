"""The record of a passed proof answers for the same state."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from automation import prove, proven
from automation.lambda_runtime import runtime
from automation.project import model, templates
from automation.project.model import Project, Stack
from automation.project.settings import Settings
from automation.proof import freshness, records, rules
from automation.prove import Proof
from automation.system import packages, tools
from automation.system.errors import CheckFailedError
from tests.automation.projects import write_files
from tests.automation.proof.small import make

BROKEN = {"functions/one/app.py": "import pandas\n\ndef handler(event, context): ...\n"}
GUESS = {"functions/one/app.py": "def later():\n    import pandas\n\ndef handler(event, context): ...\n"}
STACK = Stack("main", templates.parse("{Resources: {}}", name="t.yaml"), "", "", (), ())


def test_state_follows_settings_locks_and_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytecode of the rules does not count."""
    monkeypatch.setattr(packages, "__file__", str(tmp_path / "automation/system/packages.py"))
    write_files(tmp_path, {"automation/prove.py": ""})
    loaded = Project(tmp_path / "project", Settings(), (STACK,))
    states = [records.state(loaded)]
    names = ("t.yaml", "pyproject.toml", "samconfig.toml", "locks/runtime.txt")
    changed = [*(f"project/{name}" for name in names), "automation/proof/rules.py"]

    for name in changed:
        write_files(tmp_path, {name: "changed"})
        states.append(records.state(loaded))
    write_files(tmp_path, {"automation/__pycache__/prove.pyc": "changed"})

    assert len(set(states)) == 6
    assert records.state(loaded) == states[-1]


def test_state_follows_the_parameters_of_the_build(tmp_path: Path) -> None:
    states = {
        records.state(Project(tmp_path, Settings(), (replace(STACK, parameters=parameters),)))
        for parameters in ({}, {"A": "1"}, {"A": "2"}, {"B": "2"})
    }

    assert len(states) == 4


@pytest.mark.parametrize("path", ["shop/messages.py", "shop/inner/parts.py", "shop.py"])
def test_state_follows_the_code_of_the_message_registry(tmp_path: Path, path: str) -> None:
    loaded = Project(tmp_path, Settings(messages="shop.messages:ROUTES"), (STACK,))
    before = records.state(loaded)
    write_files(tmp_path, {path: "changed"})

    assert records.state(loaded) != before


def test_state_without_a_lock_follows_the_sdk_of_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path, {"site/boto3/__init__.py": "1", "site/six.py": "1"})
    monkeypatch.setattr(tools, "lock_file", lambda root, name: root / name)
    own = {"boto3": tmp_path / "site/boto3", "six.py": tmp_path / "site/six.py"}
    monkeypatch.setattr(runtime, "own_sdk", lambda: own)
    loaded = Project(tmp_path / "project", Settings(), (STACK,))
    states = [records.state(loaded)]

    for path in ("site/boto3/__init__.py", "site/six.py"):
        write_files(tmp_path, {path: "longer"})
        states.append(records.state(loaded))
    del own["six.py"]

    assert len({*states, records.state(loaded)}) == 4


def test_prove_once_after_a_passed_proof_returns_none(tmp_path: Path) -> None:
    loaded = make(tmp_path)

    first, second = prove.prove_once(loaded), prove.prove_once(loaded)

    assert isinstance(first, Proof)
    assert second is None


def test_prove_once_after_a_new_build_proves_again(tmp_path: Path) -> None:
    loaded = make(tmp_path)
    prove.prove_once(loaded)
    os.utime(tmp_path / ".aws-sam/build/One/app.py", (1, 1))

    assert prove.prove_once(loaded) is not None


def test_prove_once_after_a_template_change_proves_again(tmp_path: Path) -> None:
    prove.prove_once(make(tmp_path))
    template = tmp_path / "template.yaml"
    template.write_text(template.read_text().replace("Handler: app.handler}", "Handler: app.handle}"))

    with pytest.raises(CheckFailedError, match="handler-missing"):
        prove.prove_once(model.load(tmp_path))


def test_prove_once_after_a_failed_proof_fails_again(tmp_path: Path) -> None:
    loaded = make(tmp_path, BROKEN)
    for _ in range(2):
        with pytest.raises(CheckFailedError) as caught:
            prove.prove_once(loaded)

        assert [finding.where for finding in caught.value.findings] == ["functions/one/app.py:1"]


def test_rules_have_distinct_ids() -> None:
    ids = [rule.id for rule in rules.RULES]

    assert len(set(ids)) == len(ids)


def test_show_recorded_prints_what_the_passed_proof_has_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded = make(tmp_path, GUESS)
    proof = prove.prove_once(loaded)
    assert proof
    prove.show(proof)
    first = capsys.readouterr().out

    assert proven.show_recorded(loaded, records.state(loaded))

    assert (
        capsys.readouterr().out == f"{first.rstrip()}; nothing has changed since; inv prove --force proves it again\n"
    )


def test_show_recorded_json_is_that_of_the_passed_proof(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loaded = make(tmp_path, GUESS)
    proof = prove.prove_once(loaded)
    assert proof

    assert proven.show_recorded(loaded, records.state(loaded), is_json=True)

    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(prove.as_json(proof)))


def test_show_recorded_says_what_is_older_now(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loaded = make(tmp_path)
    prove.prove_once(loaded)
    (tmp_path / "functions/two/app.py").write_text("# changed after the build and the proof\n")

    assert proven.show_recorded(loaded, records.state(loaded))

    assert "the build is older than functions/two/app.py" in capsys.readouterr().err


def test_show_recorded_of_the_same_sources_compares_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded = make(tmp_path)
    prove.prove_once(loaded)
    monkeypatch.setattr(freshness, "outdated", lambda _subject: pytest.fail("compared"))

    assert proven.show_recorded(loaded, records.state(loaded))
    assert "older" not in capsys.readouterr().err


@pytest.mark.parametrize("path", ["functions/two/app.py", "functions/two/new.txt", "functions/one/requirements.txt"])
def test_show_recorded_after_a_source_changed_compares_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    loaded = make(tmp_path)
    prove.prove_once(loaded)
    write_files(tmp_path, {path: "# changed\n"})
    compared: list[object] = []
    monkeypatch.setattr(freshness, "outdated", compared.append)

    proven.show_recorded(loaded, records.state(loaded))

    assert len(compared) == 1


def test_show_recorded_of_a_build_that_was_older_then_says_so_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded = make(tmp_path)
    (tmp_path / "functions/two/app.py").write_text("# changed after the build, before the proof\n")
    prove.prove_once(loaded)

    assert proven.show_recorded(loaded, records.state(loaded))
    assert "the build is older than functions/two/app.py" in capsys.readouterr().err


@pytest.mark.parametrize("sources", [None, {}, {"paths": []}, {"paths": ["a"]}, {"paths": 3, "fingerprint": ""}])
def test_has_same_sources_of_a_damaged_record_is_false(tmp_path: Path, sources: object) -> None:
    assert not records.has_same_sources(tmp_path, {"sources": sources})


def test_is_within_limits_holds_for_the_noted_state_only(tmp_path: Path) -> None:
    assert not records.is_within_limits(tmp_path, "a")

    records.note_within_limits(tmp_path, "a")

    assert records.is_within_limits(tmp_path, "a")
    assert not records.is_within_limits(tmp_path, "b")


@pytest.mark.parametrize("record", [None, "{", "[]", '{"state": "another", "shown": {}}'])
def test_show_recorded_without_a_record_of_this_state_prints_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], record: str | None
) -> None:
    loaded = make(tmp_path)
    if record is not None:
        write_files(tmp_path, {".alchemiser/proven.json": record})

    assert not proven.show_recorded(loaded, records.state(loaded))
    assert capsys.readouterr().out == ""


def test_show_recorded_after_a_failed_proof_prints_nothing(tmp_path: Path) -> None:
    loaded = make(tmp_path, BROKEN)
    with pytest.raises(CheckFailedError):
        prove.record(loaded, records.state(loaded), prove.prove(loaded))

    assert not proven.show_recorded(loaded, records.state(loaded))


def test_show_recorded_of_code_that_was_only_read_prints_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Python that is installed later could import it; a deployment proves it once all the same."""
    monkeypatch.setattr(runtime, "why_not_importable", lambda _mount, _root: "there is no such Python")
    loaded = make(tmp_path)
    prove.prove_once(loaded)

    assert not proven.show_recorded(loaded, records.state(loaded))
    assert prove.prove_once(loaded) is None

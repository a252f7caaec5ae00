"""What the rules check."""

from pathlib import Path

from tests.automation.proof import subjects


def test_with_evidence_keeps_what_was_read_of_the_trees(tmp_path: Path) -> None:
    subject = subjects.write(tmp_path, {"App": subjects.function()}, {"App": {"app.py": ""}})
    evidence = subjects.importing(subject, "json").evidence

    proven = subject.with_evidence(evidence)

    assert proven.built_trees is subject.built_trees
    assert proven.evidence == evidence
    assert proven.evidence_of == {("main", "App"): evidence[0]}
    assert subject.evidence_of == {}

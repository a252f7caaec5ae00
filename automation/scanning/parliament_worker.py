"""Analyse IAM policies. Runs in parliament's environment: the standard library and parliament only.

Argument: a JSON file, the list of policy documents. stdout: JSON, for each document the list of its findings.
"""

import json
import sys
from pathlib import Path
from typing import Any

# Its types are unknown here, since it is installed in its own environment only.
import parliament  # type: ignore[import-not-found]


def analyse(document: dict[str, Any]) -> list[dict[str, str]]:
    """Return the findings of one policy document."""
    policy = parliament.analyze_policy_string(json.dumps(document))
    return [described(parliament.enhance_finding(finding)) for finding in policy.findings]


def described(finding: Any) -> dict[str, str]:
    return {
        "rule": str(finding.issue),
        "title": str(finding.title).strip(),
        "detail": json.dumps(finding.detail) if finding.detail else "",
        "description": str(finding.description or "").strip(),
    }


documents = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
json.dump([analyse(document) for document in documents], sys.stdout)

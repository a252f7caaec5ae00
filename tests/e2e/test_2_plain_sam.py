"""Plain `sam deploy` accepts the output of `inv build`, without any task of this repository."""

import json
import os
import subprocess

from automation.system import sam
from tests.e2e.conftest import ROOT, Sandbox

STACK = "plain-sam-data"


def test_sam_deploy_of_the_build_deploys_working_functions(deployed: Sandbox) -> None:
    arguments = ["deploy", "--template-file", ".aws-sam/data/template.yaml", "--stack-name", STACK, "--resolve-s3"]
    arguments += ["--region", "us-east-1", "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset"]
    arguments += ["--parameter-overrides", "Stage=dev", "ScheduleState=DISABLED"]
    cloud = {"AWS_ENDPOINT_URL": deployed.emulator_url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}

    done = subprocess.run(
        [sam.ensure(ROOT), *arguments],
        cwd=ROOT,
        env={**os.environ, **cloud, "SAM_CLI_POLL_DELAY": "0.1", "SAM_CLI_TELEMETRY": "0"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    name = deployed.resources(STACK)["DataQualityMonitorFunction"]
    answer = deployed.client("lambda").invoke(FunctionName=name, Payload=json.dumps({"health": True}).encode())
    assert "FunctionError" not in answer, answer["Payload"].read()

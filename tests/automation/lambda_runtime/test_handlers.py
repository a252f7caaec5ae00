"""The handler behind a vendor's wrapper, and programs that the web adapter starts."""

from pathlib import Path

import pytest

from automation.lambda_runtime import handlers
from automation.project import model
from automation.project.model import Function, Stack

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Own: {Type: String, Default: own.main}
Globals:
  Function: {Runtime: python3.12, Environment: {Variables: {STAGE: test}}}
Resources:
  App:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: src/, Handler: HANDLER, Layers: [LAYERS], Environment: {Variables: {VARIABLES}}}
"""
ADAPTER = "!Sub 'arn:aws:lambda:${AWS::Region}:753240598075:layer:LambdaAdapterLayerX86:24'"


def load(root: Path, handler: str, variables: str = "A: b", layers: str = "") -> tuple[Function, Stack]:
    text = TEMPLATE.replace("HANDLER", handler).replace("VARIABLES", variables).replace("LAYERS", layers)
    (root / "template.yaml").write_text(text)
    (root / "src").mkdir(exist_ok=True)
    stack = model.load(root).stacks[0]
    return stack.functions[0], stack


@pytest.mark.parametrize(
    ("handler", "variables", "own"),
    [
        ("datadog_lambda.handler.handler", "DD_LAMBDA_HANDLER: app.main", "app.main"),
        ("newrelic_lambda_wrapper.handler", "NEW_RELIC_LAMBDA_HANDLER: app.main", "app.main"),
        ("lumigo_tracer._handler", "LUMIGO_ORIGINAL_HANDLER: app.main", "app.main"),
        ("/opt/python/lumigo_tracer._handler", "LUMIGO_ORIGINAL_HANDLER: app.main", "app.main"),
        (
            "sentry_sdk.integrations.init_serverless_sdk.sentry_lambda_handler",
            "SENTRY_INITIAL_HANDLER: !Ref Own",
            "own.main",
        ),
        ("app.main", "DD_LAMBDA_HANDLER: other.main", "app.main"),
        ("my_datadog_lambda.handler.handler", "DD_LAMBDA_HANDLER: o.m", "my_datadog_lambda.handler.handler"),
        ("datadog_lambda.handler.handler", "STAGE: prod", "datadog_lambda.handler.handler"),
        ("datadog_lambda.handler.handler", "DD_LAMBDA_HANDLER: !ImportValue x", "datadog_lambda.handler.handler"),
    ],
)
def test_unwrapped_function_has_its_own_handler(tmp_path: Path, handler: str, variables: str, own: str) -> None:
    assert handlers.unwrapped(*load(tmp_path, handler, variables)).handler == own


def test_wrapper_variable_of_a_plain_handler_is_empty(tmp_path: Path) -> None:
    assert handlers.wrapper_variable(load(tmp_path, "app.main")[0]) == ""
    assert handlers.wrapper_variable(load(tmp_path, "datadog_lambda.handler.handler")[0]) == "DD_LAMBDA_HANDLER"


@pytest.mark.parametrize(
    ("handler", "variables", "layers", "program"),
    [
        ("run.sh", "AWS_LAMBDA_EXEC_WRAPPER: /opt/bootstrap", ADAPTER, "run.sh"),
        ("run", "AWS_LAMBDA_EXEC_WRAPPER: /opt/bootstrap", ADAPTER.replace("X86", "Arm64"), "run"),
        ("run.sh", "AWS_LAMBDA_EXEC_WRAPPER: /opt/bootstrap", "", "run.sh"),
        ("app.main", "AWS_LAMBDA_EXEC_WRAPPER: /opt/bootstrap", "", ""),
        ("app.main", "AWS_LAMBDA_EXEC_WRAPPER: /opt/otel-instrument", ADAPTER, ""),
        ("run.sh", "STAGE: x", ADAPTER, ""),
    ],
)
def test_program_is_what_the_web_adapter_starts(
    tmp_path: Path, handler: str, variables: str, layers: str, program: str
) -> None:
    assert handlers.program(*load(tmp_path, handler, variables, layers)) == program


def test_variables_from_an_intrinsic_are_none(tmp_path: Path) -> None:
    function, stack = load(tmp_path, "datadog_lambda.handler.handler", "Fn::If: [A, {X: 1}, {Y: 2}]")

    assert handlers.unwrapped(function, stack) is function
    assert handlers.program(function, stack) == ""


SCRIPT = """#!/bin/bash
# python -m old_server old:app
export PATH=$PATH:$LAMBDA_TASK_ROOT/bin PYTHONPATH=$PYTHONPATH:/opt/python:$LAMBDA_RUNTIME_DIR
curl http://localhost:8080/health
python3 -u -m pip check
exec python -m uvicorn --host 0.0.0.0:80 --port=$PORT shop.web:app
"""


def test_started_modules_are_those_that_python_runs() -> None:
    assert handlers.started_modules(SCRIPT) == ("pip", "uvicorn")
    assert handlers.started_modules("exec python3.12 ./web/server.py --debug") == ("web.server",)
    assert handlers.started_modules("python app.py\npython app.py") == ("app",)


def test_served_modules_are_those_before_a_colon() -> None:
    assert handlers.served_modules(SCRIPT) == ("shop.web",)
    assert handlers.served_modules("gunicorn 'app:create()' -b :8080") == ("app",)
    assert handlers.served_modules("nginx -c /var/task/nginx.conf") == ()

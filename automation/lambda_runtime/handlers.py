"""The handler that Lambda really runs: behind the wrapper of a monitoring vendor, or a program of its own."""

import re
from dataclasses import replace
from typing import Any

from automation.project import templates
from automation.project.model import Function, Stack

# The variable that names the function's own handler, by the wrapper that Handler names instead.
# Sources: the vendors' documentation of their Python layers, as of 2026-11.
_WRAPPED_BY = {
    "datadog_lambda.handler.handler": "DD_LAMBDA_HANDLER",
    "lumigo_tracer._handler": "LUMIGO_ORIGINAL_HANDLER",
    "newrelic_lambda_wrapper.handler": "NEW_RELIC_LAMBDA_HANDLER",
    "sentry_sdk.integrations.init_serverless_sdk.sentry_lambda_handler": "SENTRY_INITIAL_HANDLER",
}
# With this wrapper the Lambda Web Adapter starts the file that Handler names. Source: its README, as of 2026-11.
_WEB_ADAPTER_WRAPPER = "/opt/bootstrap"
_WEB_ADAPTER_LAYER = "LambdaAdapterLayer"

# In a start script: `python -m uvicorn`, `main:app` and `python server.py`.
_RUN_MODULE = re.compile(r"\bpython[\d.]*\s+(?:-[a-zA-Z]\s+)*-m\s+([A-Za-z_][\w.]*)")
_SERVED = re.compile(r"(?<![\w/:.-])([A-Za-z_][\w.]*):[A-Za-z_]\w*(?:\(\))?(?=\s|$|[\"'])")
_RUN_FILE = re.compile(r"\bpython[\d.]*\s+(?:-[a-zA-Z]\s+)*([\w./-]+)\.py\b")


def unwrapped(function: Function, stack: Stack) -> Function:
    """Return a function with its own handler, which a vendor's wrapper calls; otherwise the function itself."""
    variable = wrapper_variable(function)
    own = _variables(function, stack).get(variable) if variable else None
    return replace(function, handler=own) if isinstance(own, str) and own else function


def wrapper_variable(function: Function) -> str:
    """Return the variable that names a function's own handler; empty when Handler names it."""
    handler = str(function.handler).replace("/", ".")
    return next((name for wrapper, name in _WRAPPED_BY.items() if f".{handler}".endswith(f".{wrapper}")), "")


def program(function: Function, stack: Stack) -> str:
    """Return the program that Handler names and the Lambda Web Adapter starts; empty when Handler is a function."""
    if _variables(function, stack).get("AWS_LAMBDA_EXEC_WRAPPER") != _WEB_ADAPTER_WRAPPER:
        return ""
    handler = str(function.handler)
    has_adapter = any(_WEB_ADAPTER_LAYER in str(layer) for layer in function.layers)
    return handler if has_adapter or handler.endswith(".sh") else ""


def started_modules(script: str) -> tuple[str, ...]:
    """Return the modules that a start script certainly runs: `python -m uvicorn`, `python server.py`."""
    code = _without_comments(script)
    files = (path.removeprefix("./").replace("/", ".") for path in _RUN_FILE.findall(code))
    return tuple(dict.fromkeys(name for name in (*_RUN_MODULE.findall(code), *files) if name.strip(".")))


def served_modules(script: str) -> tuple[str, ...]:
    """Return the names that look like the module of an application that a start script serves: `main:app`."""
    return tuple(dict.fromkeys(_SERVED.findall(_without_comments(script))))


def _without_comments(script: str) -> str:
    return "\n".join(line for line in script.splitlines() if not line.lstrip().startswith("#"))


def _variables(function: Function, stack: Stack) -> dict[str, Any]:
    environment = templates.resolve(function.properties.get("Environment"), stack.template, stack.parameters)
    variables = environment.get("Variables") if isinstance(environment, dict) else None
    return variables if isinstance(variables, dict) else {}

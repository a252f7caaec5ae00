"""Keep the values of adopted parameters, such as a switch that a person has set.

CloudFormation writes the value of the template over it whenever it updates another property or a tag. The value is
written down before the import. It is restored at the end of the same deployment; after an interrupted one a person may
have set the parameter again, so that only a warning says what it was.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from automation.deploying.adoption import model
from automation.deploying.adoption.model import RetainedResource
from automation.deploying.connections import Connections
from automation.deploying.scope import Scope
from automation.system import aws_commands, console
from automation.system.holdings import PARAMETER

_VALUE = "value"


def write(stack_name: str, resources: Sequence[RetainedResource], connections: Connections) -> None:
    """Write down the values of the parameters among some resources.

    Raises:
        DeploymentError: AWS did not answer.
    """
    values = {
        resource.physical_id: connections.data.read_parameter(resource.physical_id)
        for resource in resources
        if resource.type == PARAMETER
    }
    if values:
        documents = [model.as_document(resource) for resource in resources]
        for document in documents:
            if document["physical_id"] in values:
                document[_VALUE] = values[document["physical_id"]]
        _replace(stack_name, documents, connections)


def keep(stack_name: str, resources: Iterable[RetainedResource], connections: Connections) -> None:
    """Give the adopted parameters the values back that they had, if the deployment has changed them.

    Raises:
        DeploymentError: AWS did not answer.
    """
    if not any(resource.type == PARAMETER for resource in resources):
        return
    for name, value in _changed(stack_name, connections).items():
        connections.data.write_parameter(name, value)
        console.result(f"{stack_name}: {name} keeps its value {value}")
    _forget(stack_name, connections)


def report_lost(scope: Scope, connections: Connections) -> None:
    """Warn about a parameter whose value an interrupted adoption has reset; it may have been set again since.

    Raises:
        DeploymentError: AWS did not answer.
    """
    for stack_name in scope.stack_names:
        for name, value in _changed(stack_name, connections).items():
            words = ("ssm", "put-parameter", "--overwrite", "--name", name, "--value", value)
            command = aws_commands.line(scope.target, *words)
            console.warning(f"{name} was {value} before its stack was deleted; if it must be that again: {command}")
        _forget(stack_name, connections)


def _replace(stack_name: str, documents: Sequence[Mapping[str, Any]], connections: Connections) -> None:
    """Write documents into the record of a stack, in place of those about the same resources."""
    ids = {document["physical_id"] for document in documents}
    others = [entry for entry in connections.table.retained(stack_name) if entry["physical_id"] not in ids]
    connections.table.write_retained(stack_name, [*documents, *others])


def _changed(stack_name: str, connections: Connections) -> dict[str, str]:
    """Return the written values of parameters that have another one now."""
    written = {
        document["physical_id"]: document[_VALUE]
        for document in connections.table.retained(stack_name)
        if _VALUE in document
    }
    return {name: value for name, value in written.items() if connections.data.read_parameter(name) != value}


def _forget(stack_name: str, connections: Connections) -> None:
    documents = connections.table.retained(stack_name)
    if any(_VALUE in document for document in documents):
        without = [{key: entry for key, entry in document.items() if key != _VALUE} for document in documents]
        connections.table.write_retained(stack_name, without)

"""Answers of AWS that are composed by hand, and validated against the model of the service that botocore ships."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ListShape, ServiceModel, Shape, StringShape, StructureShape
from botocore.validate import ParamValidator


def validated(service: str, operation: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer that the operation could give.

    Raises:
        AssertionError: it has unknown members, a wrong type, or a value that is missing from an enum.
    """
    shape = service_model(service).operation_model(operation).output_shape
    assert shape is not None, f"{operation} answers nothing"
    report = ParamValidator().validate(answer, shape)
    assert not report.has_errors(), report.generate_report()
    faults = enum_faults(answer, shape)
    assert not faults, f"not in the enum: {', '.join(faults)}"
    return dict(answer)


def enum_of(service: str, shape: str) -> list[str]:
    """Return the values of an enum, such as StackStatus."""
    values = service_model(service).shape_for(shape)
    assert isinstance(values, StringShape)
    return values.enum


@cache
def service_model(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)


def enum_faults(value: Any, shape: Shape) -> list[str]:
    """Return the values that are missing from the enums of their shapes; botocore does not check those."""
    faults: list[str] = []
    match shape:
        case StructureShape():
            for name, member in value.items():
                faults += enum_faults(member, shape.members[name])
        case ListShape():
            for member in value:
                faults += enum_faults(member, shape.member)
        case StringShape() if shape.enum and value not in shape.enum:
            faults.append(f"{shape.name}: {value}")
    return faults

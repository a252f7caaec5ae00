"""Write an intrinsic of a template as a person does: `!If [Live, !Ref Tools, !Ref AWS::NoValue]`."""

import ast
from typing import Any


def parse(expression: str) -> Any:
    """Return the value that the text of an intrinsic stands for; None when it is not a literal of Python."""
    try:
        return ast.literal_eval(expression)
    except (ValueError, SyntaxError):
        return None


def short_form(expression: str) -> str:
    """Return the text of an intrinsic in YAML's short form; another text as it is."""
    value = parse(expression)
    return _written(value) if isinstance(value, dict) and len(value) == 1 else expression


def variable_form(expression: str) -> str:
    """Return the text of an intrinsic as it stands in the text of a `Fn::Sub`: `${Stage}`; another text as it is."""
    match parse(expression):
        case {"Ref": str() as name}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [str() as resource, str() as attribute]}:
            return f"${{{resource}.{attribute}}}"
        case {"Fn::Sub": str() as text}:
            return text
    return short_form(expression)


def _written(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    if not isinstance(value, dict) or len(value) != 1:
        return str(value) or "''"

    name, argument = next(iter(value.items()))
    is_name_and_attribute = name == "Fn::GetAtt" and isinstance(argument, list)
    words = ".".join(map(str, argument)) if is_name_and_attribute else _written(argument)
    return f"!{str(name).removeprefix('Fn::')} {words}"

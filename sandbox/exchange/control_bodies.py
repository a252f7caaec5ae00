"""Parse the bodies of control requests."""

from pydantic import BaseModel, ValidationError

from sandbox.exchange.host import Call
from sandbox.exchange.refusals import bad_control


def read_body[M: BaseModel](model: type[M], call: Call) -> M:
    """Parse the body of a control request.

    Raises:
        Refusal: 422, a field is missing, unknown, or cannot be parsed.
    """
    try:
        return model.model_validate(call.body)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise bad_control(422, f"{field}: {first['msg']}" if field else str(first["msg"])) from error

"""What a resource that holds data contains, in words. No SDK is imported here."""

from dataclasses import dataclass

TABLE = "AWS::DynamoDB::Table"
BUCKET = "AWS::S3::Bucket"
QUEUE = "AWS::SQS::Queue"
LOG_GROUP = "AWS::Logs::LogGroup"
PARAMETER = "AWS::SSM::Parameter"
TOPIC = "AWS::SNS::Topic"
_UNITS = ("bytes", "kB", "MB", "GB", "TB")


@dataclass(frozen=True, slots=True)
class Holding:
    """What one resource contains.

    Attributes:
        text: such as `1,234 items`; empty when there is nothing to say.
        is_empty: whether nothing is lost when the resource is deleted.
        is_protected: whether AWS refuses to delete it.
        keys: of a table, such as `pk HASH S`: they cannot be changed.
    """

    text: str
    is_empty: bool
    is_protected: bool = False
    keys: tuple[str, ...] = ()


def count(number: int, noun: str, *, at_least: str = "") -> str:
    """Return a number with its noun, such as `1,234 items`.

    Args:
        at_least: what precedes a number that is not exact, such as `about`.
    """
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    text = f"{number:,} {noun if number == 1 else plural}"
    return f"{at_least} {text}" if at_least else text


def size(size_bytes: int) -> str:
    """Return a size, such as `4.5 MB`; a MB is 1,000,000 bytes."""
    if size_bytes < 1000:
        return count(size_bytes, "byte")
    value, unit = float(size_bytes), 0
    while value >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.1f} {_UNITS[unit]}"

"""An import that may fail, one for type checkers only, and one that a function makes when it needs it."""

import json
from importlib.util import find_spec
from typing import TYPE_CHECKING

try:
    import simplejson as fast
except ImportError:
    fast = json

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

HAS_POLARS = find_spec("polars") is not None


def upload(client: "S3Client") -> None:
    client.put_object(Bucket="bucket", Key="key", Body=b"")


def handler(event, context):
    return fast.dumps({"polars": HAS_POLARS})

import logging
import os

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

logging.getLogger().setLevel(os.environ.get("LOG_LEVEL", "INFO"))
TABLE = boto3.resource("dynamodb", config=Config(retries={"max_attempts": 2})).Table(os.environ["TABLE"])


def handler(event, context):
    try:
        return TABLE.get_item(Key={"pk": "x"}).get("Item")
    except ClientError as error:
        return error.response["Error"]["Code"]

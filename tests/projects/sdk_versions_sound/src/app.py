import boto3
import urllib3
from botocore.config import Config
from dateutil import parser
from urllib3.util.retry import Retry

client = boto3.client("sqs", config=Config(retries={"max_attempts": 2}))
http = urllib3.PoolManager(retries=Retry(3))

try:
    from urllib3.packages import six
except ImportError:
    six = None


def handler(event, context):
    return parser.isoparse(event["at"]).year, six

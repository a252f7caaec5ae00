import json

import boto3


def handler(event, context):
    return json.dumps(boto3.client("s3").list_buckets())

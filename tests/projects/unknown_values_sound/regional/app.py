import os

import boto3

CLIENT = boto3.client("sqs", region_name=os.environ["KB_REGION"])


def handler(event, context):
    return CLIENT.meta.region_name

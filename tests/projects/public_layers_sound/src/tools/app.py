from aws_lambda_powertools import Logger
from pydantic import BaseModel


def handler(event, context):
    return Logger, BaseModel

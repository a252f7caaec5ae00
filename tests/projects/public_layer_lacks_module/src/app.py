import aws_lambda_powertools
import numpy


def handler(event, context):
    return aws_lambda_powertools, numpy

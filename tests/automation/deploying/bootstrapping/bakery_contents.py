"""What the stacks of a small bakery contain."""

from dataclasses import replace
from typing import Any

from automation.deploying.bootstrapping.contents import Contents

ACCOUNT = "123456789012"
BAKERY = Contents(
    partition="aws",
    region="eu-west-1",
    account=ACCOUNT,
    stack_names=("bakery-live-base", "bakery-live"),
    types=("AWS::IAM::Role", "AWS::Lambda::Function", "AWS::SQS::Queue"),
    names={"AWS::SQS::Queue": ("orders.fifo",), "AWS::Lambda::LayerVersion": ("Dough",)},
    role_arns=(),
    passed_to=("lambda.amazonaws.com",),
    transforms=("AWS::Serverless-2016-10-31",),
)


def bakery(**changes: Any) -> Contents:
    return replace(BAKERY, **changes)

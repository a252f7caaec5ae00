"""Open the connections of a deployment. Its own module, because boto3 is slow to import."""

from automation.deploying.connections import Connections
from automation.deploying.releases import records as releases
from automation.deploying.scope import Scope
from automation.system import aws
from automation.system.account_checks import Account
from automation.system.cloudformation import CloudFormation
from automation.system.data_resources import DataResources
from automation.system.lambda_code import LambdaCode
from automation.system.object_store import ObjectStore
from automation.system.release_table import ReleaseTable
from automation.system.table_indexes import TableIndexes


def connect(scope: Scope) -> Connections:
    """Return the connections to an environment's target; no call is made yet."""
    target = scope.target
    return Connections(
        account=Account(target),
        stacks=CloudFormation(target),
        store=ObjectStore(target),
        table=ReleaseTable(target, releases.table_name(scope.stack_names)),
        functions=aws.Cloud(target),
        code=LambdaCode(target),
        tables=TableIndexes(target),
        data=DataResources(target),
    )

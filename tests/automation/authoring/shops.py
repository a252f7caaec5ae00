"""Small projects on disk for new functions: one without settings, and one with a scaffold and a source package."""

from pathlib import Path

from automation.project import model
from automation.project.model import Project
from tests.automation.authoring.foreign import ORDERS
from tests.automation.projects import write_files

HANDLER = "def handle(event, context): ...\n"
PLAIN = {
    "template.yaml": ORDERS,
    "src/orders/main.py": HANDLER,
    "src/returns/main.py": HANDLER,
    "tests/test_orders.py": "",
}

SHOP = """\
Resources:
  Claims: {Type: AWS::DynamoDB::Table}
  OrdersFunction:
    Type: AWS::Serverless::Function
    Properties:
      Description: Takes orders
      CodeUri: functions/orders/
      Handler: shop.orders.handler.main
      Runtime: python3.12
      Policies:
        - DynamoDBCrudPolicy: {TableName: !Ref Claims}
      Events: {In: {Type: SQS, Properties: {Queue: !GetAtt OrdersQueue.Arn}}}

  OrdersQueue:
    Type: AWS::SQS::Queue
    DeletionPolicy: Retain

  PlacedRule:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [shop], detail-type: [Placed]}
      Targets: [{Id: orders, Arn: !GetAtt OrdersQueue.Arn}]

  Night:
    Type: AWS::Scheduler::Schedule
    Properties: {ScheduleExpression: rate(1 day), Target: {Arn: !GetAtt OrdersQueue.Arn, Input: orders}}
"""
SCAFFOLD = """\
message = "${camel}Asked"
source = "shop"
schedule_input = "run ${kebab}"
keep = {bus = ["Claims"]}
generated = ["samples/${message}.json"]

[[files]]
path = "shop/${module}/handler.py"
text = "handler.txt"

[[files]]
path = "shop/${module}/night.py"
text = "handler.txt"
when = ["schedule"]

[[insertions]]
file = "messages.py"
before = '^\\}'
insert = '''
    ${message}: ("${module}",),
'''
when = ["bus", "new-message"]

[[insertions]]
file = "messages.py"
into = '^    ${message}: \\('
insert = '"${module}"'
when = ["known-message"]

[[insertions]]
file = "list.md"
after = '^orders'
insert = ', ${module} (${function}, ${stack}, ${trigger}): ${description}'
"""
MESSAGES = 'ROUTES = {\n    Placed: ("orders",),\n}\n'
WITH_SCAFFOLD = {
    "pyproject.toml": '[tool.alchemiser]\npackage = "shop"\nscaffold = "scaffold"\n',
    "template.yaml": SHOP,
    "shop/orders/handler.py": HANDLER,
    "messages.py": MESSAGES,
    "list.md": "orders\n",
    "scaffold/scaffold.toml": SCAFFOLD,
    "scaffold/handler.txt": '"""${module}."""\n\nimport b\nimport a\n',
}


def make(root: Path, contents: dict[str, str], **changes: str) -> Project:
    """Write a project; `changes` replace files, `template_yaml` standing for template.yaml."""
    write_files(root, {name: changes.get(name.replace(".", "_"), text) for name, text in contents.items()})
    return model.load(root)


def snapshot(root: Path) -> dict[str, bytes]:
    """Return the content of every file but caches."""
    paths = (path for path in root.rglob("*") if path.is_file() and not {".git", ".alchemiser"} & {*path.parts})
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}

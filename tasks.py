"""What `inv` offers: the automation's tasks and the sandbox's, whose `deploy` starts it for --env local."""

from automation import commands, tasks
from desk.report import write_report
from sandbox import tasks as sandbox

namespace = commands.assemble(
    tasks.collection(), sandbox.collection(), tasks=(sandbox.deploy, sandbox.run_day_task(write_report))
)

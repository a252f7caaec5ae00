"""What `inv` offers: the automation's tasks, those of the sandbox, and the desk's report in run-day."""

from automation import commands, tasks
from desk.report import write_report
from sandbox import tasks as sandbox

namespace = commands.assemble(
    tasks.collection(), sandbox.collection(), tasks=(sandbox.deploy, sandbox.run_day_task(write_report))
)
"""The tasks of the project; `deploy` is the sandbox's, which starts it for --env local."""

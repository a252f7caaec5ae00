"""What `inv` offers: the automation's tasks, and those of the sandbox and the desk."""

from automation import commands, tasks

namespace = commands.assemble(tasks.collection())

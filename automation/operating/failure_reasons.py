"""Look in the log of a function for the reason why it could not handle a message."""

from collections.abc import Sequence
from datetime import datetime

from automation.operating import log_entries
from automation.operating.dead_letters import DeadLetters
from automation.operating.merged_logs import Logs
from automation.system.errors import DeploymentError
from automation.system.queue_messages import QueueMessage


def find(message: QueueMessage, letters: DeadLetters, logs: Logs, *, now: datetime) -> str:
    """Return the last error that names a message by its id, otherwise the last line that does; empty without one."""
    try:
        for function in _functions(letters):
            group = logs.log_group(function)
            lines = logs.lines(group, function, since=message.sent_at, until=now, text=message.id)
            entries = [log_entries.parse(line, function) for line in lines]
            errors = [entry for entry in entries if entry.is_at_least("ERROR")]
            if entries:
                return (errors or entries)[-1].reason
    except DeploymentError as cause:
        # What the queue says about the message is worth showing without the log, too.
        return f"unknown: {cause}"
    return ""


def _functions(letters: DeadLetters) -> Sequence[str]:
    return list(dict.fromkeys(source.consumer for source in letters.sources if source.consumer))

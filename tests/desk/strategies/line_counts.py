"""Count the lines of code that a call executes: a measure of work that does not depend on how busy the machine is."""

import sys
from collections.abc import Callable
from types import CodeType, ModuleType

_TOOL = 4  # the first identifier of sys.monitoring that has no predefined use


def count_lines(work: Callable[[], object], *modules: ModuleType) -> int:
    """Return how many lines of these modules `work` executes; a loop counts its lines on every iteration."""
    files = {module.__file__ for module in modules}
    count = 0

    def on_line(code: CodeType, _line: int) -> object:
        nonlocal count
        if code.co_filename not in files:
            return sys.monitoring.DISABLE
        count += 1
        return None

    sys.monitoring.use_tool_id(_TOOL, "line counts")
    try:
        sys.monitoring.register_callback(_TOOL, sys.monitoring.events.LINE, on_line)
        sys.monitoring.set_events(_TOOL, sys.monitoring.events.LINE)
        sys.monitoring.restart_events()  # an earlier call may have disabled lines that this one counts
        work()
    finally:
        sys.monitoring.set_events(_TOOL, sys.monitoring.events.NO_EVENTS)
        sys.monitoring.free_tool_id(_TOOL)
    return count

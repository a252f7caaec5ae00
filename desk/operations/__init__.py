"""Commands for the person on duty: show, pause and resume trading, start a run, and show everything about one."""

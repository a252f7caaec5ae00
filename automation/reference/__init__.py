"""Pages of reference, as Markdown, from what the code itself defines: tasks, settings, rules, exit codes."""

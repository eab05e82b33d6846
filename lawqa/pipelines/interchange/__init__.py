"""Runs, tasks and adapters in the forms of other tools, and other tools' logs as runs."""

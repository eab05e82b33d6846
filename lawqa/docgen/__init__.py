"""Documents made from the declared commands: written, checked, and never out of step with the command line.

The command line's parser and its help texts are handed in; this room does not know it.
"""

from __future__ import annotations

from lawqa.docgen.blocks import replace_block
from lawqa.docgen.build import (
    Interface,
    changed_files,
    diff_text,
    generate,
    unset_variables,
    write_files,
)
from lawqa.docgen.extract import ShownCommand, shown_commands
from lawqa.docgen.logs import LOG_TEMPLATES, RunFacts, left_to_person, log_text
from lawqa.docgen.run_facts import logged_paths, read_run_facts
from lawqa.docgen.verify import verify, verify_text

__all__ = [
    "LOG_TEMPLATES",
    "Interface",
    "RunFacts",
    "ShownCommand",
    "changed_files",
    "diff_text",
    "generate",
    "left_to_person",
    "log_text",
    "logged_paths",
    "read_run_facts",
    "replace_block",
    "shown_commands",
    "unset_variables",
    "verify",
    "verify_text",
    "write_files",
]

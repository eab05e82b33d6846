"""Documents made from the declared commands: written, checked, and never out of step with the command line.

The command line's parser and its help texts are handed in; this room does not know it.
"""

from __future__ import annotations

from lawqa.docgen.blocks import replace_block
from lawqa.docgen.build import generate, unset_variables
from lawqa.docgen.compared import compared_in_japanese
from lawqa.docgen.context import Interface
from lawqa.docgen.extract import ShownCommand, shown_commands
from lawqa.docgen.logs import RunFacts, kind_of_form, left_to_person, log_forms, log_text
from lawqa.docgen.run_facts import logged_paths, read_run_facts
from lawqa.docgen.verify import verify, verify_text
from lawqa.docgen.writing import changed_files, diff_text, write_files

__all__ = [
    "Interface",
    "RunFacts",
    "ShownCommand",
    "changed_files",
    "compared_in_japanese",
    "diff_text",
    "generate",
    "kind_of_form",
    "left_to_person",
    "log_forms",
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

"""Chat templates: from messages to text, bounded, repeatable, and refused where they lose what is asked.

A template is a program that comes with the model. It is rendered in a process with little memory and time
(`bounded`), with a fixed date and seed, so that a prompt has the same bytes on every day, and its text must
hold what the user says.
"""

from lawqa.templates.bounded import TemplateError
from lawqa.templates.facts import (
    TemplateFacts,
    template_description,
    template_facts,
    template_identity,
    template_warnings,
)
from lawqa.templates.rendering import FIXED_DATE, ChatTokenizer, Message, Role, render_turns

__all__ = [
    "FIXED_DATE",
    "ChatTokenizer",
    "Message",
    "Role",
    "TemplateError",
    "TemplateFacts",
    "render_turns",
    "template_description",
    "template_facts",
    "template_identity",
    "template_warnings",
]

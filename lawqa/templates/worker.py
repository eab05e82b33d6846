"""Renders chat templates in a process of its own: python worker.py MEMORY_BYTES CPU_SECONDS.

A template comes with the model, so it is somebody else's program. Jinja's sandbox keeps it from Python's
internals, not from looping without end or writing 10^10 characters. This process may use so much memory and
time and no more; it is started by `lawqa.templates.bounded`, reads one JSON request a line and answers each
with one line. It imports nothing of lawqa, so that it starts in a tenth of a second.

Environment, filters and globals are those of transformers' `apply_chat_template`, so that a prompt has the
same bytes; only clock and chance are fixed.
"""

from __future__ import annotations

import json
import random
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment, Template
    from jinja2.ext import Extension
    from jinja2.nodes import Node
    from jinja2.parser import Parser
    from jinja2.utils import Namespace

Reply = dict[str, str]


def main(memory: int, seconds: float) -> None:
    """Answer requests until the input ends."""
    _limit_memory(memory)
    compiled: dict[str, Template] = {}
    for line in sys.stdin:
        _start_timer(seconds)
        reply = answer(json.loads(line), compiled)
        _start_timer(0)
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()


# Any: JSON that `bounded` wrote; its own alias cannot be imported here.
def answer(request: dict[str, Any], compiled: dict[str, Template]) -> Reply:
    """Return the text of one request, or which kind of error its template made and what it said.

    Args:
        request: `template`, `variables`, `now` (ISO 8601), `seed`, `most` (characters of the text).
        compiled: templates by their source, kept from request to request.
    """
    import jinja2

    try:
        now = datetime.fromisoformat(request["now"])
        source = request["template"]
        if source not in compiled:
            compiled[source] = _environment().from_string(source)
        template = compiled[source]
        template.globals["strftime_now"] = now.strftime
        random.seed(request["seed"])
        return _written(template, request["variables"], request["most"])
    except MemoryError:
        return {"error": "memory", "message": ""}
    except RecursionError:
        return {"error": "broken", "message": "it calls itself without end"}
    except jinja2.TemplateSyntaxError as problem:
        return {"error": "syntax", "message": f"line {problem.lineno}: {problem.message}"}
    except jinja2.exceptions.SecurityError as problem:
        return {"error": "broken", "message": f"the sandbox refuses it: {problem}"}
    except _RaisedError as problem:
        return {"error": "raised", "message": str(problem)}
    except Exception as problem:  # noqa: BLE001 - a template may raise anything; it is reported
        return {"error": "broken", "message": f"{type(problem).__name__}: {problem}"}


def _written(template: Template, variables: dict[str, object], most: int) -> Reply:
    parts: list[str] = []
    length = 0
    for part in template.generate(**variables):
        length += len(part)
        if length > most:
            return {"error": "length", "message": ""}
        parts.append(part)
    return {"text": "".join(parts)}


class _RaisedError(Exception):
    """What a template says itself, through `raise_exception`."""


def _environment() -> Environment:
    """Make the environment of transformers' `apply_chat_template`."""
    import jinja2.ext
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True,
        extensions=[_generation_tag(), jinja2.ext.loopcontrols],
    )  # fmt: skip
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _raise_exception
    environment.globals["dict"] = _TemplateDict()
    environment.globals["namespace"] = _template_namespace()
    return environment


def _raise_exception(message: object) -> None:
    raise _RaisedError(message)


def _to_json(
    value: object,
    ensure_ascii: bool = False,
    indent: int | str | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators,
        sort_keys=sort_keys,
    )  # fmt: skip


def _generation_tag() -> type[Extension]:
    """Make the tag `{% generation %}`, around what a model writes: here without effect."""
    import jinja2.ext

    class Generation(jinja2.ext.Extension):
        tags = {"generation"}  # noqa: RUF012 - as Jinja declares it

        def parse(self, parser: Parser) -> Node:
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            call = self.call_method("_body")
            return jinja2.nodes.CallBlock(call, [], [], body).set_lineno(line)

        def _body(self, caller: Callable[[], str]) -> str:
            return caller()

    return Generation


class _TemplateDict:
    """`dict` without the attributes of a type."""

    # Any: whatever a template gives `dict`.
    def __call__(self, *args: Any, **kwargs: Any) -> dict[object, object]:
        return dict(*args, **kwargs)

    def fromkeys(self, *args: Any) -> dict[object, object]:
        return dict.fromkeys(*args)


def _template_namespace() -> type[Namespace]:
    """Make Jinja's namespace without names that begin with an underscore."""
    import jinja2.utils

    class TemplateNamespace(jinja2.utils.Namespace):
        def __init__(*args: Any, **kwargs: object) -> None:
            # Jinja's own signature, whose first argument is the object: `namespace(self=...)` is allowed.
            own, values = args[0], dict(*args[1:], **kwargs)
            for name in values:
                _refuse_hidden(name)
            jinja2.utils.Namespace.__init__(own, values)

        def __setitem__(self, name: str, value: object) -> None:
            _refuse_hidden(name)
            super().__setitem__(name, value)

    return TemplateNamespace


def _refuse_hidden(name: object) -> None:
    from jinja2.exceptions import SecurityError

    if isinstance(name, str) and name.startswith("_"):
        raise SecurityError(f"a namespace holds no {name!r}")


def _limit_memory(size: int) -> None:
    try:
        import resource
    except ImportError:  # not on Windows: the parent's deadline is what is left
        return
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def _start_timer(seconds: float) -> None:
    """End this process, by SIGPROF's default action, after so much of its own time; 0 for no limit."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


if __name__ == "__main__":
    # Imports come from where Python's own do, not from beside this file.
    sys.path.pop(0)
    import jinja2  # noqa: F401 - before the memory is limited and the first template waits

    main(int(sys.argv[1]), float(sys.argv[2]))

"""`lawqa completion`: commands and flags for a shell to complete."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from lawqa.cli.command_table import COMMANDS, command_class
from lawqa.cli.flags import Flag, flags_of_class, subcommands_of

Shell = Literal["bash", "zsh", "fish"]
_OF_ALL = ("--help", "--config", "--save-config")

_BASH = """\
# bash: eval "$(lawqa completion bash)"; zsh: eval "$(lawqa completion zsh)"
_lawqa() {
    local word="${COMP_WORDS[COMP_CWORD]}" key="${COMP_WORDS[1]}"
    case "${COMP_WORDS[1]} ${COMP_WORDS[2]}" in
@PAIRS@
    esac
    local words=""
    case "$key ${COMP_WORDS[COMP_CWORD-1]}" in
@VALUES@
    esac
    if [ -n "$words" ]; then
        COMPREPLY=($(compgen -W "$words" -- "$word"))
        return
    fi
    if [ "$COMP_CWORD" -eq 1 ]; then
        words="@COMMANDS@"
    else
        case "$key" in
@CASES@
        esac
        case "$word" in
            -*) ;;
            *) [ "$COMP_CWORD" -eq 2 ] && words="${words%%--*}" || words="" ;;
        esac
    fi
    COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _lawqa lawqa
"""


@dataclass(frozen=True)
class CompletionScript:
    """Print what makes a shell complete commands and flags: bash, zsh or fish.

    For every new bash: echo 'eval "$(lawqa completion bash)"' >> ~/.bashrc
    """

    shell: Annotated[Positional[Shell], arg(metavar="{bash,zsh,fish}")]
    """Which shell."""

    def run(self) -> int:
        print(_fish() if self.shell == "fish" else _bash(zsh=self.shell == "zsh"), end="")
        return 0


def _commands() -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Yield every command and subcommand by its words, with the words that may follow: subcommands, then
    flags.
    """
    for name in COMMANDS:
        kind = command_class(name)
        inner = subcommands_of(kind)
        yield (name,), [*inner, *_flags(kind)]
        for sub, of_sub in inner.items():
            yield (name, sub), _flags(of_sub)


def _flags(kind: type) -> list[str]:
    written = sorted({word for flag in flags_of_class(kind) for word in flag.written()})
    return [*written, *_OF_ALL]


def _values() -> Iterator[tuple[tuple[str, ...], Flag]]:
    """Yield every command and subcommand by its words with each of its flags that takes a value."""
    for name in COMMANDS:
        kind = command_class(name)
        for words, one in (
            ((name,), kind), *(((name, sub), of_sub) for sub, of_sub in subcommands_of(kind).items()),
        ):  # fmt: skip
            yield from ((words, flag) for flag in flags_of_class(one) if flag.form != "switch")


def _bash(*, zsh: bool) -> str:
    pairs, cases = [], []
    values = []
    for words, flag in _values():
        if flag.choices:
            named = "|".join(f'"{" ".join(words)} {name}"' for name in flag.names)
            values.append(f"        {named}) words={shlex.quote(' '.join(flag.choices))} ;;")
    for words, following in _commands():
        key = " ".join(words)
        if len(words) == 2:
            pairs.append(f'        "{key}") key="{key}" ;;')
        cases.append(f'            "{key}") words={shlex.quote(" ".join(following))} ;;')
    script = _BASH.replace("@PAIRS@", "\n".join(pairs)).replace("@CASES@", "\n".join(cases))
    script = script.replace("@COMMANDS@", " ".join(COMMANDS)).replace("@VALUES@", "\n".join(values))
    start = "autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n"
    return start + script if zsh else script


def _fish() -> str:
    lines = ["# lawqa completion fish > ~/.config/fish/completions/lawqa.fish"]
    lines += ["complete -c lawqa -n __fish_use_subcommand -f"]
    for name, entry in COMMANDS.items():
        lines.append(
            f"complete -c lawqa -n __fish_use_subcommand -a {name} -d {shlex.quote(entry.summary)}"
        )
    takes = {(words, name): flag for words, flag in _values() for name in flag.names}
    for words, following in _commands():
        seen = "; and ".join(f"__fish_seen_subcommand_from {word}" for word in words)
        inner = [word for word in following if not word.startswith("-")]
        if inner:  # a subcommand comes first: no file, and no flag
            seen += f"; and not __fish_seen_subcommand_from {' '.join(inner)}"
            lines.append(f"complete -c lawqa -n {shlex.quote(seen)} -f")
        for word in following:
            what = f"-l {word.removeprefix('--')}" if word.startswith("--") else f"-a {word}"
            value = _fish_value(takes.get((words, word)))
            lines.append(f"complete -c lawqa -n {shlex.quote(seen)} {what}{value}")
    return "\n".join(lines) + "\n"


def _fish_value(flag: Flag | None) -> str:
    """Return what a flag's value is completed with: its choices, nothing where it is a number, else files.

    A name of a model may be that of a directory.
    """
    if flag is None:
        return ""
    if flag.choices:
        return f" -x -a {shlex.quote(' '.join(flag.choices))}"
    return " -x" if flag.number else " -r"

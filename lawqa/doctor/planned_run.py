"""What the doctor is asked about."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lawqa.commands.expand import render_command
from lawqa.commands.model import CommandSource, Place


@dataclass(frozen=True)
class PlannedRun:
    """What is going to be run, and where."""

    source: CommandSource
    """The declared commands, whose lines fix what is found."""
    place: Place
    place_origin: str
    """Where the place comes from: a flag, a variable, a file, or `default`."""
    model: str
    """The model: a directory, or a name in the Hugging Face cache."""
    data: Path
    """The question file."""
    index: Path
    work: Path
    """Where runs are written."""
    hf_home: str
    """The place's own Hugging Face cache; the environment's HF_HOME comes before it."""
    max_seq_length: int
    """The longest record that is trained on, in tokens."""

    @property
    def needs_gpu(self) -> bool:
        """Whether the place has a GPU to run on."""
        return self.place.id in ("heart01", "local-3080")

    def line(self, step: str) -> str:
        """Return the line to type for a declared step; empty where this place has no such step."""
        command = self.source.commands.get(step)
        if command is None or self.place.id not in command.places:
            return ""
        return render_command(command, self.place).shell

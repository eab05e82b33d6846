"""`lawqa publish`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import OmitArgPrefixes, Positional, arg

from lawqa.cli.console import ConsoleFlags
from lawqa.settings import RunSettings, declaration


@dataclass(frozen=True)
class Publish:
    """Copy an adapter or merged model without texts of questions, host name and folders, to be pushed."""

    directory: Annotated[Positional[Path], arg(metavar="DIR")]
    """An adapter that lawqa trained, or a model that it merged."""
    output_dir: Path
    """The copy."""
    base_model: str = ""
    """The base model's name on the hub, where it was loaded from a folder."""
    licence: Annotated[str, arg(aliases=["--license"])] = ""
    """As the hub names it, such as apache-2.0. Without it that of the base model, where it is known."""
    results: tuple[Path, ...] = ()
    """Evaluations of it, whose accuracies with intervals go into the card."""
    fresh: bool = field(default=False, metadata=declaration(RunSettings, "fresh"))
    """Replace an earlier copy."""
    console: OmitArgPrefixes[ConsoleFlags] = field(default_factory=ConsoleFlags)

    def run(self) -> int:
        from lawqa.pipelines.interchange.publish import publish

        published = publish(
            self.directory, self.output_dir, base_model=self.base_model, licence=self.licence,
            results=self.results, fresh=self.fresh,
        )  # fmt: skip
        print(f"wrote {published.directory}: {', '.join(published.files)}")
        print("left out:")
        for name, why in published.left_out:
            print(f"  {name}: {why}")
        for note in published.notes:
            print(f"! {note}")
        print("look through it before you push it; nothing was sent anywhere")
        return 0

"""Cross-validation from Python: one call, and what it left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lawqa.pipelines.experiments.crossval import run_crossval
from lawqa.pipelines.experiments.crossval_config import CrossvalConfig
from lawqa.pipelines.experiments.crossval_pool import Pooled
from lawqa.report.notebook import figures_html, summary_html
from lawqa.settings import checks_arguments
from lawqa.settings.ranges import require_in_range


@dataclass(frozen=True)
class CrossvalResult:
    """A cross-validation, or the fold of it that was asked for."""

    output_dir: Path
    """Where split, folds and pooled runs are."""
    pooled: tuple[Pooled, ...]
    """The held-out answers of all folds as one run for each training seed; none where `fold` was given."""

    @property
    def run_dirs(self) -> tuple[Path, ...]:
        """The pooled runs, which `compare_runs` and `write_report` take."""
        return tuple(one.directory for one in self.pooled)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know first, each note once."""
        return tuple(dict.fromkeys(note for one in self.pooled for note in one.notes))

    def _repr_html_(self) -> str:
        if not self.pooled:
            return figures_html([("output", str(self.output_dir))])
        runs = {one.directory.name: one.summary for one in self.pooled}
        return summary_html(runs, self.notes, str(self.output_dir))


@checks_arguments
def crossval(config: CrossvalConfig, say: Callable[[str], object] = str) -> CrossvalResult:
    """Split, train and evaluate fold by fold, and pool the held-out answers.

    The same call resumes where an earlier one stopped.

    Example:
        >>> import lawqa
        >>> lawqa.crossval(lawqa.CrossvalConfig(input="none.json", output_dir="cv", folds=1))
        Traceback (most recent call last):
        lawqa.errors.ConfigError: --folds is 1, expected 2 or more and at most 1,000

    Args:
        config: what is split, trained and evaluated.
        say: receives what is being done, a line each; nothing is printed without it.

    Raises:
        LawqaError: a file or option does not allow it, or the directory holds another cross-validation.
        Interrupted: the process was asked to end; what is done is kept.
    """
    require_in_range(config, "lawqa crossval run --help  explains every option")
    return CrossvalResult(config.output_dir, run_crossval(config, say))

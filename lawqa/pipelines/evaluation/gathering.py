"""What a run's files hold, put in order: before it is resumed, and when all is answered."""

from __future__ import annotations

from collections.abc import Callable

from lawqa.amounts import counted
from lawqa.pipelines.evaluation.job import Job
from lawqa.runs.result import ItemKey
from lawqa.runs.result_log import SET_ASIDE, StoredResults


def tidy(job: Job, stored: StoredResults, say: Callable[[str], object]) -> None:
    """Bring what an earlier run left into one file, without failed answers and half a line at an end.

    Args:
        job: what is asked.
        stored: what the files hold; afterwards what the one file holds.
        say: prints what was found, a line each.
    """
    for path in stored.torn:
        say(f"{path}: ends with half a line, as a crash leaves it; that answer is asked again")
    for note in stored.notes:
        say(f"{job.run_dir}: {note}")
    if stored.aside:
        say(f"{job.run_dir}: what was set aside is kept in {SET_ASIDE}")
    kept = [key for key in job.keys if _is_known(stored, key)]
    say(
        f"{job.run_dir}: {len(kept)} of {counted(len(job.keys), 'answer')} known, the others are asked now"
    )
    if not stored.plain or kept != list(stored.results):
        stored.write_together(job.run_dir, kept)


def gather(job: Job, stored: StoredResults) -> None:
    """Bring all answers into one file, in the sequence of the questions."""
    starts = [stored.lines[key].start for key in job.keys]
    if not stored.plain or starts != sorted(starts):
        stored.write_together(job.run_dir, job.keys)


def is_whole(job: Job, stored: StoredResults) -> bool:
    """Return whether nothing is left to ask: no answer is missing or failed, and none is still
    to be forced.
    """
    if not all(_is_known(stored, key) for key in job.keys):
        return False
    # Servers cannot force answers, today as tomorrow.
    forces = job.config.forces_answers and job.config.server is None
    return not forces or all(result.state != "open" for result in stored.known(job.keys))


def _is_known(stored: StoredResults, key: ItemKey) -> bool:
    return key in stored.results and not stored.results[key].is_failed

"""What a run's files hold, put in order: before it is resumed, and when all is answered."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import pairwise
from operator import eq

from lawqa.amounts import counted
from lawqa.made import where
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
    kept = where(job.keys, lambda key: _is_known(stored, key))
    say(
        f"{job.run_dir}: {len(kept)} of {counted(len(job.keys), 'answer')} known, the others are asked now"
    )
    if not stored.plain or not _are(kept, stored.results):
        stored.write_together(job.run_dir, kept)


def gather(job: Job, stored: StoredResults) -> None:
    """Bring all answers into one file, in the sequence of the questions."""
    starts = (stored.results.line(key).start for key in job.keys)
    if not stored.plain or not all(one < other for one, other in pairwise(starts)):
        stored.write_together(job.run_dir, job.keys)


def is_whole(job: Job, stored: StoredResults) -> bool:
    """Return whether nothing is left to ask: no answer is missing or failed, and none is still
    to be forced.
    """
    if not all(_is_known(stored, key) for key in job.keys):
        return False
    # Servers cannot force answers, today as tomorrow.
    forces = job.config.forces_answers and job.config.server is None
    return not forces or all(stored.results.state(key) != "open" for key in job.keys)


def _are(keys: Sequence[ItemKey], known: Collection[ItemKey]) -> bool:
    """Return whether these are all keys that are known, in this sequence."""
    return len(keys) == len(known) and all(map(eq, keys, known))


def _is_known(stored: StoredResults, key: ItemKey) -> bool:
    return stored.results.state(key) != "failed"

"""What a run's files hold, brought together: before it is gone on with, and when all is answered."""

from __future__ import annotations

from collections.abc import Callable

from lawqa.pipelines.job import Job
from lawqa.runs.result_log import SET_ASIDE, Found, ItemKey, bring_together, find_results


def tidied(job: Job, say: Callable[[str], object]) -> Found:
    """What an earlier run left, in one file; failed answers and half a line at an end are dropped.

    Args:
        job: what is asked.
        say: told what was found, a line each.

    Raises:
        DataError: a line is broken that no crash can have broken.
    """
    found = find_results(job.run_dir)
    for path in found.torn:
        say(f"{path}: ends with half a line, as a crash leaves it; that answer is asked again")
    for note in found.notes:
        say(f"{job.run_dir}: {note}")
    if found.aside:
        say(f"{job.run_dir}: what was set aside is kept in {SET_ASIDE}")
    kept = [key for key in job.keys if _is_known(found, key)]
    say(
        f"{job.run_dir}: {len(kept)} of {len(job.keys)} answers are known, the others are asked now"
    )
    bring_together(job.run_dir, found, kept)
    return find_results(job.run_dir)


def gathered(job: Job) -> Found:
    """All answers in one file, in the sequence of the questions."""
    found = find_results(job.run_dir)
    starts = [found.places[key].start for key in job.keys]
    if found.plain and starts == sorted(starts):
        return found
    bring_together(job.run_dir, found, job.keys)
    return find_results(job.run_dir)


def is_whole(job: Job, found: Found) -> bool:
    """Whether nothing is left to ask: no answer is missing or failed, and none is still to be forced."""
    if not all(_is_known(found, key) for key in job.keys):
        return False
    # Servers cannot force answers, today as tomorrow.
    forces = job.config.forces_answers and job.config.server is None
    return not forces or all(found.places[key].state != "open" for key in job.keys)


def _is_known(found: Found, key: ItemKey) -> bool:
    return key in found.places and found.places[key].state != "failed"

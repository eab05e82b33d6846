"""What an adapter's training allows: no scoring of what it was trained on, no prompt it does not know.

Apart from the manifest itself, because records, statutes and the rules of leaks are read for it.
"""

from __future__ import annotations

from collections.abc import Sequence

from lawqa.amounts import counted
from lawqa.errors import DataError
from lawqa.files import JsonObject
from lawqa.pipelines.adapters.manifest import AdapterManifest, trained_on_files
from lawqa.pipelines.adapters.statutes_read import read_nothing_unknown, statutes_note
from lawqa.pipelines.corpus.leaks import leaks_of_training
from lawqa.pipelines.corpus.records_provenance import raft_text
from lawqa.prompting import PromptSpec
from lawqa.questions import Question, fingerprint
from lawqa.records import CHAT_SPEC


def notes_on_training(
    adapter: AdapterManifest,
    questions: Sequence[Question],
    spec: PromptSpec,
    *,
    allow_leak: bool,
    allow_prompt_mismatch: bool,
) -> list[str]:
    """Return what a reader of the scores must know first; raises where that is not allowed.

    Raises:
        DataError: trained-on questions, or an unknown prompt spec, without the flag that allows it.
    """
    if adapter.training is None:
        return [
            f"UNKNOWN TRAINING: {adapter.path} has no manifest; nothing is known about its training, "
            "so leaks and prompt mismatches cannot be ruled out"
        ]
    notes = _leak_notes(adapter, questions, adapter.training.questions, allow_leak)
    notes += _choice_notes(adapter, questions)
    known = adapter.training.prompt_specs.keys() - {CHAT_SPEC}
    read = adapter.training.data.get("statutes_read")
    if read:
        files = trained_on_files(adapter.path)
        notes.append(statutes_note(adapter.path, read, questions, files, asked=bool(known)))
    if spec.id not in known and (known or not read):
        message = (
            f"{adapter.path} was trained on the prompt specs {', '.join(sorted(known))}, "
            f"not on {spec.id}"
        )
        if not allow_prompt_mismatch:
            raise DataError(
                message,
                "evaluate with the options it was trained with, "
                "or say --allow-prompt-mismatch and the report will say so too",
            )
        notes.append(f"PROMPT MISMATCH: {message}")
    notes += _mode_notes(adapter, spec)
    for data in (adapter.training.data, *_stages(adapter)):
        shortened = data.get("shortened")
        if shortened and spec.condition != "closed":
            notes.append(
                f"SHORTENED CONTEXTS: {shortened} of the {data['records']} records that "
                f"{adapter.path} was trained on had a shortened context; here it is asked with whole ones"
            )
        raft = raft_text(data.get("retrieval"))
        if raft and spec.condition == "rag":
            notes.append(
                f"RAFT TRAINING: {adapter.path} was trained on {raft}; here it gets neither"
            )
    return list(dict.fromkeys(notes))


def _mode_notes(adapter: AdapterManifest, spec: PromptSpec) -> list[str]:
    """Return what the probe after training said of the mode that is asked in."""
    modes = (adapter.training.figures if adapter.training else {}).get("modes") or ()
    probed = [(PromptSpec.from_id(mode["spec"]), mode["warning"]) for mode in modes]
    return [
        f"MODE LOST: {adapter.path}: {warning}"
        for one, warning in probed
        if warning and (one.mode, one.thinking) == (spec.mode, spec.thinking)
    ]


def _stages(adapter: AdapterManifest) -> list[JsonObject]:
    """Return the trainings before the adapter's own, where it started from another one."""
    return list((adapter.training.data if adapter.training else {}).get("stages") or ())


def _leak_notes(
    adapter: AdapterManifest,
    questions: Sequence[Question],
    trained: Sequence[JsonObject],
    allow_leak: bool,
) -> list[str]:
    ids = {entry["id"] for entry in trained}
    prints = {entry["fingerprint"] for entry in trained}
    seen = [q for q in questions if q.id in ids or fingerprint(q) in prints]
    related = _related(adapter, [q for q in questions if q not in seen])
    notes = []
    data = adapter.training.data if adapter.training else {}
    says = bool(trained) or read_nothing_unknown(data)
    if not says or not all(stage["says_questions"] for stage in _stages(adapter)):
        notes.append(
            f"UNKNOWN TRAINING: the records of {adapter.path} did not say which questions they held, "
            "so leaks cannot be ruled out"
        )
    if seen or related:
        of_all = f"of {counted(len(questions), 'question')}"
        verb = "was" if len(seen) == 1 else "were"
        message = f"{len(seen)} {of_all} {verb} in the training of {adapter.path}"
        if not seen:
            message = (
                f"{len(related)} {of_all} with the context or article of one that was in the training "
                f"of {adapter.path}"
            )
        elif related:
            message += f", and {len(related)} more share context or article with one that was"
        if not allow_leak:
            named = [question.id for question in (*seen, *related)]
            shown = ", ".join(named[:3]) + (", …" if len(named) > 3 else "")
            raise DataError(
                f"{message}: {shown}",
                "evaluate on held-out questions; --allow-leak scores them all the same, "
                "and the summary says so",
            )
        notes.append(f"LEAK: {message}; this accuracy says nothing about new questions")
    return notes


def _choice_notes(adapter: AdapterManifest, questions: Sequence[Question]) -> list[str]:
    """Return questions that were not trained on but decided which step of the training was kept."""
    dev = (adapter.training.data if adapter.training else {}).get("dev") or {"questions": []}
    decided = [dev["questions"], *(stage["dev_questions"] for stage in _stages(adapter))]
    prints = {entry["fingerprint"] for entries in decided for entry in entries}
    chosen = sum(fingerprint(question) in prints for question in questions)
    if not chosen:
        return []
    return [
        f"CHOSEN BY: {chosen} of {counted(len(questions), 'question')} decided which step of "
        f"{adapter.path} was kept; "
        "this accuracy flatters"
    ]


def _related(adapter: AdapterManifest, questions: Sequence[Question]) -> list[Question]:
    """Return questions of one group with a trained-on one: same or near-same context, text, paragraph."""
    lost = [
        stage["trained_on"]
        for stage in _stages(adapter)
        if not (adapter.path / stage["trained_on"]).is_file()
    ]
    if lost:
        raise DataError(
            f"{adapter.path}: has lost {', '.join(lost)}, by which leaks are found",
            "copy the whole directory again",
        )
    leaks = leaks_of_training(trained_on_files(adapter.path), questions)
    given_away = {leak.test for leak in leaks}
    return [question for question in questions if question.key in given_away]

"""What decides which step of a fold's training is kept: dev questions of its own training part.

They are whole groups that the fold does not learn from; the held-out part is never among them, so that what
is measured on it stays unseen by every choice. All folds of a seed keep back by one rule, and the cells of a
sweep the same questions.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lawqa.bars import duration
from lawqa.errors import DataError
from lawqa.pipelines.corpus.leaks import leaks_of_training, read_items
from lawqa.pipelines.evaluation.rag import retrieve_contexts
from lawqa.pipelines.experiments.crossval_config import CrossvalConfig
from lawqa.pipelines.training.dev import PutAs, refuse_settings_of_texts
from lawqa.pipelines.training.outputs import NO_BETTER, dev_sentence
from lawqa.pipelines.training.plan import dev_text
from lawqa.pipelines.training.prepared import Prepared
from lawqa.pipelines.training.train import TrainingResult
from lawqa.prompting import PromptSpec
from lawqa.questions import read_questions
from lawqa.records import FOREIGN_SPECS, load_records
from lawqa.splits import Leak, find_leaks

_SHOWN = 3


def dev_file(config: CrossvalConfig, parts: Path) -> Path | None:
    """Return the file of a fold's dev questions; None where none are kept back.

    Args:
        config: the cross-validation.
        parts: the directory of the fold's questions.
    """
    return parts / "dev.json" if config.dev_size else None


def dev_spec(config: CrossvalConfig) -> PromptSpec | None:
    """Return how dev questions are put: as held-out ones where reasoning is learnt, else by one letter.

    Reads the extra records, so it is asked once for all folds.

    Returns:
        None where no dev questions are kept back.
    """
    if not config.dev_size:
        return None
    if config.learn_from == "distilled" or (config.spec.reasons and _extra_reasons(config)):
        return config.spec
    return config.learnt_as


def put_as(config: CrossvalConfig, spec: PromptSpec | None, file: Path | None) -> PutAs | None:
    """Return how a fold's dev questions are put, with what is retrieved for each; None without any.

    Args:
        config: the cross-validation.
        spec: what `dev_spec` gives.
        file: the fold's dev questions.
    """
    if spec is None or file is None:
        return None
    retrieved_of = None
    if spec.condition == "rag" and config.rag is not None:
        questions = read_questions(file)
        retrieved_of = retrieve_contexts(config.rag, questions, quiet=config.quiet).text
    return PutAs(spec, retrieved_of)


def require_unseen(
    config: CrossvalConfig, spec: PromptSpec | None, folds: Sequence[tuple[int, Path]]
) -> None:
    """Make sure that nothing that every fold learns from gives its dev or held-out questions away.

    Args:
        config: the cross-validation.
        spec: what `dev_spec` gives.
        folds: numbers and directories of the folds' questions.

    Raises:
        ConfigError: what is said of dev questions does not fit how they are answered.
        DataError: an extra record, or what the first adapter was trained on, is of such a question's group.
    """
    if spec is not None and not spec.reasons:
        refuse_settings_of_texts(config.training, spec)
    extra = {path: read_items(path, []) for path, _ in config.extra}
    first = config.init_adapter
    for fold, parts in folds:
        for name, kept in (("test", "holds out"), ("dev", "keeps back as dev questions")):
            if not (parts / f"{name}.json").is_file():
                continue
            questions = read_questions(parts / f"{name}.json")
            for path, items in extra.items():
                _refuse(find_leaks(items, questions), f"--extra {path}", f"fold {fold} {kept}")
            if first is not None:
                leaks = leaks_of_training(_trained_on(first), questions)
                _refuse(leaks, f"--init-adapter {first}", f"fold {fold} {kept}")


def costs_text(prepared: Prepared, trainings: int) -> str:
    """Return what is asked of the dev questions of a fold, and what that costs, before its first step.

    Args:
        prepared: the fold's training.
        trainings: how many are still to be done, this one among them.
    """
    text = "; ".join(line.strip() for line in dev_text(prepared).splitlines())
    dev = prepared.dev
    if dev is None or dev.cost is None or trainings == 1:
        return f"dev: {text}"
    seconds = trainings * dev.cost.scorings * dev.cost.seconds
    return f"dev: {text}; in all {trainings} trainings that are left at most {duration(seconds)}"


def reached_text(result: TrainingResult) -> str:
    """Return what the dev questions said: before training, at the step that is kept, and what ended it."""
    figures = result.figures
    if figures.best is None or not figures.dev:
        return ""
    kept = f"step {figures.best.step} of {figures.steps} kept: {dev_sentence(figures.best)}"
    text = f"dev before training {dev_sentence(figures.dev[0])}; {kept}; ended by: {figures.ended}"
    return f"{text}\n! {NO_BETTER}" if figures.no_better_step else text


def _trained_on(adapter: Path) -> tuple[Path, ...]:
    from lawqa.pipelines.adapters.manifest import trained_on_files

    return trained_on_files(adapter)


def _extra_reasons(config: CrossvalConfig) -> bool:
    specs = {
        record.prompt_spec for path, _ in config.extra for record in load_records(path).records
    }
    return any(PromptSpec.from_id(one).reasons for one in specs - FOREIGN_SPECS)


def _refuse(leaks: Sequence[Leak], source: str, kept: str) -> None:
    if not leaks:
        return
    named = list(dict.fromkeys(leak.train for leak in leaks))
    more = ", …" if len(named) > _SHOWN else ""
    hint = "leave them out of the file; lawqa data leaks FILE QUESTIONS  lists all of them"
    if source.startswith("--init-adapter"):
        hint = "start from an adapter that was trained on other questions, such as synthetic ones"
    raise DataError(
        f"{source}: {len(named)} of its records are of groups that {kept}: "
        f"{', '.join(named[:_SHOWN])}{more} ({leaks[0].test}: {leaks[0].reasons[0]})",
        hint,
    )

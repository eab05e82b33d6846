"""Everything about an evaluation that is known before a model is loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

from lawqa.backends.base import Backend, RendersPrompts, ScoresTexts
from lawqa.choices import orders
from lawqa.commands.backends import require_backend
from lawqa.commands.placefile import current_place
from lawqa.errors import ConfigError
from lawqa.files import JsonObject
from lawqa.made import Made
from lawqa.pipelines.adapters.content import AdapterContent
from lawqa.pipelines.adapters.manifest import AdapterManifest
from lawqa.pipelines.evaluation.asked import AskedPrompts
from lawqa.pipelines.evaluation.config import EvaluationConfig, check_config
from lawqa.pipelines.evaluation.contexts import Retrieval
from lawqa.pipelines.evaluation.results import Answer, result_of
from lawqa.prompting import Prompt, build_prompt, prompt_thought, require_outside, spec_hash
from lawqa.questions import Question, read_question_file, reordered
from lawqa.runs.directory import RESULTS, SUMMARY, RunDirectory, claim_output
from lawqa.runs.environment import describe_environment
from lawqa.runs.manifest import MANIFEST, Manifest, now
from lawqa.runs.outputs import claim_directory
from lawqa.runs.result import ItemKey, Result
from lawqa.settings import AnswerBy
from lawqa.templates import template_warnings

DECLARED = "ASKED OTHERWISE THAN TRAINED"
"""How the note begins on a prompt that is declared to be another than that of the training."""


@dataclass(frozen=True)
class Job:
    """Questions put as the settings say, and where their answers go."""

    config: EvaluationConfig
    """The settings, with what the adapter implies."""
    run_dir: Path
    asked: AskedPrompts
    """Every question in every order that is asked, and how it is put."""
    retrieval: Retrieval | None
    """The contexts, for the condition `rag`."""
    adapter: AdapterManifest | None
    """The adapter that is applied."""
    notes: tuple[str, ...]
    """What a reader must know first."""
    merged: AdapterManifest | None = None
    """The adapter that `lawqa merge` added to the model's own weights."""
    data_sha256: str = ""
    """Of the bytes that the questions were read from."""
    adapter_files: AdapterContent | None = None
    """What the adapter's files were before they were loaded."""

    @property
    def questions(self) -> Sequence[Question]:
        """Every question in every order that is asked; the orders of a question follow each other."""
        return self.asked.questions

    @property
    def prompts(self) -> Sequence[Prompt]:
        """The questions as they are put, in the same sequence."""
        return self.asked.prompts

    @cached_property
    def keys(self) -> Sequence[ItemKey]:
        """What names each answer that is asked for: prompt by prompt, repeat by repeat."""
        return self.asked.keys(self.config.samples_per_prompt)

    def prompt(self, key: str) -> Prompt:
        """Return the prompt of this key."""
        return self.prompts[self.asked.places[key]]

    def work(self, key: str) -> float:
        """Return what the answer to a prompt costs in proportion.

        Scoring costs the prompt's tokens, and about four bytes are one token in any script. What is written
        costs far more than what is read, and how much will be written nobody knows.
        """
        return 1.0 if self.config.generates else float(self.asked.sizes[self.asked.places[key]])

    @cached_property
    def _answer_by(self) -> AnswerBy:
        return self.config.resolved().answer_by

    def result(self, answer: Answer) -> Result:
        """Return an answer as it is stored."""
        question = self.questions[self.asked.places[answer.key]]
        retrieved = self.retrieval.of(question) if self.retrieval else None
        return result_of(
            question, self.config.spec, self._answer_by, answer, retrieved,
            forces=self.config.forces_answers,
        )  # fmt: skip

    def manifest(self, backend: Backend) -> Manifest:
        """Return what the run directory says of this evaluation by this backend."""
        model, spec = backend.describe(), self.config.spec
        return Manifest(
            kind="evaluate",
            config=self.config.to_json(),
            model=model,
            prompt_specs={spec.id: spec_hash(spec, backend.chat_template)},
            data=self.data(),
            questions=self.asked.entries,
            adapter=self.adapter_json(),
            retrieval=dict(self.retrieval.manifest) if self.retrieval else None,
            notes=list(self.notes),
            seed=self.config.seed,
            environment=describe_environment(model.get("device")),
            started=now(),
        )

    def data(self) -> JsonObject:
        """Return what the manifest says of the question file, and of how many questions and prompts."""
        return {
            "path": str(self.config.data),
            "sha256": self.data_sha256,
            "questions": len({question.id for question in self.questions}),
            "prompts": len(self.questions),
        }

    def adapter_json(self) -> JsonObject | None:
        """Return what the manifest says of the adapter."""
        if self.adapter is None:
            return None
        training = self.adapter.training
        known = {
            "prompt_specs": training.prompt_specs if training else None,
            "data": (training.data or None) if training else None,
            "started": (training.started or None) if training else None,
            "model": training.model if training else None,
        }
        return {
            "path": str(self.adapter.path),
            **(self.adapter_files.to_json() if self.adapter_files else {}),
            "manifest": known,
        }


def prepare_evaluation(config: EvaluationConfig, *, claims: bool = True) -> Job:
    """Check options and files and put the questions; no model is loaded and nothing written.

    Args:
        config: what to do.
        claims: whether run directory and output must be free; not for a process that helps another.

    Raises:
        LawqaError: a file, option or policy does not allow it.
    """
    place = current_place(config.place)
    require_backend(place, config.backend)
    config = replace(config, place=place)
    check_config(config)
    file = read_question_file(config.data)
    originals = file.questions[: config.samples]
    questions = _in_orders(originals, config.permutations)
    retrieval = _retrieval(config, originals)
    spec = config.spec

    def put(question: Question) -> Prompt:
        return build_prompt(question, spec, retrieved=retrieval.text(question) if retrieval else "")

    asked = AskedPrompts.of(questions, put)
    run_dir = config.run_dir or new_run_dir(config)
    if claims:
        _claim(config, run_dir)
    adapter_files = AdapterContent.read(config.adapter) if config.adapter else None
    adapter = AdapterManifest.read(config.adapter) if config.adapter else None
    merged = None
    notes = [*(retrieval.notes if retrieval else ()), *_server_notes(config)]
    if config.backend == "hf":
        merged = AdapterManifest.of_merged(Path(config.model_name))
    for trained in (merged, adapter):
        notes += _training_notes(config, trained, originals)
    if adapter is not None:
        config = _quantised_as_trained(config, adapter)
    return Job(
        config, run_dir, asked, retrieval, adapter, tuple(notes), merged,
        data_sha256=file.sha256, adapter_files=adapter_files,
    )  # fmt: skip


def _training_notes(
    config: EvaluationConfig, trained: AdapterManifest | None, questions: Sequence[Question]
) -> list[str]:
    """Return what a training gives to say of scores; nothing for a model as its makers gave it.

    Raises:
        DataError: the training does not allow what is asked, nor does a flag.
    """
    if trained is None:
        return []
    # Only a training is held against the questions, with records, statutes and the rules of leaks.
    from lawqa.pipelines.adapters.notes import notes_on_training

    return notes_on_training(
        trained,
        questions,
        config.learnt_as or config.spec,
        allow_leak=config.allow_leak,
        allow_prompt_mismatch=config.allow_prompt_mismatch,
    )


def _claim(config: EvaluationConfig, run_dir: Path) -> None:
    """Refuse a run directory or an output that is not free, or that something is read from."""
    RunDirectory.check_free(run_dir, fresh=config.fresh or config.resume, kind="evaluate")
    claim_directory(
        run_dir,
        "--run-dir",
        sources={
            "the model's directory": Path(config.model_name) if config.model_name else None,
            "the adapter's directory": config.adapter,
            "the index": config.rag.retriever.index if config.rag else None,
        },
    )
    if config.output is not None:
        goes_on = config.resume and (run_dir / MANIFEST).exists()
        own = (run_dir / name for name in (MANIFEST, RESULTS, SUMMARY))
        claim_output(
            config.output,
            "--output",
            fresh=config.fresh or goes_on,
            sources=(config.data, config.script, *own),
        )


def _quantised_as_trained(config: EvaluationConfig, adapter: AdapterManifest) -> EvaluationConfig:
    """Return the config with the adapter's 4 bits: what was trained is what is tested."""
    quantises = config.load_in_4bit or (adapter.quantisation is not None and not config.no_4bit)
    return replace(
        config,
        load_in_4bit=quantises,
        quant_type=config.quant_type or (adapter.quantisation if quantises else None),
    )


def _server_notes(config: EvaluationConfig) -> Iterator[str]:
    if config.server is not None and config.server.kind == "openai" and not config.server.tokenizer:
        yield (
            "CUT PROMPTS MAY PASS: without --tokenizer a prompt of which the server dropped half or less "
            "cannot be told from a whole one"
        )


def with_base_notes(job: Job, backend: Backend) -> Job:
    """Return the job with what its chat template, and comparing the model with that of its trainings, give to
    say.

    Raises:
        BackendError: the adapter was trained over another model.
        DataError: wording or chat template differ, and that is not allowed.
        ConfigError: the chat template gives no text, or ends the prompt inside an open think block where
            labels are to be scored.
    """
    spec, allowed = job.config.spec, job.config.allow_prompt_mismatch
    wording = spec_hash(spec, backend.chat_template)
    notes = [
        *job.config.sampling_notes(),
        *template_warnings(backend.describe()),
        *_thought_notes(job, backend),
        *_label_notes(job, backend),
    ]
    first: list[str] = []
    if job.merged is not None:
        notes += job.merged.check_wording(spec, wording, allow_prompt_mismatch=allowed)
    if job.adapter_files is not None:
        job.adapter_files.require_unchanged()
    if job.adapter is not None:
        base, learnt = backend.describe(), job.config.learnt_as or spec
        first += _declared(job)
        first += [str(note) for note in [base.get("adapter_note")] if note]
        notes += job.adapter.check_base(
            base,
            learnt,
            spec_hash(learnt, backend.chat_template),
            allow_prompt_mismatch=allowed,
            allow_base_mismatch=job.config.allow_base_mismatch,
        )
    return replace(job, notes=(*first, *job.notes, *notes))


def _declared(job: Job) -> Iterator[str]:
    learnt, spec = job.config.learnt_as, job.config.spec
    if learnt is not None and learnt != spec:
        yield (
            f"{DECLARED}: the adapter learnt letters, with {learnt.id}, and is asked with "
            f"{spec.id}; that is declared"
        )


def _thought_notes(job: Job, backend: Backend) -> Iterator[str]:
    """Look at the first prompt before anything is written: does it end inside a think block?"""
    if not isinstance(backend, RendersPrompts):
        return
    thought = prompt_thought(backend.render(job.prompts[0]))
    if not job.config.generates:
        require_outside(thought)
    if thought is not None and not job.config.spec.thinking:
        yield (
            f"THE MODEL THINKS WITHOUT --thinking: its chat template ends every prompt inside an open think "
            f"block ({thought.opening}), so --max-new-tokens {job.config.generation().max_new_tokens} holds "
            "the thought and the answer"
        )


def _label_notes(job: Job, backend: Backend) -> Iterator[str]:
    """Note where answers come after reasoning and the backend cannot score labels there."""
    config = job.config
    if not config.score_labels or not config.generates or not config.spec.reasons:
        return
    if isinstance(backend, ScoresTexts) and (obstacle := backend.no_text_labels()):
        yield (
            f"NO LABEL PROBABILITIES AFTER TEXTS: {obstacle}; soft votes and calibration have none, and "
            "answers averaged over orders count as votes"
        )


def new_run_dir(config: EvaluationConfig, exists: Callable[[Path], bool] = Path.exists) -> Path:
    """Return a directory under `runs/` that is not there yet, named by time, model and prompt spec."""
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    who = config.adapter.name if config.adapter else Path(config.model_name or config.backend).name
    base = Path("runs") / f"{stamp}_{who}_{config.spec.id}"
    candidate, number = base, 1
    while exists(candidate):
        number += 1
        candidate = base.with_name(f"{base.name}_{number}")
    return candidate


def _in_orders(questions: Sequence[Question], number: int) -> Sequence[Question]:
    if number == 1:
        return questions  # as they are in the file, whatever their order
    shown = orders(4 if number == 4 else 24)
    return Made(
        lambda place: reordered(questions[place // number], shown[place % number]),
        range(len(questions) * number),
    )


def _retrieval(config: EvaluationConfig, questions: Sequence[Question]) -> Retrieval | None:
    if config.spec.condition != "rag":
        return None
    if config.rag is None:
        raise ConfigError("the condition rag needs an index", "--index DIR")
    # Indexes, search and the audit of what it shows: hundreds of patterns that other conditions do not need.
    from lawqa.pipelines.evaluation.rag import retrieve_contexts

    return retrieve_contexts(
        config.rag, questions, quiet=config.quiet, allow_leak=config.allow_leak
    )

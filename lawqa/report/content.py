"""What a report is made of: runs with every stored answer, and what is known of the questions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from lawqa.choices import Label
from lawqa.files import JsonObject
from lawqa.report.notes import Note
from lawqa.runs.manifest import Manifest
from lawqa.runs.result import ReadingName, Result
from lawqa.scoring import LabelMass, ScoredAnswer, Summary, final_answers, label_mass_of, summarise
from lawqa.scoring.comparisons import GoldTextPart, Judged, PairedComparison
from lawqa.settings import By


@dataclass(frozen=True)
class ShownArticle:
    """A retrieved article as the report shows it."""

    law: str
    """The title of its law."""
    article: str
    """Its number, as 27_13; empty where it has none."""
    score: float
    """What it was ranked by."""
    complete: bool
    """Whether all of its text was in the context."""
    gold: bool | None
    """Whether the question's own context quotes it; None where that context is not available."""
    passages: tuple[str, ...] = ()
    """What of it was in the context, as 第24条の5第2項第3号; empty where the run does not say."""
    gold_passages: tuple[str, ...] = ()
    """Those of them that lie in a paragraph which the question's own context quotes."""
    url: str = ""
    """The page of its law on e-Gov; empty where its id is not known."""


@dataclass(frozen=True)
class RetrievedText:
    """Where the retrieved context is in a prompt, as offsets into the prompt."""

    span: tuple[int, int]
    """The context."""
    gold: tuple[tuple[int, int], ...]
    """The parts of it that the question's own context quotes."""


@dataclass(frozen=True)
class Entry:
    """A stored result as a report reads it."""

    result: Result
    reading: ReadingName
    """Whose labels count: those recorded, or those of today's parser."""
    articles: tuple[ShownArticle, ...] = ()
    """What was retrieved for it, best first."""
    retrieved: RetrievedText | None = None
    """The retrieved context in its prompt; None where there is none or its gold text is not known."""

    scored: ScoredAnswer | None = None
    """How it is scored, where that was found out before."""

    @cached_property
    def answer(self) -> ScoredAnswer:
        """How it is scored."""
        return self.scored or self.result.scored(self.reading)

    @cached_property
    def forced_outcome(self) -> ScoredAnswer | None:
        """The answer with its forced label counted; None where none was forced or it has its own."""
        forced = self.result.when_forced(self.answer)
        return None if forced == self.answer else forced

    @property
    def forced(self) -> Label | None:
        """The label that was forced out of a text without an answer."""
        return self.result.forced_answer if self.answer.predicted is None else None

    @property
    def rule(self) -> str:
        """The parser's rule that read the label; empty where nothing was read."""
        if self.reading == "today" and self.result.is_text:
            return self.result.parsed.rule
        return self.result.rule or ""

    @property
    def span(self) -> tuple[int, int] | None:
        """What the rule read, as offsets into the response."""
        if self.reading == "today" and self.result.is_text:
            return self.result.parsed.span
        return self.result.span

    @property
    def error(self) -> str:
        """What broke; empty where nothing did. The lab's old files hold it in place of the response."""
        return self.result.error or (self.result.response if self.result.is_failed else "")

    @property
    def condition(self) -> str:
        """closed, gold or rag; where the spec is not known, whether there was a context."""
        parts = self.result.prompt_spec.split("-")
        if len(parts) > 1:
            return parts[1]
        return "context" if self.answer.has_context else "no_context"


@dataclass(frozen=True)
class ReportQuestion:
    """A question as the report shows it, in the original order of its choices."""

    id: str
    law: str
    text: str
    """What is asked."""
    choices: tuple[str, ...]
    """The choice texts; empty where they are not stored."""
    gold: Label
    """The right label."""
    context: str
    """The data set's own context; empty where it is not available."""
    references: tuple[str, ...]
    """Where the data set says it comes from."""


@dataclass(frozen=True)
class Training:
    """What is known of the training of an adapter."""

    adapter: str
    """The adapter's directory."""
    manifest: Manifest | None
    """Its manifest; None where it has none or is not there any more."""
    log: tuple[JsonObject, ...]
    """The lines of its log; empty where there is none."""
    missing: str = ""
    """Why there is no log; empty where there is one."""


@dataclass(frozen=True)
class ReportRun:
    """A run."""

    id: str
    """What the report calls it: R1, R2 and so on."""
    name: str
    """Its name, which no other run of the report has."""
    path: str
    """Where it was read."""
    entries: Sequence[Entry]
    """Its answers, each read when it is asked for."""
    answers: tuple[ScoredAnswer, ...]
    """The same as they are scored."""
    model: str
    """Model and quantisation."""
    adapter: str
    """The adapter; empty for a base model."""
    spec: str
    """The prompt spec; empty where it is not known."""
    notes: tuple[str, ...] = ()
    """What a reader must know first, as the run stored it."""
    manifest: Manifest | None = None
    """None for a result file."""
    about: Mapping[str, object] = field(default_factory=dict)
    """What a result file says of itself."""
    command: tuple[str, ...] = ()
    """The lines that reproduce it; empty where they are not known."""
    trainings: tuple[Training, ...] = ()
    """Of its adapter, or of each fold's."""
    legacy: bool = False
    """Whether it is one of the lab's old files."""
    by: By = "own"
    """How the prompts of a question become its final answer."""

    def entries_of(self, questions: Collection[str]) -> Iterator[Entry]:
        """Yield its answers to these questions, in stored order."""
        for place, answer in enumerate(self.answers):
            if answer.question_id in questions:
                yield self.entries[place]

    @cached_property
    def reread(self) -> int:
        """How many texts today's parser reads differently from when they were stored."""
        return sum(
            entry.answer.predicted != entry.result.scored("recorded").predicted
            for entry in self.entries
        )

    @cached_property
    def summary(self) -> Summary:
        """Its figures."""
        lengths: dict[str, tuple[int, ...]] = {}
        for entry in self.entries:
            if entry.result.choices:
                lengths[entry.result.question_id] = entry.result.choice_lengths
        whole = {answer.question_id for answer in self.answers} == set(lengths)
        return summarise(self.answers, choice_lengths=lengths if whole else None, by=self.by)

    @cached_property
    def judged(self) -> tuple[ScoredAnswer, ...]:
        """What it is judged by: its final answers, or single prompts where those are compared."""
        if self.by == "prompts":
            return self.answers
        return tuple(final.as_scored() for final in final_answers(self.answers, self.by))

    @cached_property
    def label_mass(self) -> LabelMass | None:
        """How much of the probability the labels had; None where none was scored, or that was not stored."""
        return label_mass_of(
            entry.result.label_mass for entry in self.entries if not entry.result.is_text
        )

    @property
    def title(self) -> str:
        """Its id and name."""
        return f"{self.id} {self.name}"


@dataclass(frozen=True)
class RunPair:
    """A run compared with its base run."""

    base: str
    """The id of the run that it is compared with."""
    other: str
    """The id of the run."""
    judged: Judged | None
    """The comparison at the level that Holm's correction asks of it; None where there can be none."""
    problem: str = ""
    """Why there can be none."""
    differs: tuple[str, ...] = ()
    """Settings other than the adapter in which the two runs differ."""
    reworded: int = 0
    """Shared questions whose wording is not the same in both runs."""
    repeats: tuple[str, ...] = ()
    """The ids of further seeds of the run, which are compared together with it."""
    base_repeats: tuple[str, ...] = ()
    """The ids of further seeds of the base."""
    gold_text: tuple[GoldTextPart, ...] = ()
    """The comparison split by whether the gold text was in the prompt; none where nothing was retrieved."""

    @property
    def comparison(self) -> PairedComparison | None:
        """The comparison itself."""
        return self.judged.comparison if self.judged else None


@dataclass(frozen=True)
class Report:
    """Everything a report shows."""

    title: str
    made: str
    """When it was made: UTC, ISO 8601."""
    version: str
    """The version of lawqa that made it."""
    runs: tuple[ReportRun, ...]
    """The runs, the base first."""
    pairs: tuple[RunPair, ...]
    """Each other run against the first, an adapter's against one that differs in the adapter alone if there
    is one; none where there is one run."""
    questions: tuple[ReportQuestion, ...]
    """The questions that are shown one by one, in the order in which the runs met them."""
    trainings: tuple[Training, ...] = ()
    """Trainings that were asked for by themselves."""
    recorded: bool = False
    """Whether labels are as they were recorded, not as today's parser reads them."""
    asked: int = 0
    """Questions that the runs asked; those that are not shown are in figures and plots only."""
    notes: Mapping[str, Note] = field(default_factory=dict)
    """What readers noted of questions, by question id."""
    notes_file: str = "report.notes.json"
    """The name of the file that keeps notes, beside the report."""

    @property
    def base(self) -> ReportRun:
        """The run that others are compared with where they have no base run of their own."""
        return self.runs[0]

    def run(self, run_id: str) -> ReportRun:
        """Return the run of this id."""
        return next(run for run in self.runs if run.id == run_id)

    @property
    def all_trainings(self) -> tuple[Training, ...]:
        """Those asked for, then those of the runs' adapters, each once."""
        trainings: dict[str, Training] = {}
        of_runs: Sequence[Training] = [t for run in self.runs for t in run.trainings]
        for training in [*self.trainings, *of_runs]:
            trainings.setdefault(training.adapter, training)
        return tuple(trainings.values())

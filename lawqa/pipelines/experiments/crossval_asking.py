"""How a cross-validation asks its held-out questions, and what is checked before anything is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from lawqa.errors import ConfigError
from lawqa.pipelines.adapters.stages import Start
from lawqa.pipelines.evaluation.config import EvaluationConfig, check_config
from lawqa.pipelines.experiments.crossval_config import CrossvalConfig
from lawqa.prompting import build_prompt, render
from lawqa.questions import read_questions
from lawqa.settings import GenerationChoices, ModelSettings, require_belonging, values_of

PRIOR_ORDERS: Literal[4] = 4
"""Orders in which training questions are asked for the prior: every choice is once under every letter."""


def check_crossval(config: CrossvalConfig) -> None:
    """Make sure that the settings can be meant together, before anything is written.

    Raises:
        ConfigError: they cannot.
    """
    if config.fold is not None and not 1 <= config.fold <= config.folds:
        raise ConfigError(f"--fold is {config.fold}, expected 1 to {config.folds}")
    if config.seeds < 1:
        raise ConfigError(f"--seeds is {config.seeds}, expected 1 or more")
    require_belonging(config, "train")
    if config.init_adapter is not None:
        Start.read(config.init_adapter, config.training)
    asked = asked_of(config)
    try:
        check_config(asked)
    except ConfigError as problem:
        # Here this name is that of the training's orders.
        told = problem.message.replace("--permutations", "--eval-permutations")
        raise ConfigError(
            told, problem.hint.replace("lawqa evaluate", "lawqa crossval run")
        ) from None
    direct = config.spec.mode == "direct" and not config.spec.thinking
    if config.learn_from == "distilled":
        if direct:
            raise ConfigError(
                "--learn-from distilled: a direct answer is one letter, without reasoning to learn from",
                "--mode cot, or --thinking; or --learn-from letters",
            )
        if config.trained or config.permutations != 1:
            flag = "--mix" if config.trained else f"--permutations {config.permutations}"
            raise ConfigError(
                f"{flag} is of letters, and --learn-from distilled learns sampled answers",
                f"leave {flag} out; --eval-permutations asks held-out questions in several orders",
            )
    elif config.learnt_as not in [spec for spec, _ in config.trained_specs()]:
        raise ConfigError(
            f"{config.learnt_as.id} is evaluated but not trained on", "put its condition into --mix"
        )
    if config.prior_correction and asked.generates:
        raise ConfigError(
            "--prior-correction is of answers by the likeliest letter, and here answers are texts",
            "leave it out; or --mode direct without --thinking and --ensemble",
        )


def require_askable(config: CrossvalConfig) -> None:
    """Make sure that the model's chat template can be asked so, before hours of training.

    Raises:
        ConfigError: it has no thinking switch, or gives no text.
    """
    if not config.spec.thinking:
        return
    from lawqa.models import require_packages
    from lawqa.models.pretrained import load_tokenizer

    require_packages(quantised=False)
    first = read_questions(config.input)[0]
    prompt = build_prompt(first, config.spec, retrieved=first.text)
    tokenizer = load_tokenizer(config.model_name, config.revision)
    render(prompt.messages, tokenizer, thinking=True)


def asked_of(config: CrossvalConfig) -> EvaluationConfig:
    """Return how questions are asked, of all at once."""
    return held_out_config(config, config.input, config.output_dir, config.seed)


def held_out_config(
    config: CrossvalConfig, data: Path, run_dir: Path, seed: int
) -> EvaluationConfig:
    """Return how held-out questions are asked, of a model without an adapter.

    Args:
        config: the cross-validation.
        data: the questions.
        run_dir: where the answers go.
        seed: of sampling.
    """
    return EvaluationConfig(
        data=data,
        spec=config.spec,
        backend="hf",
        **values_of(ModelSettings, config),
        **values_of(GenerationChoices, config.generation),
        permutations=config.eval_permutations,
        token_budget=config.eval_token_budget,
        seed=seed,
        place=config.place,
        run_dir=run_dir,
        rag=config.rag,
        quiet=config.quiet,
    )

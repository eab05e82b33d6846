"""The recipe as data: every stage has commands, a budget that holds, and something to do at each outcome."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lawqa.commands.expand import render_command
from lawqa.commands.policy import check_policy
from lawqa.commands.recipe import Recipe
from lawqa.commands.source import packaged_source, read_source
from lawqa.docgen.durations import bases_for, known_seconds, stage_duration_ja
from lawqa.errors import ConfigError

SOURCE = packaged_source()
HEART01 = SOURCE.place("heart01")


def recipe() -> Recipe:
    assert SOURCE.recipe is not None
    return SOURCE.recipe


def test_the_stages_are_those_of_the_lab_in_order() -> None:
    stages = [stage.id for stage in recipe().stages]
    before = ["ladder", "questions", "pool", "stage-1", "stage-2", "preference", "policy"]
    assert stages == [*before, "judge"]
    assert recipe().number("judge") == 8
    assert recipe().budget_hours == sum(stage.budget_hours for stage in recipe().stages)


def test_every_step_of_a_stage_may_run_on_heart01() -> None:
    for stage in recipe().stages:
        for step in stage.steps:
            command = SOURCE.command(step)
            rendered = render_command(command, HEART01)
            check_policy(
                HEART01, rendered.argv, rendered.env, name=step, evaluates=command.evaluates
            )
            assert command.role == "exploration" or step == "summary"


def test_nothing_is_learnt_from_the_questions_that_judge() -> None:
    """The ladder and the judge ask the lab's questions; what is made keeps clear of them."""
    data = render_command(SOURCE.command("make-questions"), HEART01).inputs[1]
    naming = {
        step
        for stage in recipe().stages
        for step in stage.steps
        if data in render_command(SOURCE.command(step), HEART01).argv
    }
    judges = {f"judge-recipe-{number}" for number in (1, 2, 3, 4)}
    assert naming == {"ladder", "make-questions", "audit-questions", *judges}
    argv = SOURCE.command("make-questions").argv
    assert argv[argv.index("--exclude-articles-of") + 1] == "{data}"


def test_the_judge_asks_as_the_main_experiments_base_is_asked() -> None:
    base = render_command(SOURCE.command("base-thinking"), HEART01).argv
    judge = render_command(SOURCE.command("judge-recipe-4"), HEART01).argv
    assert set(base) - set(judge) == {"results/heart01/ladder/thinking-rag"}
    adapter = {"--hf-lora-path", "results/heart01/adapters/recipe-4"}
    assert set(judge) - set(base) == {"results/heart01/runs/recipe-140", *adapter}


def test_what_is_skipped_takes_what_it_leads_to_along() -> None:
    """A policy starts from the preferences, and those from the second training."""
    for stage in recipe().stages:
        for outcome in stage.outcomes:
            if "preference" in outcome.skips:
                assert "policy" in outcome.skips
            if "stage-2" in outcome.skips:
                assert "preference" in outcome.skips


def test_a_policy_is_asked_as_its_pool_was() -> None:
    pool, policy = (
        render_command(SOURCE.command(step), HEART01).argv
        for step in ("pool-base", "policy-recipe")
    )
    for flag in ("--data", "--mode", "--condition", "--index", "--top-k", "--max-context-tokens"):
        assert policy[policy.index(flag) + 1] == pool[pool.index(flag) + 1]
    assert "--thinking" in pool
    assert "--thinking" in policy


def test_a_budget_that_the_speeds_do_not_allow_is_refused() -> None:
    bases = bases_for(SOURCE, HEART01, None)
    for stage in recipe().stages:
        assert stage_duration_ja(stage, SOURCE, HEART01, bases).startswith("目安 ")
        known = [known_seconds(SOURCE.command(step), HEART01, bases) for step in stage.steps]
        assert any(known)
        with pytest.raises(ConfigError, match=rf"recipe: {stage.id}: takes .*budget is 0.1 hours"):
            stage_duration_ja(replace(stage, budget_hours=0.1), SOURCE, HEART01, bases)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'steps = ["pairs-recipe",',
            'steps = ["pears",',
            "recipe: preference: pears is not declared",
        ),
        (
            'skips = ["policy"]',
            'skips = ["ladder"]',
            "skips 'ladder', which is not a later stage",
        ),
        ('skips = ["policy"]', 'skips = ["x"]', "skips 'x', which is not a later stage"),
        (
            "budget_hours = 24",
            "budget_hours = 0",
            "recipe: ladder: needs steps, outcomes, budget_hours",
        ),
        ("budget_hours = 24", 'budget_hours = "24"', "budget_hours is text, expected a number"),
        ('id = "pool"\n', 'id = "ladder"\n', "an id of its own"),
        ('when_ja = "どれでもない"', 'wen_ja = "どれでもない"', "unknown key 'wen_ja'"),
    ],
)
def test_a_recipe_with_a_fault_is_refused_by_its_name(
    checkout: Path, old: str, new: str, said: str
) -> None:
    text = (checkout / "docs_src" / "commands.toml").read_text(encoding="utf-8")
    start = text.index("[recipe]")
    changed = text[:start] + text[start:].replace(old, new, 1)
    assert changed != text
    with pytest.raises(ConfigError) as caught:
        read_source(changed, "commands.toml")
    assert said in caught.value.message

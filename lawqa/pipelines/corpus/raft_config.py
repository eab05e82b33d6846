"""How retrieved contexts to train on differ from those that are evaluated, as settings; `raft` makes them."""

from __future__ import annotations

from dataclasses import dataclass, field

from lawqa.errors import ConfigError
from lawqa.settings import AnswererSettings, RaftSettings, declaration


@dataclass(frozen=True)
class RaftConfig(RaftSettings):
    """How contexts to train on differ from those that are evaluated."""

    seed: int = field(default=0, metadata=declaration(AnswererSettings, "seed"))
    """Decides which questions these are, and where distractors are put."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        super().__post_init__()
        problems = []
        if self.distractors < 0:
            problems.append(f"--distractors is {self.distractors}, expected 0 or more")
        if not 0 <= self.without_gold <= 1:
            problems.append(f"--without-gold is {self.without_gold}, expected 0 to 1")
        if problems:
            raise ConfigError("\n".join(problems))

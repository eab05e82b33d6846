"""Which experiment trackers may be asked for, and whether they can be used.

TensorBoard's event files are always written, by `progress`. Everything else may send figures to another
machine, so it is neither imported nor looked for before somebody names it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec

from lawqa.errors import ConfigError
from lawqa.settings import Tracker

_DEFAULTS: Mapping[str, Mapping[str, str]] = {
    "wandb": {"WANDB_PROJECT": "lawqa", "WANDB_ERROR_REPORTING": "false"},
    "mlflow": {
        "MLFLOW_EXPERIMENT_NAME": "lawqa",
        # It asks its makers' server what to send them, even where runs are kept in a file; of
        # DO_NOT_TRACK it understands `true` only.
        "MLFLOW_DISABLE_TELEMETRY": "true",
        # Else transformers warns of each nested setting that it leaves out.
        "MLFLOW_FLATTEN_PARAMS": "TRUE",
    },
    "trackio": {"GRADIO_ANALYTICS_ENABLED": "False"},
}
"""What a tracker reads in the environment unless the user has said otherwise: figures go where the user sends
them, and nothing goes to a tracker's makers."""


def require_trackers(names: Sequence[Tracker]) -> None:
    """Make sure that the trackers asked for can be used.

    Raises:
        ConfigError: one is not installed, or switched off.
    """
    for name in sending(names):
        if find_spec(name) is None:
            raise ConfigError(
                f"--report-to {name}: {name} is not installed",
                f"pip install {name}; or leave it out: TensorBoard's events are always written",
            )
        for variable, value in _DEFAULTS[name].items():
            os.environ.setdefault(variable, value)  # before it is imported
        if not getattr(_integrations(), f"is_{name}_available")():
            raise ConfigError(
                f"--report-to {name}: transformers cannot use the {name} that is installed",
                f"pip install --upgrade {name}; or is an environment variable set that switches it off?",
            )


def sending(names: Sequence[Tracker]) -> list[str]:
    """Return the trackers among these that may send something, each once."""
    return [name for name in dict.fromkeys(names) if name != "tensorboard"]


def _integrations() -> object:
    """Return those of transformers, which imports bitsandbytes: its advice is silenced by
    `load` beforehand.
    """
    import_module("lawqa.models.load")
    return import_module("transformers.integrations")

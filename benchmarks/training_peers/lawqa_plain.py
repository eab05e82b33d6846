"""lawqa's trainer on its plain path, the reference. Arguments: the condition, the batch size."""

from __future__ import annotations

import sys

from lawqa_training import run

from lawqa.training import path_choice

path_choice._common_obstacle = lambda *_: "the benchmark asks for the plain path"
run(sys.argv[1], int(sys.argv[2]))

"""lawqa's trainer on the path that it chooses. Arguments: the condition, the batch size."""

from __future__ import annotations

import sys

from lawqa_training import run

run(sys.argv[1], int(sys.argv[2]))

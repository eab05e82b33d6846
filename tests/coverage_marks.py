"""Every module reaches the mark that coverage itself asks of the total only (pyproject.toml, fail_under).

coverage json -o FILE && python tests/coverage_marks.py FILE
"""

import json
import sys
from pathlib import Path

import coverage

mark = coverage.Coverage().get_option("report:fail_under")
files = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["files"]
covered = {name: found["summary"]["percent_covered"] for name, found in files.items()}
below = {name: percent for name, percent in covered.items() if percent < mark}
for name, percent in sorted(below.items()):
    print(f"{name}: {percent:.1f} %, expected {mark:g} %")
if below or not covered:
    sys.exit(f"{len(below)} of {len(covered)} modules are below the mark")
print(f"{len(covered)} modules, the least covered {min(covered.values()):.1f} %")

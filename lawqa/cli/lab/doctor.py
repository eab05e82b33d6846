"""`lawqa doctor`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import FlagCreatePairsOff

from lawqa.cli.console import JsonFlag
from lawqa.settings import PlaceSettings, SampleSettings, declaration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lawqa.doctor import Finding


@dataclass(frozen=True)
class Doctor:
    """Check this machine before hours are spent: exit code 0 well, 1 warnings, 2 problems."""

    place: str | None = field(default=None, metadata=declaration(PlaceSettings, "place"))
    """Check for this place. Without it: LAWQA_PLACE, lawqa.toml, or any."""
    model: str | None = None
    """The model that is to be trained or evaluated. Without it: that of the place."""
    data: Path | None = field(default=None, metadata=declaration(SampleSettings, "data"))
    """The question file. Without it: that of the place."""
    index: Path | None = None
    """The retrieval index. Without it: that of the place."""
    verify: FlagCreatePairsOff[bool] = False
    """Also read every byte of the model and compare it with the digests that are remembered of it."""
    as_json: JsonFlag = False
    """Write JSON."""

    def run(self) -> int:
        from lawqa.commands.expand import expand
        from lawqa.commands.placefile import place_settings
        from lawqa.commands.source import packaged_source
        from lawqa.doctor import PlannedRun, examine, findings_exit_code

        chosen, file = place_settings(self.place)
        source = packaged_source()
        place = source.place(chosen.value)
        variables = dict(place.variables)
        if file is not None and file.place in (None, place.id):
            variables |= file.overrides

        def setting(name: str, flag: object) -> str:
            return str(flag) if flag is not None else expand(f"{{{name}}}", variables, name)

        planned = PlannedRun(
            source=source,
            place=place,
            place_origin=chosen.origin,
            model=setting("model", self.model),
            data=Path(setting("data", self.data)),
            index=Path(setting("index", self.index)),
            work=Path(setting("work", None)),
            hf_home=setting("hf_home", None),
            max_seq_length=int(setting("max_seq_length", None)),
        )
        findings = list(examine(planned))
        if self.verify:
            from lawqa.doctor.verify import verified

            findings.append(verified(planned.model))
        print(json_text(findings) if self.as_json else findings_text(findings))
        return findings_exit_code(findings)


def findings_text(findings: Sequence[Finding]) -> str:
    """Return a line a finding; below it what fixes it; the counts at the end."""
    lines = []
    for finding in findings:
        lines.append(f"{finding.level:8} {finding.check}: {finding.message}")
        goes_on = False
        for line in finding.fix.splitlines():
            lines.append(f"         {'   ' if goes_on else '-> '}{line}")
            goes_on = line.endswith("\\")
    problems, warnings = (
        sum(finding.level == level for finding in findings) for level in ("problem", "warning")
    )
    lines.append(
        f"{problems} {'problem' if problems == 1 else 'problems'}, "
        f"{warnings} {'warning' if warnings == 1 else 'warnings'}"
    )
    return "\n".join(lines)


def json_text(findings: Sequence[Finding]) -> str:
    """Return the findings as JSON."""
    content = {"schema_version": 1, "findings": [vars(finding) for finding in findings]}
    return json.dumps(content, ensure_ascii=False, indent=1)

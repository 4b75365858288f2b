"""The lines of `gwtui doctor`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How one probe ended."""

    OK = "ok"
    REFUSED = "refused"
    """401 or 403: a right is missing."""
    PARTIAL = "partial"
    """Only some namespaces can be read."""
    FAILED = "failed"
    ABSENT = "absent"
    """Not offered there, and not needed."""


MARKS = {Verdict.OK: "●", Verdict.REFUSED: "✖", Verdict.PARTIAL: "◐", Verdict.FAILED: "✖", Verdict.ABSENT: "○"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One probe."""

    cluster: str
    subject: str
    """What was probed, for example `read httproutes` or `port-forward`."""
    verdict: Verdict
    detail: str = ""
    hint: str = ""
    """What to grant or to try; empty when all is well."""

    @property
    def is_trouble(self) -> bool:
        """Whether something has to be done."""
        return self.verdict in (Verdict.REFUSED, Verdict.FAILED)


def checkup_document(checks: tuple[Check, ...]) -> dict[str, object]:
    """Return the checks as plain data for `-o json`."""
    return {"checks": [asdict(check) for check in checks]}


def checkup_text(checks: tuple[Check, ...]) -> str:
    """Return the checks as text, one block per cluster, each hint below the line it belongs to."""
    lines: list[str] = []
    width = max((len(check.subject) for check in checks), default=0)
    for cluster in dict.fromkeys(check.cluster for check in checks):
        lines.append(cluster)
        for check in checks:
            if check.cluster == cluster:
                mark = MARKS[check.verdict]
                lines.append(f"  {mark} {check.verdict:8} {check.subject:{width}}  {check.detail}".rstrip())
                if check.hint and (check.is_trouble or check.verdict is Verdict.PARTIAL):
                    lines.append(f"             {'':{width}}→ {check.hint}")
    return "\n".join(lines)

"""The report of a verification, as JSON and Markdown, without secrets and, by default, without names."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from cli.verification.claim import Claim, State

_GUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)
_HOST = re.compile(r"\b(?:[a-z0-9-]+\.)+(?:net|com|us|cn|local)\b|\b\d+\.\d+\.\d+\.\d+\b", re.IGNORECASE)
_MARKS = {State.VERIFIED: "✓", State.REFUTED: "✗", State.UNKNOWN: "?"}


@dataclass(frozen=True, slots=True)
class Environment:
    """The verified deployment, and the command; ``app`` is the version that the app reports, "" if none."""

    date: datetime
    command: str
    app: str
    receiver: str
    storage: str
    purview: str
    network: str


class Cleaner:
    """Removes secrets from texts, and replaces names by hashes unless names are wanted."""

    def __init__(self, secrets: Iterable[str], *, hash_names: bool) -> None:
        self._secrets = [secret for secret in secrets if secret]
        self._hash_names = hash_names

    def __call__(self, text: str) -> str:
        """The text as it may be shown."""
        for secret in self._secrets:
            text = text.replace(secret, "…")
        if self._hash_names:
            text = _HOST.sub(_hashed, _GUID.sub(_hashed, text))
        return text

    def claim(self, claim: Claim) -> Claim:
        """The claim as it may be shown."""
        return replace(claim, seen=self(claim.seen))


def _hashed(found: re.Match[str]) -> str:
    return f"name-{hashlib.sha256(found[0].lower().encode()).hexdigest()[:8]}"


def as_object(environment: Environment, claims: Sequence[Claim], cleaner: Cleaner) -> dict[str, Any]:
    """The report by the contract in docs/contracts/verify.schema.json."""
    shown = [cleaner.claim(claim) for claim in claims]
    return {
        "date": environment.date.isoformat(timespec="seconds"),
        "command": environment.command,
        "app": environment.app or None,
        "receiver": cleaner(environment.receiver),
        "storage": cleaner(environment.storage),
        "purview": cleaner(environment.purview),
        "network": environment.network,
        "verified": sum(claim.state is State.VERIFIED for claim in shown),
        "refuted": sum(claim.state is State.REFUTED for claim in shown),
        "unknown": sum(claim.state is State.UNKNOWN for claim in shown),
        "claims": [
            {
                "name": claim.name,
                "claim": claim.text,
                "page": claim.page,
                "state": claim.state.value,
                "seen": claim.seen,
                "figures": dict(claim.figures),
            }
            for claim in shown
        ],
    }


def as_markdown(report: dict[str, Any]) -> str:
    """The report as a text that can be pasted into an issue."""
    about = ("date", "command", "app", "receiver", "storage", "purview", "network")
    lines = ["# sparklin verify", ""]
    lines += [f"- {name}: {_cell(str(report[name]))}" for name in about]
    counts = ", ".join(f"{report[state.value]} {state.value}" for state in State)
    lines += [f"- result: {counts}", "", "| | claim | seen | measured | page |", "|---|---|---|---|---|"]
    for claim in report["claims"]:
        mark = _MARKS[State(claim["state"])]
        figures = ", ".join(f"{name} {value:g}" for name, value in claim["figures"].items())
        cells = (f"{mark} {claim['name']}", claim["claim"], claim["seen"], figures, claim["page"])
        lines.append(f"| {' | '.join(map(_cell, cells))} |")
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")

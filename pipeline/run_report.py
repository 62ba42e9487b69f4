"""What is true of one run only: when, how long, what was asked, and what it cost."""

import platform
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ieat.pipeline.run_state import RunState
from ieat.pipeline.spending.ledger import Spent, sum_spent
from ieat.schemas.rows import CORE_TABLES

PACKAGES = ("ieat", "apache-beam", "openai", "pyarrow", "librosa", "soundfile", "av")
"""Packages whose versions a run is told by."""

STAGES_OF_TABLE = {
    "stage1": ("transcribe", "label", "distill"),
    "stage2": ("attribute", "compose"),
    "humdial": ("retrospect",),
}
"""Stages whose answers a table adds to those before it."""


def describe_run(
    state: RunState, started: datetime, seconds: float, num_dialogues: int
) -> dict[str, Any]:
    """Return what run.json holds.

    Args:
        state: Counts of the run, and why it ended.
        started: When it began, UTC.
        seconds: How long it took.
        num_dialogues: Dialogues that the build holds at its end.
    """
    stop = state.stop_reason
    asked = state.ledger.snapshot()
    stages = state.snapshot()
    # Groups of an earlier run that stand asked nothing, so their dialogues are left out.
    num_paid = min(num_dialogues, stages[-1].done)
    return {
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(seconds, 1),
        "warnings": list(state.warnings),
        "stopped": None if stop is None else {"code": stop.code, "message": stop.message},
        "stages": {stage.stage: {"done": stage.done, "failed": stage.failed} for stage in stages},
        "asked": [
            {
                "stage": stage,
                "engine": engine_id,
                **_rounded(asdict(spent)),
                "tokens_per_second": round(spent.tokens / seconds, 1) if seconds else None,
            }
            for (stage, engine_id), spent in asked.items()
        ],
        "money": _money(asked, num_paid),
        "python": platform.python_version(),
        "packages": {package: version(package) for package in PACKAGES},
        "commit": commit_of(Path(__file__).resolve()),
    }


def commit_of(file: Path) -> str | None:
    """Return the Git commit that a source file is checked out from, `+` where it was changed since.

    Null for a file that no repository tracks, such as one of an installed package.
    """

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(file.parent), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
        return done.stdout.strip()

    try:
        git("ls-files", "--error-unmatch", file.name)
        is_changed = bool(git("status", "--porcelain", "--untracked-files=no"))
        return git("rev-parse", "HEAD") + ("+" if is_changed else "")
    except (OSError, subprocess.SubprocessError):
        return None


def describe_asked(total: Spent) -> str:
    """Say in one line what was asked and what it cost; empty when nothing was."""
    num_asked = total.answered + total.stored + total.failed
    if not num_asked:
        return ""
    notes = [
        f"{count:,} {what}"
        for count, what in (
            (total.stored, "from the store"),
            (total.retried, "retried"),
            (total.failed, "without an answer"),
            (total.lost, "lost on the way"),
        )
        if count
    ]
    line = f"{num_asked:,} questions" + (f" ({', '.join(notes)})" if notes else "")
    if total.tokens:
        line += f", {total.tokens:,} tokens"
    if total.cached_tokens:
        line += f" ({total.cached_tokens:,} cached)"
    if total.usd or total.usd_lost:
        line += f", {total.usd + total.usd_lost:.4f} USD"
    return line


def recount_run(run: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what a person wants to know of run.json, as a word and what it says.

    What another version wrote otherwise is left out.
    """
    if "started" in run and "seconds" in run:
        yield "last run", f"{run['started']}, {run['seconds']:,} s"
    known = {count.name for count in fields(Spent)}
    by_engine: dict[str, list[Spent]] = {}
    for asked in run.get("asked", ()):
        counts = {name: value for name, value in asked.items() if name in known}
        by_engine.setdefault(asked.get("engine", "an engine"), []).append(Spent(**counts))
    for engine_id, spent in sorted(by_engine.items()):
        told = describe_asked(sum_spent(spent))
        if told:
            yield "asked", f"{engine_id}: {told}"
    money = run.get("money") or {}
    whole = money.get("usd", 0.0) + money.get("usd_paid_before", 0.0)
    if whole:
        each = money.get("usd_per_dialogue")
        share = f", {each:.4f} a dialogue" if each is not None else ""
        yield "paid", f"{whole:.4f} USD with what earlier runs paid for the same answers{share}"


def _money(asked: Mapping[tuple[str, str], Spent], num_dialogues: int) -> dict[str, Any]:
    """Return US dollars of this run, and of its dialogues with what was paid for them before."""
    total = sum_spent(asked.values())
    whole = total.usd + total.usd_stored
    tables = {
        table: sum_spent(spent for (stage, _), spent in asked.items() if stage in stages)
        for table, stages in STAGES_OF_TABLE.items()
        if table in CORE_TABLES or any(stage in stages for stage, _ in asked)
    }
    return {
        "usd": round(total.usd, 6),
        "usd_lost_at_most": round(total.usd_lost, 6),
        "usd_paid_before": round(total.usd_stored, 6),
        "usd_per_dialogue": round(whole / num_dialogues, 6) if num_dialogues else None,
        "usd_by_table": {
            table: round(spent.usd + spent.usd_stored, 6) for table, spent in tables.items()
        },
    }


def _rounded(counts: dict[str, Any]) -> dict[str, Any]:
    return {
        name: round(count, 6) if isinstance(count, float) else count
        for name, count in counts.items()
        if name != "in_flight"
    }

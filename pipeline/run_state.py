"""How far a run is and whether it should end: shared by all steps of a process."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ieat.pipeline.progress import StageProgress
from ieat.pipeline.spending.ledger import Ledger, sum_spent
from ieat.pipeline.store.withdrawn import hash_id

MIN_ENDED = 50
"""Dialogues that must have left the first stage before the share of failures can stop a run."""


class Stop(NamedTuple):
    """Why a run ends early."""

    code: str
    message: str


@dataclass
class _Count:
    done: int = 0
    failed: int = 0
    in_flight: int = 0


@dataclass
class RunState:
    """Counts by stage, and the reason to stop. Safe to use from any thread.

    Args:
        stages: Names of the stages in order.
        max_failed_ratio: Share of failed dialogues at which the run stops.
        ledger: Counts what is asked and what it costs.
        withdrawn: Hashes of the ids of dialogues that may not be used.
    """

    stages: Sequence[str]
    max_failed_ratio: float
    ledger: Ledger = field(default_factory=Ledger)
    withdrawn: frozenset[str] = frozenset()
    stop_reason: Stop | None = None
    num_read: int = 0
    num_unreadable: int = 0
    warnings: list[str] = field(default_factory=list)
    _counts: dict[str, _Count] = field(init=False)
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        self._counts = {stage: _Count() for stage in self.stages}

    def stop(self, code: str, message: str) -> None:
        """End the run: calls in flight are finished and stored, nothing more is asked."""
        with self._lock:
            if self.stop_reason is None:
                self.stop_reason = Stop(code, message)

    def warn(self, message: str) -> None:
        """Keep something that a person should know at the end."""
        with self._lock:
            self.warnings.append(message)

    def is_withdrawn(self, dialogue_id: str) -> bool:
        """Tell whether a dialogue may not be used any more."""
        return bool(self.withdrawn) and hash_id(dialogue_id) in self.withdrawn

    def read(self, *, is_failed: bool) -> None:
        """Count a unit that was read, or could not be read."""
        with self._lock:
            if is_failed:
                self.num_unreadable += 1
            else:
                self.num_read += 1

    def begin(self, stage: str) -> None:
        """Count a dialogue that enters a stage."""
        with self._lock:
            self._counts[stage].in_flight += 1

    def end(self, stage: str, *, is_failed: bool) -> None:
        """Count a dialogue that leaves a stage; too many failures stop the run."""
        with self._lock:
            count = self._counts[stage]
            count.in_flight -= 1
            if is_failed:
                count.failed += 1
            else:
                count.done += 1
            first = self._counts[self.stages[0]]
            num_ended = first.done + first.failed
            num_failed = sum(count.failed for count in self._counts.values())
        if num_ended >= MIN_ENDED and num_failed > self.max_failed_ratio * num_ended:
            self.stop(
                "too_many_failed",
                f"{num_failed} of the first {num_ended} dialogues failed, more than "
                f"max_failed_ratio {self.max_failed_ratio} allows",
            )

    def snapshot(self) -> list[StageProgress]:
        """Return the counts of reading and of every stage."""
        asked = self.ledger.snapshot()
        with self._lock:
            read = StageProgress("read", self.num_read, self.num_unreadable, 0, None)
            return [read] + [
                StageProgress(
                    stage,
                    count.done,
                    count.failed,
                    count.in_flight,
                    self.num_read,
                    sum_spent(spent for (name, _), spent in asked.items() if name == stage),
                )
                for stage, count in self._counts.items()
            ]

"""What a plan says: dialogues, sound, disk, and what each stage would ask and pay."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ieat.schemas.engine import Usage


@dataclass
class StagePlan:
    """Questions of one stage."""

    num_stored: int = 0
    """Questions whose answers are in the store."""
    num_known: int = 0
    """Questions that are known and not in the store."""
    num_possible: int = 0
    """Most further questions, which depend on answers that are not in the store."""
    tokens_in: int = 0
    """Tokens of the questions to ask."""
    tokens_out: int = 0
    """Tokens of their answers."""
    usd: float | None = None
    """What they cost, US dollars; null without prices."""
    is_bounded: bool = False
    """Whether tokens are an upper bound: of questions or of answers nothing like it is known."""

    def add(self, usage: Usage, usd: float | None) -> None:
        """Add what questions use and cost."""
        self.tokens_in += usage.prompt_tokens or 0
        self.tokens_out += usage.completion_tokens or 0
        if usd is not None:
            self.usd = (self.usd or 0.0) + usd


@dataclass
class Plan:
    """What a build would do."""

    num_dialogues: int = 0
    num_turns: int = 0
    num_targets: int = 0
    num_questions: int = 0
    """Lines of the file of spoken questions."""
    hours: float = 0.0
    """Sound of all turns, hours."""
    bytes_needed: int = 0
    """Audio in the tables `stage1` and `stage2`, about."""
    is_disk_bounded: bool = False
    """Whether the audio is an upper bound: which targets become rows is not known of all."""
    broken: dict[str, list[str]] = field(default_factory=dict)
    """Messages of dialogues that cannot be used, by code."""
    stages: dict[str, StagePlan] = field(default_factory=dict)
    """Stages that ask an engine through the store."""
    uncalibrated: set[str] = field(default_factory=set)
    """Engines of whose answers none is stored."""
    max_usd: float | None = None
    """The budget of a run, US dollars."""
    max_tokens: int | None = None
    """The budget of a run, tokens."""

    @property
    def total(self) -> StagePlan:
        """All stages together."""
        total = StagePlan()
        for stage in self.stages.values():
            total.num_stored += stage.num_stored
            total.num_known += stage.num_known
            total.num_possible += stage.num_possible
            total.is_bounded |= stage.is_bounded
            usage = Usage(prompt_tokens=stage.tokens_in, completion_tokens=stage.tokens_out)
            total.add(usage, stage.usd)
        return total

    def describe(self) -> str:
        """Return the plan as text."""
        disk = "at most" if self.is_disk_bounded else "about"
        lines = [
            f"dialogues  {self.num_dialogues}",
            f"turns      {self.num_turns}",
            f"targets    {self.num_targets}",
            f"hours      {self.hours:.2f}",
            f"disk       {disk} {self.bytes_needed / 1e6:.1f} MB of audio",
        ]
        if self.num_questions:
            lines.append(f"questions  {self.num_questions}")
        for code, messages in sorted(self.broken.items()):
            lines.append(f"cannot be used: {len(messages)} ({code}); the first: {messages[0]}")
        if not self.stages:
            return "\n".join([*lines, "", "No engine is asked through the store."])
        return "\n".join([*lines, "", *_stage_lines(self.stages, self.total), *self._notes()])

    def _notes(self) -> list[str]:
        """Return what a person should know of the numbers."""
        total = self.total
        if not total.num_known + total.num_possible:
            return ["Every answer is in the store."]
        notes = []
        if total.is_bounded:
            notes.append("<= is an upper bound; other tokens are reckoned from stored answers.")
        if self.uncalibrated:
            notes.append(
                f"No answer of {', '.join(sorted(self.uncalibrated))} is stored yet: build with "
                "--limit 5 first, and plan again, to learn how long its questions and answers are."
            )
        notes.append("An answer that breaks a check is asked for once more; that comes on top.")
        tokens = total.tokens_in + total.tokens_out
        for name, limit, wanted in (
            ("max_usd", self.max_usd, total.usd),
            ("max_tokens", self.max_tokens, tokens),
        ):
            if limit is None or wanted is None or wanted <= limit:
                continue
            end = (
                "may end a run before that"
                if total.is_bounded
                else f"ends a run after about {limit / wanted:.0%} of that"
            )
            notes.append(f"{name} {limit:g} {end}; the same command goes on.")
        return notes

    def as_json(self) -> dict[str, Any]:
        """Return the plan for programs: the fields of this class, and the total of all stages."""
        return {
            **asdict(self),
            "uncalibrated": sorted(self.uncalibrated),
            "broken": {code: len(messages) for code, messages in sorted(self.broken.items())},
            "total": asdict(self.total),
        }


def _stage_lines(stages: Mapping[str, StagePlan], total: StagePlan) -> list[str]:
    """Lay out what each stage asks; `<=` marks an upper bound."""
    header = ("stored", "to ask", "tokens in", "tokens out", "USD")
    lines = [f"{'stage':<12}" + "".join(f"{name:>14}" for name in header)]
    for name, stage in [*stages.items(), ("total", total)]:
        mark = "<= " if stage.is_bounded else ""
        cells = (
            f"{stage.num_stored:,}",
            ("<= " if stage.num_possible else "") + f"{stage.num_known + stage.num_possible:,}",
            f"{mark}{stage.tokens_in:,}",
            f"{mark}{stage.tokens_out:,}",
            "" if stage.usd is None else f"{mark}{stage.usd:.4f}",
        )
        lines.append(f"{name:<12}" + "".join(f"{cell:>14}" for cell in cells))
    return lines

"""Who speaks how much, under ids that do not name anybody, and how well each is recognized."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ieat.pipeline.output.card.markdown import NOTHING, Cell, clock, share, table
from ieat.pipeline.output.card.size import SOUND
from ieat.pipeline.output.cells import GOLD
from ieat.pipeline.output.word_errors import NORMALIZER, WordErrors, count_errors, total
from ieat.schemas.dialogue import Language

NUM_TOP = 10
"""Speakers that have a line of their own."""

ID_LENGTH = 8
"""Hexadecimal digits of a speaker's id."""


@dataclass
class Speaker:
    """What one speaker says in one language."""

    dialogues: int = 0
    """Dialogues in which they speak."""
    turns: int = 0
    """Their turns."""
    seconds: float = 0.0
    """Sound of their turns, seconds."""
    errors: WordErrors = field(default_factory=WordErrors)
    """Errors of the recognizer against the corpus' own words."""


@dataclass
class Speakers:
    """All speakers."""

    found: dict[tuple[str, str], Speaker] = field(default_factory=dict)
    """By id and language."""

    def add_dialogue(self, row: dict[str, Any]) -> set[str]:
        """Count a row of `dialogues` and return the ids of its speakers."""
        language = row["language"]
        # Words that the corpus gave itself would count as all right.
        is_recognized = row["provenance"]["recognizer_id"] != GOLD
        here: set[str] = set()
        for turn in row["turns"]:
            speaker_id = pseudonym(row["corpus"], turn["speaker"])
            speaker = self.found.setdefault((speaker_id, language), Speaker())
            speaker.dialogues += speaker_id not in here
            here.add(speaker_id)
            speaker.turns += 1
            if turn["audio"] is None:
                continue
            speaker.seconds += turn["audio"]["duration"]
            if is_recognized and turn["source_text"]:
                errors = count_errors(turn["source_text"], turn["clean"], Language(language))
                speaker.errors = speaker.errors.plus(errors)
        return here


def pseudonym(corpus: str, speaker: str) -> str:
    """Return the id under which a card tells of a speaker."""
    return hashlib.sha256(f"{corpus}/{speaker}".encode()).hexdigest()[:ID_LENGTH]


def speaker_lines(speakers: Speakers) -> Iterator[str]:
    """Yield the speakers with most sound, or most turns where there is none."""
    if not speakers.found:
        yield "Nobody speaks."
        return
    ranked = sorted(
        speakers.found.items(),
        key=lambda item: (-item[1].seconds, -item[1].turns, item[0]),
    )
    num_turns = sum(speaker.turns for _, speaker in ranked)
    yield (
        f"An id is the start of the SHA-256 of `corpus/speaker`, {ID_LENGTH} hexadecimal digits. "
        "A name that a corpus uses in several dialogues counts as one speaker."
    )
    yield ""
    rows: list[tuple[Cell, ...]] = [
        (f"`{speaker_id}`", language, speaker.dialogues, *_cells(speaker, num_turns))
        for (speaker_id, language), speaker in ranked[:NUM_TOP]
    ]
    others = [speaker for _, speaker in ranked[NUM_TOP:]]
    if others:
        # They meet each other, so a sum of their dialogues would count some twice.
        rows.append((f"{len(others):,} others", NOTHING, None, *_cells(_sum(others), num_turns)))
    yield from table(
        ("speaker", "language", "dialogues", "turns", "share of turns", SOUND, "word errors"),
        rows,
    )


def word_error_lines(speakers: Speakers) -> Iterator[str]:
    """Yield the errors of the recognizer by language."""
    by_language: dict[str, list[WordErrors]] = {}
    for (_, language), speaker in speakers.found.items():
        by_language.setdefault(language, []).append(speaker.errors)
    rows = []
    for language, errors in sorted(by_language.items()):
        found = total(errors)
        if found.rate is not None:
            unit = "characters" if language == Language.ZH.value else "words"
            rates = sorted(one.rate for one in errors if one.rate is not None)
            rows.append(
                (
                    language,
                    unit,
                    f"{found.rate:.1%}",
                    found.num_errors,
                    found.num_words,
                    found.num_turns,
                    f"{rates[0]:.1%} to {rates[-1]:.1%}",
                )
            )
    if not rows:
        yield "Nothing to compare: no turn has both words of the corpus and of a recognizer."
        return
    yield from table(
        ("language", "unit", "error rate", "errors", "units", "turns", "best to worst speaker"),
        rows,
    )
    yield ""
    yield (
        f"Errors are edits per unit after the normalizer `{NORMALIZER}`; rates per speaker stand "
        "under Speakers."
    )


def _sum(speakers: list[Speaker]) -> Speaker:
    return Speaker(
        turns=sum(speaker.turns for speaker in speakers),
        seconds=sum(speaker.seconds for speaker in speakers),
        errors=total(speaker.errors for speaker in speakers),
    )


def _cells(speaker: Speaker, num_turns: int) -> tuple[Cell, ...]:
    rate = speaker.errors.rate
    return (
        speaker.turns,
        share(speaker.turns, num_turns),
        clock(speaker.seconds),
        None if rate is None else f"{rate:.1%} of {speaker.errors.num_words:,}",
    )

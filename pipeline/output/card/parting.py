"""How dialogues are split, and whether splits share speakers or scripts."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ieat.pipeline.fingerprints import shingles, words_of
from ieat.pipeline.near_duplicates import MIN_SHINGLES, Text, find_near_duplicates
from ieat.pipeline.output.card.markdown import table
from ieat.pipeline.output.split_check import Parted, SharedFinder


@dataclass
class Responses:
    """The words of answers, in a build that leaves out near duplicates of dialogues."""

    threshold: float | None = None
    """Similarity from which two are alike; null keeps no words."""
    texts: list[Text] = field(default_factory=list)
    """What is compared."""

    def add_target(self, row: dict[str, Any]) -> None:
        """Take a row of `stage2` into account."""
        if self.threshold is not None:
            words = words_of(row["response"]["text"])
            self.texts.append(Text(row["row_id"], is_kept=False, shingles=shingles(words)))


@dataclass
class Parting:
    """Where dialogues went; grows with speakers and scripts."""

    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Dialogues by the split of their corpus and that of the build."""
    shared: SharedFinder = field(default_factory=SharedFinder)
    """Speakers and scripts, and the splits that they lie in."""

    def add_dialogue(self, row: dict[str, Any]) -> None:
        """Count a row of `dialogues`."""
        self.moves[row["corpus_split"], row["split"]] += 1
        self.shared.add(
            Parted(
                row["dialogue_id"],
                row["split"],
                tuple(row["speaker_ids"]),
                tuple(row["script_ids"]),
            )
        )


def like_lines(responses: Responses) -> Iterator[str]:
    """Yield how many answers are nearly like an earlier one; nothing where none was compared."""
    if responses.threshold is None:
        return
    compared = sum(len(text.shingles) >= MIN_SHINGLES for text in responses.texts)
    found = len(find_near_duplicates(responses.texts, responses.threshold))
    yield ""
    yield (
        f"Of {compared:,} answers that are long enough to compare, {found:,} are nearly like an "
        f"earlier one (similarity {responses.threshold:g}); their rows stay."
    )


def parting_lines(parting: Parting) -> Iterator[str]:
    """Yield dialogues by split, and how many speakers and scripts lie in more than one."""
    if not parting.moves:
        yield "There is nothing to split."
        return
    yield from table(
        ("the corpus' split", "the build's split", "dialogues"),
        [(given, made, count) for (given, made), count in sorted(parting.moves.items())],
    )
    yield ""
    shared = parting.shared.shared()
    yield from table(
        ("what", "known", "in more than one split"),
        [
            ("speakers", shared.num_speakers, len(shared.speakers)),
            ("scripts", shared.num_scripts, len(shared.scripts)),
        ],
    )
    yield ""
    yield (
        "Speakers are known where the corpus' names mean people (`speaker_scope`), scripts where "
        "the corpus names them or gives its own words. `ieat verify` names those that are shared."
    )

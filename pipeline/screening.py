"""What is decided over all dialogues before the first runs: splits, and near duplicates.

It reads what was spilled twice, without Beam: once for what dialogues share, once to write them
anew with their split. Memory holds about 1 kB of each dialogue for splits and 6 kB for near
duplicates (measured), never the dialogues.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ieat.pipeline.config import BuildConfig
from ieat.pipeline.fingerprints import shingles, words_of
from ieat.pipeline.near_duplicates import NearDuplicate, Text, find_near_duplicates
from ieat.pipeline.run_state import RunState
from ieat.pipeline.spill import Spill, parse_spilled, spilled_lines
from ieat.pipeline.split_keys import TRAIN
from ieat.pipeline.splitting import (
    SplitItem,
    assign_splits,
    item_of,
    read_splits,
    with_split,
    write_splits,
)
from ieat.pipeline.stages.read import STAGE
from ieat.pipeline.steps import set_aside
from ieat.schemas.dialogue import Dialogue
from ieat.schemas.records import SetAside

SCREENING = "screening.json"
"""File of a build that names the near duplicates which were left out, and their originals."""


class Screening(NamedTuple):
    """What was decided."""

    splits: dict[str, str]
    """Split of each dialogue; empty where the corpora's stay."""
    near_duplicates: dict[str, NearDuplicate]
    """What is left out, by dialogue."""


class Screened(NamedTuple):
    """What was read, after everything was decided."""

    spill: Spill
    """The dialogues in their splits, and what is set aside."""
    near_duplicates: tuple[NearDuplicate, ...]
    """What is left out, by id."""


def describe_screening(near_duplicates: Iterable[NearDuplicate]) -> dict[str, Any]:
    """Return what `screening.json` holds."""
    return {
        "near_duplicates": [
            {"dialogue_id": one.text_id, "original": one.original, "similarity": one.similarity}
            for one in near_duplicates
        ]
    }


def is_screened(config: BuildConfig) -> bool:
    """Tell whether a build decides something over all its dialogues."""
    return bool(config.splits.shares) or config.near_duplicates is not None


def screen(
    config: BuildConfig, spill: Spill, state: RunState, folder: Path, *, keeps_splits: bool
) -> Screened:
    """Return what was spilled with its splits, near duplicates set aside.

    The splits are remembered, but not those of a build that reads only some dialogues, or that
    asks nobody: what it takes for apart may belong together.

    Args:
        config: The configuration.
        spill: What was read.
        state: Takes notes for a person.
        folder: An empty local folder for the new files.
        keeps_splits: Whether new splits are remembered.

    Raises:
        ConfigError: Groups of two splits grow together, or the remembered splits cannot be read
            or written.
    """
    screening = decide(config, _dialogues(spill, config.shards), state, keeps_splits=keeps_splits)
    screened = Spill(folder)
    for shard in range(config.shards):
        for line in spilled_lines(spill.files((shard,))):
            read = parse_spilled(line)
            if isinstance(read, Dialogue):
                read = settle(read, screening, config.user_speaker)
            screened.add(shard, read)
        spill.remove(shard)
    screened.flush()
    return Screened(screened, tuple(screening.near_duplicates.values()))


def decide(
    config: BuildConfig, dialogues: Iterable[Dialogue], state: RunState, *, keeps_splits: bool
) -> Screening:
    """Look over all dialogues once and decide.

    Raises:
        ConfigError: As `screen` does.
    """
    items: list[SplitItem] = []
    texts: list[Text] = []
    counts: Counter[str] = Counter()
    num_wordless = 0
    for dialogue in dialogues:
        counts[dialogue.dialogue_id] += 1
        if config.splits.shares:
            items.append(item_of(dialogue, config.splits.by))
        if config.near_duplicates is not None:
            text = text_of(dialogue)
            num_wordless += not len(text.shingles)
            texts.append(text)
    # All holders of one id fail later: none of them says where another dialogue goes.
    items = [item for item in items if counts[item.dialogue_id] == 1]
    texts = [text for text in texts if counts[text.text_id] == 1]
    if num_wordless:
        state.warn(
            f"near_duplicates compares the corpora's own words, and {num_wordless} dialogues have "
            "none: they are not compared"
        )
    found = find_near_duplicates(texts, config.near_duplicates) if config.near_duplicates else []
    return Screening(
        _assign(config, items, state, keeps_splits) if config.splits.shares else {},
        {one.text_id: one for one in found},
    )


def text_of(dialogue: Dialogue) -> Text:
    """Return a dialogue's words, as the corpus gives them, in the form that is compared."""
    words = tuple(word for turn in dialogue.turns for word in words_of(turn.text or ""))
    return Text(dialogue.dialogue_id, dialogue.split != TRAIN, shingles(words))


def settle(dialogue: Dialogue, screening: Screening, user_speaker: str) -> Dialogue | SetAside:
    """Return a dialogue in its split, or why it is left out."""
    found = screening.near_duplicates.get(dialogue.dialogue_id)
    if found is not None:
        message = f"its words are nearly those of {found.original} ({found.similarity:.2f})"
        return set_aside(dialogue, "filtered", STAGE, "near_duplicate", message, user_speaker)
    split = screening.splits.get(dialogue.dialogue_id)
    return dialogue if split is None else with_split(dialogue, split)


def _assign(
    config: BuildConfig, items: list[SplitItem], state: RunState, keeps_splits: bool
) -> dict[str, str]:
    file = config.splits_file
    known = read_splits(file, config.splits.by)
    assignment = assign_splits(items, known, config.splits.shares)
    for note in assignment.notes:
        state.warn(note)
    if assignment.known != known and keeps_splits and not config.replay:
        if config.limit is None:
            write_splits(file, assignment.known)
        else:
            state.warn(f"with a limit, {file} is not written: other dialogues may join the groups")
    return assignment.splits


def _dialogues(spill: Spill, num_shards: int) -> Iterator[Dialogue]:
    for line in spilled_lines(spill.files(tuple(range(num_shards)))):
        read = parse_spilled(line)
        if isinstance(read, Dialogue):
            yield read

"""Write a whole finished build without Beam, for tests of what reads one."""

from collections.abc import Sequence
from pathlib import Path

from ieat.pipeline.output.books import (
    Entry,
    entries_of_composed,
    entries_of_letter,
    entries_of_set_aside,
    entry_of_unit,
)
from ieat.pipeline.output.build_files import open_build, write_resources
from ieat.pipeline.output.card import write_card
from ieat.pipeline.output.clips import ReadClip, read_clip
from ieat.pipeline.output.closing import write_manifest
from ieat.pipeline.output.dead_letters import letter_of_dialogue, letters_of_parts
from ieat.pipeline.output.shards import ShardName, write_shard
from ieat.pipeline.output.sink import SinkSettings, rows_of
from ieat.pipeline.output.stage2_rows import RowSettings
from ieat.schemas.build import (
    DataResource,
    LibraryResource,
    ModelResource,
    PromptResource,
    Resources,
    ShardFile,
)
from ieat.schemas.records import DistilledDialogue, SetAside, SourceUnit
from ieat.schemas.rows import CORE_TABLES
from tests.builders import composed, tone

ROWS = RowSettings(max_context_turns=20, max_context_seconds=120.0, stage2_audio="embed")
IDENTITY = {
    "engines": {"recognizer": "gold", "labeler": "openai:m", "attributor": "openai:m"},
    "prompts": {"attribution@1.en": "a" * 64},
}
RESOURCES = Resources(
    models=(
        ModelResource(
            role="labeler",
            model_id="openai:m",
            license="apache-2.0",
            source=None,
            host="gpu",
            is_commercial=False,
            is_open=True,
        ),
        ModelResource(
            role="attributor",
            model_id="openai:m",
            license="apache-2.0",
            source=None,
            host="gpu",
            is_commercial=False,
            is_open=True,
        ),
    ),
    data=(DataResource(corpus="corpus", path="talks.jsonl", licenses=()),),
    prompts=(PromptResource(prompt_id="attribution@1.en", sha256="a" * 64),),
    libraries=(LibraryResource(name="rich", license="MIT"),),
    commercial_api=False,
)


def sounding(folder: Path, name: str = "d1", **changes: object) -> DistilledDialogue:
    """Return a dialogue of five turns whose sound lies in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    spans = {
        turn: tone(folder / f"{name}-{turn}.wav", pitch=200.0 + 50 * turn, seconds=0.3)
        for turn in range(5)
    }
    return composed(name=name, spans=spans, **changes)  # type: ignore[arg-type]


def write_build(
    out: Path | str,
    dialogues: Sequence[DistilledDialogue],
    set_aside: Sequence[SetAside] = (),
    *,
    read: ReadClip = read_clip,
    rows: RowSettings = ROWS,
) -> None:
    """Write one shard per table and split, the manifest and the card."""
    folder = open_build(str(out), IDENTITY)
    texts: dict[tuple[str, str], list[tuple[str, str]]] = {
        (table, found.dialogue.split): [] for found in dialogues for table in CORE_TABLES
    }
    texts["_dead_letters", "all"] = []
    entries: list[Entry] = []
    letters = [letter for found in set_aside if (letter := letter_of_dialogue(found))]
    given = SourceUnit(input_index=0, source="s", uri="s")
    entries += [entry_of_unit(given)] * (len(dialogues) + len(set_aside))
    for found in dialogues:
        for table, row in rows_of(found, rows):
            texts[table, found.dialogue.split].append((row.row_id, row.model_dump_json()))
        entries += entries_of_composed(found)
        letters += letters_of_parts(found)
    for aside in set_aside:
        entries += entries_of_set_aside(aside)
    for letter in letters:
        entries += entries_of_letter(letter)
        texts["_dead_letters", "all"].append((letter.row_id, letter.model_dump_json()))
    files: list[ShardFile] = []
    for (table, split), held in sorted(texts.items()):
        is_embedded = table == "stage1" or (table, rows.stage2_audio) == ("stage2", "embed")
        written = write_shard(
            folder,
            ShardName(table, split, 0, 1),
            [text for _, text in sorted(held)],
            read if is_embedded else None,
        )
        files.append(written.file)
    write_manifest(SinkSettings(out=str(out), num_shards=1, rows=rows), files, entries)
    write_resources(folder, RESOURCES)
    write_card(folder)

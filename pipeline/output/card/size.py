"""How large a build is: dialogues, turns, hours and speakers by split and language."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ieat.pipeline.output.card.markdown import Cell, clock, counted, table
from ieat.schemas.build import DataResource, Manifest

NOT_DECLARED = "not declared"
"""Stands where nobody says whether people speak."""

SOUND = "sound, h:mm:ss"
"""Head of a column of times."""


@dataclass
class Size:
    """Counts of one split and language."""

    dialogues: int = 0
    """Dialogues."""
    turns: int = 0
    """Turns, those without words too."""
    sounding: int = 0
    """Turns with sound."""
    seconds: float = 0.0
    """Sound of the turns, seconds."""
    speakers: set[str] = field(default_factory=set)
    """Ids of the speakers."""


@dataclass
class Sizes:
    """Counts of all dialogues."""

    parts: dict[tuple[str, str], Size] = field(default_factory=dict)
    """By split and language."""
    corpora: dict[str, Size] = field(default_factory=dict)
    """By corpus."""
    licenses: dict[str, Counter[str]] = field(default_factory=dict)
    """Dialogues by license, by corpus; an empty license where the corpus states none."""

    @property
    def languages(self) -> Counter[str]:
        """Dialogues by language."""
        found: Counter[str] = Counter()
        for (_, language), size in self.parts.items():
            found[language] += size.dialogues
        return found

    def add_dialogue(self, split: str, row: dict[str, Any], speakers: set[str]) -> None:
        """Count a row of `dialogues`, with the ids of its speakers."""
        corpus = row["corpus"]
        self.licenses.setdefault(corpus, Counter())[row["license"] or ""] += 1
        sounds = [turn["audio"]["duration"] for turn in row["turns"] if turn["audio"]]
        for size in (
            self.parts.setdefault((split, row["language"]), Size()),
            self.corpora.setdefault(corpus, Size()),
        ):
            size.dialogues += 1
            size.turns += len(row["turns"])
            size.sounding += len(sounds)
            size.seconds += sum(sounds)
            size.speakers |= speakers


def size_lines(sizes: Sizes) -> Iterator[str]:
    """Yield what there is by split and language."""
    rows: list[tuple[str, str, Size]] = [
        (split, language, size) for (split, language), size in sorted(sizes.parts.items())
    ]
    if not rows:
        yield "No dialogue was written."
        return
    if len(rows) > 1:
        rows.append(("all", counted_names(sizes), _sum([size for _, _, size in rows])))
    yield from table(
        ("split", "language", "dialogues", "turns", "with sound", SOUND, "speakers"),
        [(split, language, *_cells(size)) for split, language, size in rows],
    )


def corpus_lines(sizes: Sizes, data: Sequence[DataResource]) -> Iterator[str]:
    """Yield the corpora with their licenses, those without dialogues too.

    Args:
        sizes: Counts of all dialogues.
        data: What was read.
    """
    made_by = {found.corpus: _synthesizer(found) for found in data}
    rows: list[tuple[Cell, ...]] = [
        (
            corpus,
            counted(
                Counter({name or "none stated": n for name, n in sizes.licenses[corpus].items()})
            ),
            size.dialogues,
            clock(size.seconds),
            made_by.get(corpus, NOT_DECLARED),
        )
        for corpus, size in sorted(sizes.corpora.items())
    ]
    rows += [
        (
            found.corpus,
            ", ".join(found.licenses) or "none stated",
            0,
            None,
            made_by[found.corpus],
        )
        for found in data
        if found.corpus not in sizes.corpora
    ]
    if rows:
        yield from table(
            ("corpus", "license as it is stated", "dialogues", SOUND, "speech made by"), rows
        )
    else:
        yield "No corpus was read."


def row_lines(manifest: Manifest, tables: tuple[str, ...]) -> Iterator[str]:
    """Yield the rows of each table by split."""
    splits = sorted({split for name in tables for split in manifest.splits(name)})
    if not splits:
        yield "No row was written."
        return
    yield from table(
        ("table", *splits, "rows"),
        [
            (
                f"`{name}`",
                *(manifest.num_rows(name, split) for split in splits),
                manifest.num_rows(name),
            )
            for name in tables
            if manifest.splits(name)
        ],
    )


def counted_names(sizes: Sizes) -> str:
    """Return the languages."""
    return ", ".join(sorted(sizes.languages))


def _sum(found: list[Size]) -> Size:
    return Size(
        dialogues=sum(size.dialogues for size in found),
        turns=sum(size.turns for size in found),
        sounding=sum(size.sounding for size in found),
        seconds=sum(size.seconds for size in found),
        speakers=set().union(*(size.speakers for size in found)),
    )


def _cells(size: Size) -> tuple[Cell, ...]:
    return (
        size.dialogues,
        size.turns,
        size.sounding,
        clock(size.seconds),
        len(size.speakers),
    )


def _synthesizer(data: DataResource) -> str:
    if data.synthesizer is None:
        return NOT_DECLARED
    is_open = {True: "open", False: "closed", None: "not known whether open"}
    return f"{data.synthesizer} ({is_open[data.synthesizer_is_open]})"

"""Render a build: every fit row a line, every clip a file, and what it all came from."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

import pyarrow as pa

from ieat.pipeline.failures import ConfigError, RecordError
from ieat.pipeline.output.clips import KeptClips, ReadClip, read_clip
from ieat.pipeline.output.files import BuildFolder
from ieat.pipeline.output.reading import read_samples, splits_of
from ieat.pipeline.output.stage1_reading import PART_OF_TASK
from ieat.pipeline.render import humdial, stage2
from ieat.pipeline.render.clip_files import ClipFiles, clip_path
from ieat.pipeline.render.exchange import Candidate, Exchange
from ieat.pipeline.render.folder import REPORT, new_folder
from ieat.pipeline.render.format import Format
from ieat.pipeline.render.hf import HuggingFace
from ieat.pipeline.render.llamafactory import LlamaFactory
from ieat.pipeline.render.modes import Modes, parse_modes
from ieat.pipeline.render.osum import Osum
from ieat.pipeline.render.report import ModeCounts, Rendering, SplitCounts, TagsUsed
from ieat.pipeline.render.stage1 import candidate_of_question, candidates_of_turns
from ieat.pipeline.render.swift import Swift
from ieat.pipeline.render.tags import Tags, parse_tags
from ieat.schemas.aqa_rows import AqaRow
from ieat.schemas.arrow import from_record
from ieat.schemas.base import SCHEMA_VERSION, Value
from ieat.schemas.humdial_rows import (
    HumdialRow,
    HumdialT1Row,
    HumdialT2Row,
    HumdialT3Row,
    HumdialT4Row,
)
from ieat.schemas.rows import Stage1Row, Stage2Row

RowType = TypeVar("RowType", bound=Value)

RenderedTable = Literal[
    "stage2", "stage1", "aqa", "humdial_t1", "humdial_t2", "humdial_t3", "humdial_t4"
]
"""Tables that can be rendered."""

WITH_THINKING: dict[RenderedTable, type[stage2.ThinkingRow]] = {
    "stage2": Stage2Row,
    "humdial_t3": HumdialT3Row,
}
"""Rows that think before they answer, by table."""

WITHOUT_THINKING: dict[RenderedTable, type[HumdialRow]] = {
    "humdial_t1": HumdialT1Row,
    "humdial_t2": HumdialT2Row,
    "humdial_t4": HumdialT4Row,
}
"""Rows of HumDial's tasks that answer at once, by table."""

TASKS: dict[RenderedTable, tuple[str, ...]] = {
    "stage2": (stage2.TASK,),
    "stage1": tuple(PART_OF_TASK),
    "aqa": ("aqa",),
    **{table: (table.removeprefix("humdial_"),) for table in (*WITHOUT_THINKING, "humdial_t3")},
}
"""Tasks of each table."""

FORMATS: dict[str, Format] = {
    written.name: written for written in (Swift(), LlamaFactory(), Osum(), HuggingFace())
}
"""Formats by their name."""

LINE_ENDS = ("\x85", "\u2028", "\u2029")
"""Signs that JSON leaves as they are, and at which `str.splitlines` ends a line."""


@dataclass(frozen=True)
class RenderSettings:
    """How a build is rendered."""

    format: str
    """Name of the format."""
    mode: str | None = None
    """Think mode, or a mix; null for `explicit`, and for tables without thinking."""
    thinking_tags: str | None = None
    """Tags around the thinking; null takes those of the format."""
    table: str = "stage2"
    """Table that is rendered."""
    tasks: tuple[str, ...] = ()
    """Tasks of the table that are rendered; none for all."""
    all_rows: bool = False
    """Whether rows that are not fit to train on are lines too."""
    audio_root: str = ""
    """What stands before the path of every clip; empty for paths relative to the output."""
    overwrite: bool = False
    """Whether an earlier rendering in the output is replaced."""


class _Thinking(NamedTuple):
    """How the thinking of a table is rendered."""

    modes: Modes
    tags: Tags


def render(
    out: str, output: str, settings: RenderSettings, read: ReadClip = read_clip
) -> Rendering:
    """Render a finished build into a folder, which is whole or not there.

    Args:
        out: Folder or fsspec URL of the build.
        output: Folder to write, local.
        settings: How.
        read: Cuts clips again where rows hold none.

    Returns:
        What render.json holds.

    Raises:
        ConfigError: A setting is unknown, the format cannot express the mode, the build is not
            finished or of another version, the folder is not free, or no row can be rendered.
    """
    written_as, table = _chosen(settings)
    thinking = _thinking(settings, written_as, table)
    manifest = _manifest_sha256(out)
    splits = splits_of(out, table)
    with new_folder(output, overwrite=settings.overwrite) as folder:
        clips = ClipFiles(folder, KeptClips(read))
        renderer = _Renderer(written_as, table, thinking, settings, clips)
        counted = {split: renderer.write_split(out, split, folder) for split in splits}
        _refuse_nothing(out, counted)
        for name, value in written_as.extra_files(
            {split: counts.file for split, counts in counted.items() if counts.file}
        ).items():
            _write_json(folder / name, value)
        rendering = Rendering(
            format=settings.format,
            table=table,
            mode=thinking.modes.text if thinking else None,
            thinking_tags=TagsUsed(**thinking.tags._asdict()) if thinking else None,
            all_rows=settings.all_rows,
            audio_root=settings.audio_root,
            manifest_sha256=manifest,
            schema_version=SCHEMA_VERSION,
            clips=len(clips),
            long_clips=clips.num_long,
            splits=counted,
            notes=written_as.notes(thinking.modes.shares if thinking else {}),
        )
        _write_json(folder / REPORT, rendering.model_dump(mode="json"))
    return rendering


def _chosen(settings: RenderSettings) -> tuple[Format, RenderedTable]:
    if settings.format not in FORMATS:
        raise ConfigError(f"there is no format {settings.format!r}; use {', '.join(FORMATS)}")
    table = next((name for name in TASKS if name == settings.table), None)
    if table is None:
        raise ConfigError(f"there is no table {settings.table!r} to render; use {', '.join(TASKS)}")
    unknown = sorted(set(settings.tasks) - set(TASKS[table]))
    if unknown:
        raise ConfigError(f"--task {unknown[0]}: {table} has the tasks {', '.join(TASKS[table])}")
    return FORMATS[settings.format], table


def _thinking(
    settings: RenderSettings, written_as: Format, table: RenderedTable
) -> _Thinking | None:
    """Return how thinking is rendered; null for tables that have none."""
    if table not in WITH_THINKING:
        if settings.mode or settings.thinking_tags:
            raise ConfigError(
                f"--table {table} has no thinking; leave --mode and --thinking-tags out"
            )
        return None
    modes = parse_modes(settings.mode or "explicit")
    tags = parse_tags(settings.thinking_tags or written_as.default_tags)
    written_as.refuse(modes, tags)
    return _Thinking(modes, tags)


@dataclass
class _Counts:
    """What became of the rows of a split."""

    read: int = 0
    written: int = 0
    drawn: Counter[str] = field(default_factory=Counter)
    modes: Counter[str] = field(default_factory=Counter)
    tasks: Counter[str] = field(default_factory=Counter)
    skipped_for: Counter[str] = field(default_factory=Counter)
    changed_for: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class _Renderer:
    """Writes the splits of a table in one format."""

    format: Format
    table: RenderedTable
    thinking: _Thinking | None
    settings: RenderSettings
    clips: ClipFiles

    def write_split(self, out: str, split: str, folder: Path) -> SplitCounts:
        """Write the lines of a split in the order of the build."""
        counts = _Counts()
        digest = hashlib.sha256()
        file = folder / f"{split}.jsonl"
        with file.open("wb") as stream:
            for candidate in self._candidates(out, split):
                if self.settings.tasks and candidate.task not in self.settings.tasks:
                    continue
                counts.read += 1
                if candidate.wanted is not None:
                    counts.drawn[candidate.wanted] += 1
                if candidate.reasons:
                    counts.skipped_for.update(candidate.reasons)
                    continue
                try:
                    line = self._line(candidate.make(), counts)
                except RecordError as problem:
                    counts.skipped_for[problem.code] += 1
                    continue
                counts.written += 1
                digest.update(line)
                stream.write(line)
        if not counts.written:
            # Loaders fail at a file without lines.
            file.unlink()
            return self._counted(counts, None, None)
        return self._counted(counts, file.name, digest.hexdigest())

    def _candidates(self, out: str, split: str) -> Iterator[Candidate]:
        all_rows = self.settings.all_rows
        if self.table == "stage1":
            yield from candidates_of_turns(
                _rows(Stage1Row, out, split, self.table), all_rows=all_rows
            )
        elif self.table == "aqa":
            for question in _rows(AqaRow, out, split, self.table):
                yield candidate_of_question(question, all_rows=all_rows)
        elif self.thinking is not None:
            (task,) = TASKS[self.table]
            for row in _rows(WITH_THINKING[self.table], out, split, self.table):
                yield stage2.candidate_of(
                    row, task, self.thinking.modes, self.thinking.tags, all_rows=all_rows
                )
        else:
            (task,) = TASKS[self.table]
            for asked in _rows(WITHOUT_THINKING[self.table], out, split, self.table):
                yield humdial.candidate_of(asked, task, all_rows=all_rows)

    def _line(self, exchange: Exchange, counts: _Counts) -> bytes:
        """Return the line of an exchange, its clips written.

        Raises:
            RecordError: The format has no place for it, or a clip cannot be cut again.
        """
        at = {clip_path(clip.span): clip for clip in exchange.clips}
        root = self.settings.audio_root
        named = {f"{root.rstrip('/')}/{path}" if root else path: path for path in at}
        by_place = {path: name for name, path in named.items()}
        line = self.format.line(
            exchange, tuple(by_place[clip_path(clip.span)] for clip in exchange.clips)
        )
        self.clips.write(tuple(at[named[name]] for name in line.paths))
        counts.tasks[exchange.task] += 1
        if exchange.mode is not None:
            counts.modes[exchange.mode] += 1
        counts.changed_for.update((*exchange.changes, *line.changes))
        return _json_line(line.value)

    def _counted(self, counts: _Counts, file: str | None, sha256: str | None) -> SplitCounts:
        return SplitCounts(
            file=file,
            sha256=sha256,
            read=counts.read,
            written=counts.written,
            skipped=counts.read - counts.written,
            skipped_for=dict(sorted(counts.skipped_for.items())),
            modes={
                mode: ModeCounts(share=share, drawn=counts.drawn[mode], written=counts.modes[mode])
                for mode, share in (self.thinking.modes.shares if self.thinking else {}).items()
            },
            tasks=dict(sorted(counts.tasks.items())),
            changed_for=dict(sorted(counts.changed_for.items())),
        )


def _rows(row_type: type[RowType], out: str, split: str, table: RenderedTable) -> Iterator[RowType]:
    try:
        for record in read_samples(out, split=split, trainable_only=False, table=table):
            yield _checked(row_type, record)
    except (pa.ArrowException, OSError) as error:
        raise ConfigError(
            f"{out}: a table cannot be read ({error}); look at it: ieat verify {out}"
        ) from error


def _json_line(value: dict[str, Any]) -> bytes:
    """Return JSON on one line, also for readers that take every kind of line end for one."""
    text = json.dumps(value, ensure_ascii=False)
    for sign in LINE_ENDS:
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return f"{text}\n".encode()


def _checked(row_type: type[RowType], record: dict[str, Any]) -> RowType:
    try:
        return from_record(row_type, record)
    except ValueError as error:
        raise ConfigError(
            f"{record.get('row_id', 'a row')} is not in the layout that this version reads; "
            "render it with the version that built it"
        ) from error


def _manifest_sha256(out: str) -> str:
    folder = BuildFolder(out)
    if not folder.exists("manifest.json"):
        raise ConfigError(
            f"{out} holds no manifest.json: it is no build, or the build is not finished"
        )
    return folder.sha256("manifest.json")


def _refuse_nothing(out: str, counted: dict[str, SplitCounts]) -> None:
    if any(counts.written for counts in counted.values()):
        return
    reasons: Counter[str] = Counter()
    for counts in counted.values():
        reasons.update(counts.skipped_for)
    told = ", ".join(f"{code} {count}" for code, count in sorted(reasons.items()))
    raise ConfigError(
        f"no row of {out} can be rendered so ({told or 'there are none'}); docs/codes.md explains "
        "the reasons, and --all takes rows that are not fit to train on too"
    )


def _write_json(file: Path, value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)
    file.write_text(f"{text}\n", encoding="utf-8")

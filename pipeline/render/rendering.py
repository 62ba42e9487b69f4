"""Render a build: every fit row a line, every clip a file, and what it all came from."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from ieat.pipeline.failures import ConfigError, RecordError
from ieat.pipeline.output.clips import KeptClips, ReadClip, read_clip
from ieat.pipeline.output.files import BuildFolder
from ieat.pipeline.output.reading import read_samples, splits_of
from ieat.pipeline.render.clip_files import ClipFiles, clip_path
from ieat.pipeline.render.exchange import Exchange
from ieat.pipeline.render.folder import REPORT, new_folder
from ieat.pipeline.render.format import Format
from ieat.pipeline.render.hf import HuggingFace
from ieat.pipeline.render.llamafactory import LlamaFactory
from ieat.pipeline.render.modes import Modes, draw_mode, parse_modes
from ieat.pipeline.render.osum import Osum
from ieat.pipeline.render.report import ModeCounts, Rendering, SplitCounts, TagsUsed
from ieat.pipeline.render.stage2 import exchange_of, fit_modes, reasons_against
from ieat.pipeline.render.swift import Swift
from ieat.pipeline.render.tags import Tags, parse_tags
from ieat.schemas.arrow import from_record
from ieat.schemas.base import SCHEMA_VERSION
from ieat.schemas.rows import Stage2Row

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
    mode: str = "explicit"
    """Think mode, or a mix."""
    thinking_tags: str | None = None
    """Tags around the thinking; null takes those of the format."""
    all_rows: bool = False
    """Whether rows that are not fit to train on are lines too."""
    audio_root: str = ""
    """What stands before the path of every clip; empty for paths relative to the output."""
    overwrite: bool = False
    """Whether an earlier rendering in the output is replaced."""


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
    if settings.format not in FORMATS:
        raise ConfigError(f"there is no format {settings.format!r}; use {', '.join(FORMATS)}")
    written_as = FORMATS[settings.format]
    modes = parse_modes(settings.mode)
    tags = parse_tags(settings.thinking_tags or written_as.default_tags)
    written_as.refuse(modes, tags)
    manifest = _manifest_sha256(out)
    splits = splits_of(out, "stage2")
    with new_folder(output, overwrite=settings.overwrite) as folder:
        clips = ClipFiles(folder, KeptClips(read))
        renderer = _Renderer(written_as, modes, tags, settings, clips)
        counted = {split: renderer.write_split(out, split, folder) for split in splits}
        _refuse_nothing(out, counted)
        for name, value in written_as.extra_files(
            {split: counts.file for split, counts in counted.items()}
        ).items():
            _write_json(folder / name, value)
        rendering = Rendering(
            format=settings.format,
            table="stage2",
            mode=modes.text,
            thinking_tags=TagsUsed(
                profile=tags.profile, opening=tags.opening, closing=tags.closing
            ),
            all_rows=settings.all_rows,
            audio_root=settings.audio_root,
            manifest_sha256=manifest,
            schema_version=SCHEMA_VERSION,
            clips=len(clips),
            long_clips=clips.num_long,
            splits=counted,
            notes=written_as.notes(modes),
        )
        _write_json(folder / REPORT, rendering.model_dump(mode="json"))
    return rendering


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
    """Writes the splits of a build in one format."""

    format: Format
    modes: Modes
    tags: Tags
    settings: RenderSettings
    clips: ClipFiles

    def write_split(self, out: str, split: str, folder: Path) -> SplitCounts:
        """Write the lines of a split in the order of the build."""
        counts = _Counts()
        digest = hashlib.sha256()
        file = folder / f"{split}.jsonl"
        with file.open("wb") as stream:
            for record in _records(out, split):
                counts.read += 1
                try:
                    line = self._line(_checked(record), counts)
                except RecordError as problem:
                    counts.skipped_for[problem.code] += 1
                    continue
                if line is not None:
                    counts.written += 1
                    digest.update(line)
                    stream.write(line)
        return self._counted(counts, file.name, digest.hexdigest())

    def _line(self, row: Stage2Row, counts: _Counts) -> bytes | None:
        """Return the line of a row; null when it is not fit, which is counted.

        Raises:
            RecordError: The row cannot be rendered.
        """
        fit = tuple(self.modes.shares) if self.settings.all_rows else fit_modes(row)
        wanted, mode = draw_mode(row.row_id, self.modes, fit)
        counts.drawn[wanted] += 1
        if mode is None:
            counts.skipped_for.update(reasons_against(row, wanted))
            return None
        exchange = exchange_of(row, mode, self.tags)
        line = self._write(exchange, counts)
        counts.modes[mode] += 1
        return line

    def _write(self, exchange: Exchange, counts: _Counts) -> bytes:
        at = {clip_path(clip.span): clip for clip in exchange.clips}
        root = self.settings.audio_root
        named = {f"{root.rstrip('/')}/{path}" if root else path: path for path in at}
        by_place = {path: name for name, path in named.items()}
        line = self.format.line(
            exchange, tuple(by_place[clip_path(clip.span)] for clip in exchange.clips)
        )
        self.clips.write(tuple(at[named[name]] for name in line.paths))
        counts.tasks[exchange.task] += 1
        counts.changed_for.update((*exchange.changes, *line.changes))
        return _json_line(line.value)

    def _counted(self, counts: _Counts, file: str, sha256: str) -> SplitCounts:
        return SplitCounts(
            file=file,
            sha256=sha256,
            read=counts.read,
            written=counts.written,
            skipped=counts.read - counts.written,
            skipped_for=dict(sorted(counts.skipped_for.items())),
            modes={
                mode: ModeCounts(share=share, drawn=counts.drawn[mode], written=counts.modes[mode])
                for mode, share in self.modes.shares.items()
            },
            tasks=dict(sorted(counts.tasks.items())),
            changed_for=dict(sorted(counts.changed_for.items())),
        )


def _records(out: str, split: str) -> Iterator[dict[str, Any]]:
    try:
        yield from read_samples(out, split=split, trainable_only=False)
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


def _checked(record: dict[str, Any]) -> Stage2Row:
    try:
        return from_record(Stage2Row, record)
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

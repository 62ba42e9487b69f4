"""What a rendering came from and what is in it: render.json, and the words for a person."""

from ieat.schemas.base import Index, Share, Value


class TagsUsed(Value):
    """The tags around the thinking."""

    profile: str
    """The name they were given by."""
    opening: str
    """What stands before the thinking."""
    closing: str
    """What stands between the thinking and the response."""


class ModeCounts(Value):
    """How many rows a think mode has."""

    share: Share
    """The share that was asked for."""
    drawn: Index
    """Rows for which the shares drew it."""
    written: Index
    """Lines in it; more or fewer than drawn where rows were not fit for what was drawn."""


class SplitCounts(Value):
    """The rows of one split: `read = written + skipped`."""

    file: str
    """The JSONL file."""
    sha256: str
    """SHA-256 of the file."""
    read: Index
    """Rows of the table; for stage 1, rows times tasks."""
    written: Index
    """Lines of the file."""
    skipped: Index
    """Rows that are no line."""
    skipped_for: dict[str, Index]
    """Rows by each reason (docs/codes.md); a row may have several."""
    modes: dict[str, ModeCounts]
    """Lines by think mode; empty for stage 1."""
    tasks: dict[str, Index]
    """Lines by task."""
    changed_for: dict[str, Index]
    """Lines that differ from their row, by what differs (docs/codes.md)."""


class Rendering(Value):
    """What a rendering came from and what is in it."""

    format: str
    """The code base that it is for."""
    table: str
    """The table that it was made from."""
    mode: str
    """Think mode, or the mix as it was asked for; empty for stage 1."""
    thinking_tags: TagsUsed | None
    """The tags around the thinking; null for stage 1."""
    all_rows: bool
    """Whether rows that are not fit to train on are lines too."""
    audio_root: str
    """What stands before the path of every clip."""
    manifest_sha256: str
    """SHA-256 of the build's manifest.json, which holds the hash of every table."""
    schema_version: Index
    """Version of the build's row layout."""
    clips: Index
    """Files of clips."""
    long_clips: Index
    """Those longer than 30 s: encoders of Whisper's kind hear no more of a clip."""
    splits: dict[str, SplitCounts]
    """What is in each split."""
    notes: tuple[str, ...]
    """What must be set in the code base."""

    def describe(self, output: str) -> str:
        """Say it to a person."""
        lines = []
        for split, counts in self.splits.items():
            told = f"{split}: {counts.written} of {counts.read} rows in {output}/{counts.file}"
            for word, found in (("skipped", counts.skipped_for), ("changed", counts.changed_for)):
                if found:
                    reasons = ", ".join(f"{code} {count}" for code, count in found.items())
                    told += f"; {word}: {reasons}"
            lines.append(told)
            if len(counts.modes) > 1:
                lines.append(
                    "  "
                    + ", ".join(
                        f"{mode} {of.written} (drawn {of.drawn})"
                        for mode, of in counts.modes.items()
                    )
                )
        lines.append(f"{self.clips} clips; what it came from: {output}/render.json")
        if self.long_clips:
            lines.append(
                f"note: {self.long_clips} clips are longer than 30 s; many encoders hear no more"
            )
        lines += [f"note: {note}" for note in self.notes]
        return "\n".join(lines)

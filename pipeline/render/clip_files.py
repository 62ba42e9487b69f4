"""The clips of a rendering as files, each written once however many rows hear it."""

import hashlib
import json
from pathlib import Path

from ieat.pipeline.output.clips import ReadClip
from ieat.pipeline.render.exchange import Clip
from ieat.schemas.cells import SpanCell

FOLDER = "audio"
"""Folder of the clips within a rendering."""

WINDOW = 30.0
"""Seconds that encoders of Whisper's kind hear of a clip; what comes after is lost to them."""


def clip_path(span: SpanCell) -> str:
    """Return the path of a clip within a rendering, `audio/ab/ab….flac`.

    The name is the SHA-256 of what the clip is: the bytes of its source, the channel, and the
    samples. So a turn has one file in all rows that hear it, and no id of a corpus is a path.
    """
    is_of = [
        span.source_sha256, span.channel, span.source_rate, span.start_sample, span.end_sample
    ]  # fmt: skip
    name = hashlib.sha256(json.dumps(is_of).encode()).hexdigest()
    return f"{FOLDER}/{name[:2]}/{name}.flac"


class ClipFiles:
    """Writes clips below a folder.

    Args:
        folder: The folder of the rendering.
        read: Cuts a clip again where the row holds none.
    """

    def __init__(self, folder: Path, read: ReadClip) -> None:
        self._folder = folder
        self._read = read
        self._written: set[str] = set()
        self.num_long = 0
        """Clips that are longer than `WINDOW`."""

    def __len__(self) -> int:
        return len(self._written)

    def write(self, clips: tuple[Clip, ...]) -> None:
        """Write those clips that are not written yet, all of them or none.

        Raises:
            RecordError: A clip cannot be cut again.
        """
        missing = {
            path: clip for clip in clips if (path := clip_path(clip.span)) not in self._written
        }
        contents = {
            path: self._read(clip.span) if clip.content is None else clip.content
            for path, clip in missing.items()
        }
        for path, content in contents.items():
            file = self._folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            self._written.add(path)
            self.num_long += missing[path].span.duration > WINDOW

"""Read the clips of rows again, from where their spans say."""

from collections import OrderedDict
from collections.abc import Callable

from ieat.pipeline.audio.decode import decode_span
from ieat.pipeline.audio.encode import to_flac
from ieat.pipeline.audio.source import hash_file, open_source
from ieat.pipeline.failures import BadAudio
from ieat.schemas.audio import AudioSpan
from ieat.schemas.cells import SpanCell

ReadClip = Callable[[SpanCell], bytes]
"""Returns a clip as FLAC, mono, 16 kHz; raises `RecordError` when it cannot be read again."""

KEPT_BYTES = 16 << 20
"""Encoded clips that are kept while a shard is written."""


def read_clip(span: SpanCell) -> bytes:
    """Cut, resample and encode a clip.

    Raises:
        BadAudio: The source is gone, cannot be decoded, or is not the file that was heard.
    """
    with open_source(span.uri) as source:
        if hash_file(source) != span.source_sha256:
            raise BadAudio(
                "audio_changed",
                f"{span.uri}: the file changed after it was transcribed; build again",
            )
        return to_flac(
            decode_span(
                AudioSpan(
                    uri=span.uri,
                    channel=span.channel,
                    start=span.start_sample / span.source_rate,
                    end=span.end_sample / span.source_rate,
                )
            )
        )


class KeptClips:
    """Reads clips and keeps the latest: neighboring rows of stage 2 share most of theirs."""

    def __init__(self, read: ReadClip, kept_bytes: int = KEPT_BYTES) -> None:
        self._read = read
        self._kept_bytes = kept_bytes
        self._clips: OrderedDict[SpanCell, bytes] = OrderedDict()
        self._size = 0

    def __call__(self, span: SpanCell) -> bytes:
        """Return the clip.

        Raises:
            RecordError: It cannot be read again.
        """
        found = self._clips.get(span)
        if found is not None:
            self._clips.move_to_end(span)
            return found
        clip = self._read(span)
        self._clips[span] = clip
        self._size += len(clip)
        while self._size > self._kept_bytes:
            self._size -= len(self._clips.popitem(last=False)[1])
        return clip

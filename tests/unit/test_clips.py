"""Clips are read again exactly as they were heard, or not at all."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ieat.pipeline.audio.decode import decode_span
from ieat.pipeline.audio.examine import examine
from ieat.pipeline.failures import BadAudio
from ieat.pipeline.output.clips import KeptClips, read_clip
from ieat.schemas.audio import AudioSpan
from ieat.schemas.cells import SpanCell
from tests.builders import fake_clip, tone


def cell(span: AudioSpan, turn_index: int = 0) -> SpanCell:
    sound = examine(span)
    return SpanCell(
        turn_index=turn_index,
        uri=span.uri,
        source_sha256=sound.source_sha256,
        channel=sound.channel,
        source_rate=sound.source_rate,
        start_sample=sound.start_sample,
        end_sample=sound.end_sample,
        duration=sound.duration,
    )


@pytest.mark.parametrize(("start", "end"), [(0.0, None), (0.1, 0.4), (1 / 3, 2 / 3)])
def test_the_same_samples_are_cut_again(tmp_path: Path, start: float, end: float | None) -> None:
    whole = tone(tmp_path / "a.wav", seconds=1.0, rate=11025)
    span = whole.model_copy(update={"start": start, "end": end})
    samples, rate = soundfile.read(io.BytesIO(read_clip(cell(span))), dtype="float32")
    assert rate == 16000
    np.testing.assert_allclose(samples, decode_span(span), atol=1 / 32768)


def test_a_source_that_changed_since_it_was_heard_is_refused(tmp_path: Path) -> None:
    heard = cell(tone(tmp_path / "a.wav", pitch=200.0))
    tone(tmp_path / "a.wav", pitch=300.0)
    with pytest.raises(BadAudio) as caught:
        read_clip(heard)
    assert caught.value.code == "audio_changed"


def test_a_source_that_is_gone_is_refused(tmp_path: Path) -> None:
    heard = cell(tone(tmp_path / "a.wav"))
    (tmp_path / "a.wav").unlink()
    with pytest.raises(BadAudio) as caught:
        read_clip(heard)
    assert caught.value.code == "audio_missing"


def test_the_latest_clips_are_kept_within_their_bytes(tmp_path: Path) -> None:
    spans = [cell(tone(tmp_path / "a.wav"), turn) for turn in range(3)]
    asked: list[int] = []

    def read(span: SpanCell) -> bytes:
        asked.append(span.turn_index)
        return fake_clip(span)

    kept = KeptClips(read, kept_bytes=2 * len(fake_clip(spans[0])))
    for turn in (0, 1, 0, 2, 0, 1):
        assert kept(spans[turn]) == fake_clip(spans[turn])
    assert asked == [0, 1, 2, 1]

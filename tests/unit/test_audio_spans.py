"""Spans, channels, places and names of audio files."""

import hashlib
import os
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import fsspec
import numpy as np
import pytest

from ieat.pipeline.audio.decode import decode, decode_span
from ieat.pipeline.audio.examine import examine
from ieat.pipeline.failures import BadAudio
from ieat.schemas.audio import AudioSpan
from tests.sounds import HOSTILE, speech, tone, write


def code_of(span: AudioSpan) -> str:
    with pytest.raises(BadAudio) as caught:
        examine(span)
    return caught.value.code


def test_a_span_is_cut_at_whole_samples_of_the_source(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", speech())
    span = AudioSpan(uri=path, start=1.00003, end=2.50001)
    sound = examine(span)
    assert (sound.start_sample, sound.end_sample, sound.duration) == (16_000, 40_000, 1.5)
    assert sound.source_sha256 == hashlib.sha256(Path(path).read_bytes()).hexdigest()
    expected = np.round(speech()[16_000:40_000] * 32768) / 32768
    np.testing.assert_allclose(decode_span(span), expected, atol=1e-4)


def test_a_span_is_resampled_by_itself(tmp_path: Path) -> None:
    """What lies beside a span must not ring into it."""
    samples = np.concatenate([tone(1.0, level=0.9, rate=44_100), np.zeros(44_100, np.float32)])
    path = write(tmp_path / "a.wav", samples, 44_100)
    assert not decode_span(AudioSpan(uri=path, start=1.0, end=2.0)).any()


@pytest.mark.parametrize("name", ["ok_aac.m4a", "ok_webm_opus.webm", "ok_speex.spx", "ok_adts.aac"])
def test_a_span_of_a_file_read_by_pyav_is_the_same_part_of_the_whole(name: str) -> None:
    uri = str(HOSTILE / name)
    whole = decode(AudioSpan(uri=uri))
    part = decode(AudioSpan(uri=uri, start=4.0, end=6.0))
    assert part.end_sample - part.start_sample == 2 * whole.source_rate
    middle = whole.samples[65_000:95_000]
    np.testing.assert_allclose(part.samples[1_000:31_000], middle, atol=2e-3)


@pytest.mark.parametrize(
    ("name", "codec", "container"), [("a.m4a", "aac", "ipod"), ("a.mka", "pcm_s16le", "matroska")]
)
def test_a_late_span_is_found_by_seeking(
    tmp_path: Path, name: str, codec: str, container: str
) -> None:
    path = tmp_path / name
    samples = np.concatenate([tone(1.0, 100.0 + 10 * second) for second in range(40)])
    with av.open(str(path), "w", format=container) as output:
        stream = output.add_stream(codec, rate=16_000, layout="mono")
        for begin in range(0, len(samples), 1024):
            block = (samples[begin : begin + 1024] * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(block[None, :], format="s16", layout="mono")
            frame.sample_rate, frame.pts = 16_000, begin
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    for second in (3, 25, 38):
        span = AudioSpan(uri=str(path), start=second + 0.1, end=second + 0.9)
        assert examine(span).prosody.pitch == pytest.approx(100 + 10 * second, rel=0.01)


def test_a_span_outside_the_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", speech())
    assert code_of(AudioSpan(uri=path, start=20.0, end=21.0)) == "span_outside_file"
    assert code_of(AudioSpan(uri=path, start=10.0, end=12.0)) == "span_outside_file"
    rounded = examine(AudioSpan(uri=path, start=10.0, end=11.05))
    assert rounded.end_sample == 176_000


def test_channels_are_taken_or_mixed(tmp_path: Path) -> None:
    left, right = tone(1.0, 120.0), tone(1.0, 300.0)
    path = write(tmp_path / "a.wav", np.stack([left, right], axis=1), subtype="FLOAT")
    np.testing.assert_array_equal(decode_span(AudioSpan(uri=path, channel=0)), left)
    np.testing.assert_array_equal(decode_span(AudioSpan(uri=path, channel=1)), right)
    np.testing.assert_allclose(decode_span(AudioSpan(uri=path)), (left + right) / 2, atol=1e-7)
    assert code_of(AudioSpan(uri=path, channel=2)) == "channel_missing"


def test_measuring_and_recognizing_decode_once(tmp_path: Path) -> None:
    span = AudioSpan(uri=write(tmp_path / "a.wav", speech()))
    first = decode_span(span)
    assert decode_span(span) is first
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 1.0


def test_a_file_that_changes_is_decoded_again(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    before = examine(AudioSpan(uri=write(path, speech())))
    after = examine(AudioSpan(uri=write(path, speech()[:80_000])))
    assert (before.duration, after.duration) == (11.0, 5.0)
    assert before.source_sha256 != after.source_sha256


def test_threads_get_the_same_samples(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{number}.wav", tone(0.5, 100 + number)) for number in range(8)]
    found: dict[tuple[int, str], str | None] = {}

    def work(thread: int) -> None:
        for path in paths:
            found[thread, path] = str(examine(AudioSpan(uri=path)))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 32
    assert all(found[0, path] == found[thread, path] for thread in range(4) for path in paths)


@pytest.mark.parametrize(
    "name",
    [
        "with space.wav",
        "new\nline.wav",
        "quo'te\".wav",
        "你好 Grüße.wav",
        "a::b.wav",
        "50%d.wav",
        "a?b#c.wav",
        "[x]*.wav",
        "-rf.wav",
    ],
)
def test_any_file_name_is_read(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, speech()[:32_000])
    assert examine(AudioSpan(uri=path)).duration == 2.0


def test_a_name_that_looks_like_a_url_is_read_when_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "http:" / "host" / "a.wav", speech()[:32_000])
    assert examine(AudioSpan(uri="http://host/a.wav")).duration == 2.0


def test_a_link_is_followed_and_a_loop_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", speech()[:32_000])
    (tmp_path / "link.wav").symlink_to("a.wav")
    (tmp_path / "loop.wav").symlink_to("loop.wav")
    (tmp_path / "dangling.wav").symlink_to("nothing.wav")
    assert examine(AudioSpan(uri=str(tmp_path / "link.wav"))).duration == 2.0
    assert code_of(AudioSpan(uri=str(tmp_path / "loop.wav"))) == "audio_missing"
    assert code_of(AudioSpan(uri=str(tmp_path / "dangling.wav"))) == "audio_missing"


@pytest.mark.parametrize("name", ["nothing.wav", "", "nul\0l.wav", "x" * 300])
def test_a_missing_file_is_refused(tmp_path: Path, name: str) -> None:
    assert code_of(AudioSpan(uri=f"{tmp_path}/{name}")) == "audio_missing"


def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    assert code_of(AudioSpan(uri=str(tmp_path / "pipe.wav"))) == "audio_missing"


def test_a_file_url_is_a_local_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", speech()[:32_000])
    assert examine(AudioSpan(uri=f"file://{path}")).duration == 2.0


def test_an_unknown_protocol_is_refused() -> None:
    assert code_of(AudioSpan(uri="nosuch://host/a.wav")) == "audio_unreachable"


def test_any_fsspec_file_system_is_read(tmp_path: Path) -> None:
    content = Path(write(tmp_path / "a.wav", speech()[:32_000])).read_bytes()
    with fsspec.open("memory://corpus/a.wav", "wb") as file:
        file.write(content)
    sound = examine(AudioSpan(uri="memory://corpus/a.wav", start=1.0))
    assert (sound.start_sample, sound.duration) == (16_000, 1.0)
    assert sound.source_sha256 == hashlib.sha256(content).hexdigest()


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and counts how often each is asked for."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path.startswith("/broken"):
            self.send_error(500)
        else:
            super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []
    handler = type("Counting", (Quiet,), {"asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=tmp_path)) as served:
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{served.server_port}", asked
        served.shutdown()
        thread.join()


def test_an_http_file_is_fetched_once_for_all_its_spans(
    tmp_path: Path, server: tuple[str, list[str]]
) -> None:
    url, asked = server
    write(tmp_path / "with space.wav", speech())
    first = examine(AudioSpan(uri=f"{url}/with%20space.wav", start=0.0, end=2.0))
    second = examine(AudioSpan(uri=f"{url}/with%20space.wav", start=2.0, end=5.0))
    local = examine(AudioSpan(uri=str(tmp_path / "with space.wav"), start=2.0, end=5.0))
    assert (first.duration, second) == (2.0, local)
    assert len(asked) == 1


def test_an_http_file_that_is_missing_or_refused_is_named(server: tuple[str, list[str]]) -> None:
    url, asked = server
    assert code_of(AudioSpan(uri=f"{url}/nothing.wav")) == "audio_missing"
    assert code_of(AudioSpan(uri=f"{url}/broken.wav")) == "audio_unreachable"
    assert asked.count("/broken.wav") == 3
    assert code_of(AudioSpan(uri="http://127.0.0.1:9/a.wav")) == "audio_unreachable"

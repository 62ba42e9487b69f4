"""Every kind of awkward and broken audio ends as docs/hostile_audio.md says."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ieat.pipeline.audio.decode import MAX_SPAN, decode, decode_span
from ieat.pipeline.audio.examine import examine
from ieat.pipeline.failures import BadAudio
from ieat.schemas.audio import AudioSpan
from tests.sounds import HOSTILE, speech, tone, wav_bytes, write

SHIPPED = [json.loads(line) for line in (HOSTILE / "MANIFEST.jsonl").read_text().splitlines()]


def code_of(path: Path | str) -> str:
    with pytest.raises(BadAudio) as caught:
        examine(AudioSpan(uri=str(path)))
    assert str(path) in caught.value.message
    return caught.value.code


@pytest.mark.parametrize("row", SHIPPED, ids=lambda row: row["path"])
def test_a_shipped_file_ends_as_its_manifest_says(row: dict) -> None:
    path = HOSTILE / row["path"]
    if row["code"] is not None:
        assert code_of(path) == row["code"]
        return
    sound = examine(AudioSpan(uri=str(path)))
    samples = decode_span(AudioSpan(uri=str(path)))
    assert samples.dtype == np.float32
    assert np.isfinite(samples).all()
    # Some versions of FFmpeg keep what AAC pads the end with: less than one frame of 1024 samples.
    assert sound.duration == pytest.approx(row["seconds"], abs=0.024)
    assert list(sound.flags) == row["flags"]
    # All of them hold the same speech, in which a voice is heard for about half of the time.
    assert 0.5 < sound.speech / sound.duration < 0.75


def test_the_shipped_manifest_names_every_shipped_file() -> None:
    there = {file.name for file in HOSTILE.iterdir()} - {"MANIFEST.jsonl"}
    assert {row["path"] for row in SHIPPED} == there


@pytest.mark.parametrize(
    ("container", "subtype"),
    [
        ("WAV", "ALAW"),
        ("WAV", "MS_ADPCM"),
        ("WAV", "PCM_U8"),
        ("WAV", "PCM_24"),
        ("WAV", "FLOAT"),
        ("WAV", "DOUBLE"),
        ("RF64", "PCM_16"),
        ("W64", "PCM_16"),
        ("CAF", "PCM_16"),
        ("AU", "ULAW"),
        ("AIFF", "PCM_24"),
        ("FLAC", "PCM_16"),
        ("OGG", "VORBIS"),
        ("MP3", "MPEG_LAYER_III"),
    ],
)
def test_the_extension_has_no_say(tmp_path: Path, container: str, subtype: str) -> None:
    for name in ("speech", "speech.txt", "speech.raw", "speech.m4a"):
        path = write(tmp_path / name, speech()[:32_000], container=container, subtype=subtype)
        decoded = decode(AudioSpan(uri=path))
        assert len(decoded.samples) == pytest.approx(32_000, abs=1_200)
        assert decoded.flags == frozenset()


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 192_000])
def test_any_rate_becomes_16_khz_with_its_pitch_kept(tmp_path: Path, rate: int) -> None:
    path = write(tmp_path / "tone.wav", tone(2.0, 200.0, rate=rate), rate)
    sound = examine(AudioSpan(uri=path))
    assert sound.source_rate == rate
    assert (sound.start_sample, sound.end_sample) == (0, 2 * rate)
    assert sound.duration == 2.0
    assert sound.prosody.pitch == pytest.approx(200.0, rel=0.01)
    assert ("narrowband" in sound.flags) == (rate < 16_000)


def test_digital_silence_is_refused(tmp_path: Path) -> None:
    zeros = np.zeros(80_000, np.float32)
    assert code_of(write(tmp_path / "zeros.wav", zeros)) == "audio_silent"
    assert code_of(write(tmp_path / "offset.wav", zeros + np.float32(0.1))) == "audio_silent"


def test_noise_without_a_voice_is_flagged(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).normal(0, 0.01, 48_000).astype(np.float32)
    sound = examine(AudioSpan(uri=write(tmp_path / "noise.wav", noise)))
    assert sound.speech == 0.0
    assert sound.flags == ("no_speech",)


@pytest.mark.parametrize(
    ("num_samples", "code"), [(0, "audio_empty"), (1, "audio_too_short"), (320, "audio_too_short")]
)
def test_sound_too_short_for_a_word_is_refused(tmp_path: Path, num_samples: int, code: str) -> None:
    assert code_of(write(tmp_path / "short.wav", speech()[8000 : 8000 + num_samples])) == code


def test_a_short_turn_is_flagged(tmp_path: Path) -> None:
    path = write(tmp_path / "short.wav", speech()[8_000:12_800])
    assert examine(AudioSpan(uri=path)).flags == ("short",)


def test_a_long_file_is_refused_whole_and_read_in_spans(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    with soundfile.SoundFile(path, "w", 8_000, 1, "PCM_16") as file:
        for second in range(int(MAX_SPAN) + 5):
            file.write(tone(1.0, 100.0 + second % 10 * 20, rate=8_000))
    with pytest.raises(BadAudio, match="give each turn its start and end") as caught:
        examine(AudioSpan(uri=str(path)))
    assert caught.value.code == "audio_too_long"
    last = examine(AudioSpan(uri=str(path), start=602.0, end=603.0))
    assert (last.start_sample, last.end_sample) == (4_816_000, 4_824_000)
    assert last.prosody.pitch == pytest.approx(140.0, rel=0.01)


def test_levels_are_flagged(tmp_path: Path) -> None:
    clipped = examine(AudioSpan(uri=write(tmp_path / "a.wav", np.clip(speech() * 20, -1, 1))))
    quiet = examine(AudioSpan(uri=write(tmp_path / "b.wav", speech() / 1000)))
    offset = examine(AudioSpan(uri=write(tmp_path / "c.wav", speech() * 0.5 + np.float32(0.3))))
    plain = examine(AudioSpan(uri=write(tmp_path / "d.wav", speech() * 0.5)))
    assert clipped.flags == ("clipped",)
    assert clipped.clipped > 0.3
    assert quiet.flags == ("quiet",)
    assert quiet.speech == pytest.approx(plain.speech, abs=0.5)
    assert offset.flags == ("dc_offset",)
    assert offset.level == pytest.approx(plain.level, abs=0.1)


def test_float_samples_beyond_full_scale_keep_their_values(tmp_path: Path) -> None:
    path = write(tmp_path / "loud.wav", speech() * 8, subtype="FLOAT")
    sound = examine(AudioSpan(uri=path))
    assert sound.flags == ("beyond_full_scale", "clipped")
    assert sound.peak > 10
    np.testing.assert_array_equal(decode_span(AudioSpan(uri=path)), speech() * 8)


def test_a_few_samples_that_are_no_numbers_are_mended(tmp_path: Path) -> None:
    broken = speech().copy()
    broken[5_000:5_050] = np.nan
    broken[9_000] = np.inf
    path = write(tmp_path / "nan.wav", broken, subtype="FLOAT")
    samples = decode_span(AudioSpan(uri=path))
    assert examine(AudioSpan(uri=path)).flags == ("mended",)
    assert not samples[5_000:5_050].any()
    np.testing.assert_array_equal(samples[:5_000], speech()[:5_000])


def test_many_samples_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    broken = speech().copy()
    broken[::10] = np.nan
    assert code_of(write(tmp_path / "nan.wav", broken, subtype="FLOAT")) == "audio_not_finite"


@pytest.mark.parametrize(
    ("header", "flags"),
    [
        ({"data_size": 0xFFFFFFFF, "riff_size": 0xFFFFFFFF}, ()),
        ({"data_size": 0, "riff_size": 0}, ("wrong_header",)),
        ({"data_size": 3_000_000, "riff_size": 3_000_036}, ("truncated",)),
    ],
)
def test_a_wrong_size_in_the_header_loses_no_sample(
    tmp_path: Path, header: dict, flags: tuple[str, ...]
) -> None:
    path = tmp_path / "sizes.wav"
    path.write_bytes(wav_bytes(speech(), **header))
    sound = examine(AudioSpan(uri=str(path)))
    assert (sound.duration, sound.flags) == (11.0, flags)


@pytest.mark.parametrize(
    "header",
    [
        {"channels": 0},
        {"channels": 65_535},
        {"rate": 0},
        {"rate": 4_000_000_000},
        {"bits": 17},
        {"bits": 12},
        {"kind": 0x7777},
    ],
    ids=str,
)
def test_a_header_that_cannot_be_right_is_refused(tmp_path: Path, header: dict) -> None:
    path = tmp_path / "header.wav"
    path.write_bytes(wav_bytes(speech(), **header))
    assert code_of(path) == "audio_undecodable"


def test_a_codec_that_no_decoder_knows_is_refused(tmp_path: Path) -> None:
    content = (HOSTILE / "ok_webm_opus.webm").read_bytes()
    path = tmp_path / "codec.webm"
    path.write_bytes(content.replace(b"A_OPUS", b"A_NONE"))
    with pytest.raises(BadAudio, match="no decoder is known for its audio") as caught:
        examine(AudioSpan(uri=str(path)))
    assert caught.value.code == "audio_undecodable"


def test_tags_in_another_encoding_do_not_stop_a_file(tmp_path: Path) -> None:
    content = (HOSTILE / "ok_webm_opus.webm").read_bytes()
    assert b"Lavf" in content
    path = tmp_path / "tags.webm"
    path.write_bytes(content.replace(b"Lavf", "你好".encode("gbk")))
    assert examine(AudioSpan(uri=str(path))).duration == pytest.approx(11.0, abs=0.05)


@pytest.mark.parametrize(
    ("name", "content", "hint"),
    [
        ("page.wav", b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
        (
            "pointer.wav",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0",
            "git lfs pull",
        ),
        ("empty.wav", b"", "the file is empty"),
        ("zeros.flac", bytes(40_000), "audio_undecodable"),
        ("noise.mp3", np.random.default_rng(0).bytes(40_000), "audio_undecodable"),
        ("words.mp3", b"hello " * 500, "audio_undecodable"),
    ],
)
def test_what_is_no_audio_is_refused(tmp_path: Path, name: str, content: bytes, hint: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BadAudio) as caught:
        examine(AudioSpan(uri=str(path)))
    assert hint in f"{caught.value.code} {caught.value.message}"


def test_a_playlist_opens_no_other_file(tmp_path: Path) -> None:
    inner = write(tmp_path / "inner.wav", speech())
    for name, content in {
        "list.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:11\n#EXTINF:11,\n{inner}\n#EXT-X-ENDLIST\n",
        "list.wav": f"ffconcat version 1.0\nfile '{inner}'\n",
    }.items():
        path = tmp_path / name
        path.write_text(content)
        assert code_of(path) == "audio_undecodable"


def test_half_of_a_flac_file_is_used_and_flagged(tmp_path: Path) -> None:
    whole = Path(write(tmp_path / "whole.flac", speech())).read_bytes()
    path = tmp_path / "half.flac"
    path.write_bytes(whole[: len(whole) // 2])
    sound = examine(AudioSpan(uri=str(path)))
    assert sound.flags == ("truncated",)
    assert 4.0 < sound.duration < 7.0
    half = decode_span(AudioSpan(uri=str(path)))
    np.testing.assert_allclose(half, speech()[: len(half)], atol=1e-4)


def test_damage_within_a_flac_file_keeps_later_times_right(tmp_path: Path) -> None:
    content = bytearray(Path(write(tmp_path / "whole.flac", speech())).read_bytes())
    middle = len(content) // 2
    content[middle : middle + 400] = bytes(400)
    path = tmp_path / "damaged.flac"
    path.write_bytes(content)
    sound = examine(AudioSpan(uri=str(path)))
    assert (sound.duration, sound.flags) == (11.0, ("damaged",))
    end = decode_span(AudioSpan(uri=str(path), start=9.0, end=11.0))
    np.testing.assert_allclose(end, speech()[144_000:176_000], atol=1e-4)


def test_files_glued_together_are_flagged(tmp_path: Path) -> None:
    wav = tmp_path / "two.wav"
    wav.write_bytes(wav_bytes(speech()) * 2)
    first = examine(AudioSpan(uri=str(wav)))
    assert (first.duration, first.flags) == (11.0, ("concatenated",))
    one = Path(write(tmp_path / "a.ogg", speech()[:48_000], container="OGG", subtype="VORBIS"))
    ogg = tmp_path / "two.ogg"
    ogg.write_bytes(one.read_bytes() * 2)
    both = examine(AudioSpan(uri=str(ogg)))
    assert both.flags == ("concatenated",)
    assert both.duration == pytest.approx(6.0, abs=0.1)


def test_junk_behind_the_data_is_no_sound(tmp_path: Path) -> None:
    path = tmp_path / "tail.wav"
    path.write_bytes(wav_bytes(speech()) + b"id3 tags and other text " * 40)
    sound = examine(AudioSpan(uri=str(path)))
    assert (sound.duration, sound.flags) == (11.0, ())

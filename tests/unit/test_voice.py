"""Speech is found, prosody measured, cues compared, clips written."""

import io

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from ieat.pipeline.audio.cues import speaking_rate, voice_cues
from ieat.pipeline.audio.decode import decode_span
from ieat.pipeline.audio.encode import to_flac, to_wav
from ieat.pipeline.audio.level import even_level
from ieat.pipeline.audio.prosody import UNMEASURED, measure_prosody
from ieat.pipeline.audio.voice_activity import cut_speech, find_speech
from ieat.schemas.audio import AudioSpan, Prosody
from ieat.schemas.dialogue import Language
from tests.sounds import QUEEN, speech, tone

CUT = {"threshold": 0.5, "min_speech": 0.0, "min_silence": 0.1, "pad": 0.0}
"""32 ms chunks: 0.1 s are more than three of them."""


def test_speech_is_found_in_a_channel_of_a_real_dialogue() -> None:
    uri = str(QUEEN / "bud2" / "audio_two_channel_ulaw8k.wav")
    left = find_speech(decode_span(AudioSpan(uri=uri, channel=0)))
    # The script's times of the speaker on the left, from the same source as the audio.
    script = [(0.3, 1.658), (4.344, 6.591), (8.667, 14.153), (21.392, 23.012)]
    assert len(left) == 6
    for found, given_times in zip(left, script, strict=False):
        assert found == pytest.approx(given_times, abs=0.15)


def test_no_speech_is_found_in_silence_and_noise() -> None:
    noise = np.random.default_rng(0).normal(0, 0.05, 48_000).astype(np.float32)
    assert find_speech(np.zeros(48_000, np.float32)) == []
    assert find_speech(noise) == []
    assert find_speech(np.zeros(0, np.float32)) == []


def test_the_same_sound_gives_the_same_speech_whatever_came_before() -> None:
    first = find_speech(speech())
    find_speech(tone(3.0))
    assert find_speech(speech()) == first


def test_speech_ends_below_a_lower_threshold() -> None:
    probabilities = [0.0, 0.6, 0.4, 0.36, 0.4, 0.6, 0.3, 0.3, 0.3, 0.3, 0.3]
    assert cut_speech(probabilities, 0.352, **CUT) == [(0.032, 0.192)]


def test_a_short_pause_does_not_end_a_stretch_and_a_short_stretch_does_not_count() -> None:
    probabilities = [0.9] * 10 + [0.0] * 2 + [0.9] * 10 + [0.0] * 8 + [0.9] + [0.0] * 8
    settings = {**CUT, "min_speech": 0.064}
    assert cut_speech(probabilities, 39 * 0.032, **settings) == [(0.0, 0.704)]


def test_padding_meets_in_the_middle_of_a_gap() -> None:
    probabilities = [0.9] * 10 + [0.0] * 4 + [0.9] * 10
    settings = {**CUT, "pad": 0.1}
    assert cut_speech(probabilities, 24 * 0.032, **settings) == [(0.0, 0.384), (0.384, 0.768)]


def test_a_long_stretch_is_cut_at_its_longest_pause() -> None:
    probabilities = [0.9] * 100 + [0.0] + [0.9] * 50 + [0.0] * 3 + [0.9] * 100
    cuts = cut_speech(probabilities, 254 * 0.032, **CUT, max_length=6.0)
    assert cuts == [(0.0, 4.864), (4.864, 8.128)]


@given(
    st.lists(st.floats(0, 1), max_size=300),
    st.floats(0.2, 0.9),
    st.floats(0, 0.5),
    st.floats(0.03, 1),
    st.floats(0, 0.5),
    st.one_of(st.none(), st.floats(1.1, 5)),
)
def test_stretches_are_ordered_and_within_the_recording(
    probabilities: list[float],
    threshold: float,
    min_speech: float,
    min_silence: float,
    pad: float,
    max_length: float | None,
) -> None:
    duration = len(probabilities) * 0.032
    cuts = cut_speech(
        probabilities,
        duration,
        threshold=threshold,
        min_speech=min_speech,
        min_silence=min_silence,
        pad=pad,
        max_length=max_length,
    )
    edges = [edge for cut in cuts for edge in cut]
    assert edges == sorted(edges)
    assert all(0 <= edge <= duration + 1e-3 for edge in edges)
    assert all(end > start for start, end in cuts)
    if max_length is not None:
        assert all(end - start <= max_length + 2 * pad + 1e-3 for start, end in cuts)


@pytest.mark.parametrize("pitch", [80.0, 120.0, 220.0, 400.0])
def test_the_pitch_of_a_buzz_is_measured(pitch: float) -> None:
    prosody = measure_prosody(tone(1.0, pitch))
    assert prosody.pitch == pytest.approx(pitch, rel=0.01)
    assert prosody.pitch_range == pytest.approx(0.0, abs=0.2)


def test_level_and_tilt_follow_the_sound() -> None:
    quiet, loud = measure_prosody(tone(1.0, level=0.1)), measure_prosody(tone(1.0, level=0.2))
    times = np.arange(16_000) / 16_000
    low = np.asarray(0.2 * np.sin(2 * np.pi * 200 * times), np.float32)
    assert quiet.level is not None
    assert loud.level == pytest.approx(quiet.level + 6.02, abs=0.02)
    assert loud.tilt == quiet.tilt
    assert measure_prosody(low).tilt < -30 < loud.tilt


def test_prosody_of_silence_and_noise_is_not_measured() -> None:
    noise = np.random.default_rng(0).normal(0, 0.05, 16_000).astype(np.float32)
    for samples in (np.zeros(16_000, np.float32), noise, tone(0.05), np.zeros(0, np.float32)):
        assert measure_prosody(samples) == UNMEASURED


def test_prosody_ignores_silence_around_the_voice() -> None:
    around = np.pad(tone(1.0), (8_000, 16_000))
    assert measure_prosody(around).pitch == pytest.approx(200.0, rel=0.01)
    assert measure_prosody(around).level == pytest.approx(measure_prosody(tone(1.0)).level, abs=0.5)


def voice(level: float = -20.0, pitch: float = 200.0) -> Prosody:
    return Prosody(level=level, pitch=pitch, pitch_range=5.0, tilt=-10.0)


def test_changes_are_unknown_under_three_turns() -> None:
    cues = voice_cues(2, voice(), 3.0, [(voice(), 3.0)])
    assert cues.num_reference_turns == 2
    assert (cues.level_change, cues.pitch_change, cues.rate_change) == (None, None, None)
    assert (cues.arousal, cues.words) == (None, ())
    assert (cues.level, cues.pitch, cues.rate) == (-20.0, 200.0, 3.0)


def test_a_turn_that_stands_out_is_put_into_words() -> None:
    earlier = [(voice(), 3.0)] * 4
    cues = voice_cues(8, voice(-12.0, 300.0), 4.5, earlier)
    assert cues.num_reference_turns == 5
    assert (cues.level_change, cues.pitch_change, cues.rate_change) == (8.0, 7.02, 1.5)
    assert cues.words == ("louder", "higher", "faster")
    # Level, pitch and rate reach the limit of 4, range and tilt are as ever.
    assert cues.arousal == 2.4
    calm = voice_cues(8, voice(-26.0, 160.0), 2.0, earlier)
    assert calm.words == ("quieter", "lower", "slower")
    assert calm.arousal == -2.37


def test_even_turns_make_no_words() -> None:
    cues = voice_cues(3, voice(-19.5, 204.0), 3.1, [(voice(), 3.0), (voice(-20.4, 198.0), 2.9)])
    assert cues.words == ()
    assert cues.arousal == pytest.approx(0.17, abs=0.1)


def test_a_turn_without_voice_has_no_changes_and_is_no_reference() -> None:
    cues = voice_cues(3, UNMEASURED, None, [(voice(), 3.0)] * 3)
    assert (cues.level, cues.level_change, cues.arousal) == (None, None, None)
    assert cues.num_reference_turns == 3


def test_rates_count_words_in_english_and_characters_in_chinese() -> None:
    assert speaking_rate("I don't know, well-known!", 2.0, Language.EN) == 2.0
    assert speaking_rate("我不知道。OK 吗?", 2.0, Language.ZH) == 3.0
    assert speaking_rate("...", 2.0, Language.EN) is None
    assert speaking_rate("yes", 0.1, Language.EN) is None


@pytest.mark.parametrize("write", [to_flac, to_wav])
def test_sixteen_bits_come_back_exactly_and_bytes_are_the_same(write) -> None:
    numbers = np.random.default_rng(0).integers(-32768, 32768, 16_000)
    samples = (numbers / 32768).astype(np.float32)
    content = write(samples)
    read, rate = soundfile.read(io.BytesIO(content), dtype="float32")
    assert rate == 16_000
    np.testing.assert_array_equal(read, samples)
    assert write(samples.copy()) == content


def test_sound_beyond_full_scale_is_scaled_not_wrapped() -> None:
    samples = tone(0.5) * 10
    read, _ = soundfile.read(io.BytesIO(to_flac(samples)), dtype="float32")
    np.testing.assert_allclose(read, samples / np.abs(samples).max(), atol=1e-4)


def test_engines_hear_quiet_sound_raised_and_centered() -> None:
    np.testing.assert_array_equal(even_level(speech()), speech())
    assert np.abs(even_level(speech() / 1000)).max() == pytest.approx(0.5)
    shifted = even_level(speech() * 0.5 + np.float32(0.3))
    assert shifted.mean() == pytest.approx(0.0, abs=1e-4)
    assert not even_level(np.zeros(100, np.float32)).any()

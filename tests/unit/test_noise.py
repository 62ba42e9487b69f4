"""The estimate of voice against noise, on recorded speech with noise of a known level."""

import numpy as np
import pytest

from ieat.pipeline.audio.level import even_level
from ieat.pipeline.audio.noise import estimate_snr
from ieat.pipeline.audio.voice_activity import find_speech
from tests.sounds import speech

RATE = 16000


def found(samples):
    return find_speech(even_level(samples), min_speech=0.1, min_silence=0.1, pad=0.0)


def with_noise(samples, snr):
    """Add white noise whose power lies so far under that of the voice, dB."""
    voice = np.concatenate(
        [samples[int(start * RATE) : int(end * RATE)] for start, end in found(samples)]
    )
    power = np.mean(voice.astype(np.float64) ** 2) / 10 ** (snr / 10)
    noise = np.random.default_rng(1).normal(size=len(samples)) * np.sqrt(power)
    return (samples + noise).astype(np.float32)


@pytest.mark.parametrize("snr", [0, 5, 10, 15])
def test_noise_of_a_known_level_is_estimated_within_a_decibel_and_a_half(snr):
    noisy = with_noise(speech(), snr)
    assert estimate_snr(noisy, found(noisy)) == pytest.approx(snr, abs=1.5)


def test_digital_silence_between_words_is_as_clean_as_can_be_told():
    samples = np.zeros(3 * RATE, np.float32)
    samples[RATE : 2 * RATE] = 0.1 * np.sin(np.arange(RATE) * 0.1)
    assert estimate_snr(samples, [(1.0, 2.0)]) == 60.0


def test_speech_without_a_pause_is_measured_by_its_quietest_tenth():
    samples = np.full(2 * RATE, 0.1, np.float32) * np.sin(np.arange(2 * RATE) * 0.5)
    samples[: RATE // 2] *= 0.1
    estimate = estimate_snr(samples.astype(np.float32), [(0.0, 2.0)])
    assert estimate == pytest.approx(18.7, abs=0.3)


def test_what_has_no_voice_has_no_ratio():
    assert estimate_snr(np.ones(RATE, np.float32), []) is None
    assert estimate_snr(np.ones(100, np.float32), [(0.0, 0.01)]) is None

"""How a turn sounds against the same speaker's turns so far; nothing later is known here."""

import re
from collections.abc import Sequence

import numpy as np

from ieat.schemas.audio import Prosody
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import VoiceCues

MIN_REFERENCE = 3
"""Turns, this one included, under which a median says nothing."""

LOUDER = 3.0
"""Level from which a turn is louder or quieter than the speaker's median, dB."""

HIGHER = 2.0
"""Pitch from which a turn is higher or lower than the speaker's median, semitones."""

FASTER = 1.25
"""Rate, divided by the speaker's median, from which a turn is faster; slower below 1/1.25."""

FLOORS = {"level": 1.5, "pitch": 1.0, "pitch_range": 1.0, "tilt": 1.5, "rate": 0.1}
"""Smallest spread that a z-score divides by (dB, semitones, semitones, dB, natural logarithm):
a speaker with three even turns is not shouting on the fourth."""

MAX_SCORE = 4.0
"""Highest z-score that counts."""

MIN_SPEECH = 0.3
"""Speech under which no rate is given, seconds."""

WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
"""A word of a language that is written with spaces."""

HAN = re.compile(r"[㐀-䶿一-鿿]")
"""One Chinese character."""


def speaking_rate(text: str, speech: float, language: Language) -> float | None:
    """Return words a second of speech; for Chinese, characters (a foreign word counts as one).

    Null without words, or when the speech is too short to count.
    """
    if speech < MIN_SPEECH:
        return None
    count = len(WORD.findall(text))
    if language is Language.ZH:
        count = len(HAN.findall(text)) + len(WORD.findall(HAN.sub(" ", text)))
    return round(count / speech, 3) if count else None


def voice_cues(
    turn_index: int,
    prosody: Prosody,
    rate: float | None,
    earlier: Sequence[tuple[Prosody, float | None]],
) -> VoiceCues:
    """Compare a turn with the same speaker's earlier turns and itself.

    Args:
        turn_index: 0-based turn.
        prosody: What was measured of it.
        rate: Its speaking rate; null when unknown.
        earlier: Prosody and rate of the same speaker's earlier turns, in order.
    """
    turns = [*earlier, (prosody, rate)]
    level = _against([measured.level for measured, _ in turns], FLOORS["level"])
    pitch = _against([_semitones(measured.pitch) for measured, _ in turns], FLOORS["pitch"])
    spread = _against([measured.pitch_range for measured, _ in turns], FLOORS["pitch_range"])
    tilt = _against([measured.tilt for measured, _ in turns], FLOORS["tilt"])
    speed = _against([_log(value) for _, value in turns], FLOORS["rate"])
    scores = [found[1] for found in (level, pitch, spread, tilt, speed) if found is not None]
    level_change = level and round(level[0], 2)
    pitch_change = pitch and round(pitch[0], 2)
    rate_change = speed and round(float(np.exp(speed[0])), 3)
    return VoiceCues(
        turn_index=turn_index,
        level=prosody.level,
        pitch=prosody.pitch,
        pitch_range=prosody.pitch_range,
        tilt=prosody.tilt,
        rate=rate,
        num_reference_turns=sum(measured.level is not None for measured, _ in turns),
        level_change=level_change,
        pitch_change=pitch_change,
        rate_change=rate_change,
        arousal=round(float(np.mean(scores)), 2) if scores else None,
        words=_name_changes(level_change, pitch_change, rate_change),
    )


def _against(values: Sequence[float | None], floor: float) -> tuple[float, float] | None:
    """Return the last value's distance from the median, and its robust z-score."""
    known = [value for value in values if value is not None]
    last = values[-1]
    if last is None or len(known) < MIN_REFERENCE:
        return None
    median = float(np.median(known))
    # 1.4826 makes the median deviation an estimate of the standard deviation.
    deviation = 1.4826 * float(np.median(np.abs(np.array(known) - median)))
    score = (last - median) / max(deviation, floor)
    return last - median, max(-MAX_SCORE, min(MAX_SCORE, score))


def _semitones(pitch: float | None) -> float | None:
    return None if pitch is None else 12 * float(np.log2(pitch))


def _log(rate: float | None) -> float | None:
    return None if not rate else float(np.log(rate))


def _name_changes(level: float | None, pitch: float | None, rate: float | None) -> tuple[str, ...]:
    words = []
    if level is not None and abs(level) >= LOUDER:
        words.append("louder" if level > 0 else "quieter")
    if pitch is not None and abs(pitch) >= HIGHER:
        words.append("higher" if pitch > 0 else "lower")
    if rate is not None and (rate >= FASTER or rate <= 1 / FASTER):
        words.append("faster" if rate >= FASTER else "slower")
    return tuple(words)

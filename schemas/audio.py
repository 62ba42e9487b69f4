"""Where sound lies, and what was measured of it; never the samples themselves."""

from pydantic import model_validator

from ieat.schemas.base import Decibels, Hertz, Index, Seconds, Share, Value


class AudioSpan(Value):
    """A stretch of one audio file, by reference."""

    uri: str
    """Path or fsspec URL of the file."""
    channel: Index | None = None
    """0-based channel; null means the mean of all channels."""
    start: Seconds = 0.0
    """Start within the file, seconds."""
    end: Seconds | None = None
    """End within the file, seconds; null means the end of the file."""

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> "AudioSpan":
        if self.end is not None and self.end <= self.start:
            raise ValueError(
                f"audio span ends at {self.end} s, not after its start at {self.start} s"
            )
        return self


class Prosody(Value):
    """How one turn sounds, measured on that turn alone."""

    level: Decibels | None
    """Mean level of the voiced part, dBFS; null without voiced sound."""
    pitch: Hertz | None
    """Median fundamental frequency of the voiced part, Hz; null without voiced sound."""
    pitch_range: float | None
    """Distance between the 10th and the 90th percentile of the fundamental, semitones."""
    tilt: Decibels | None
    """Energy above 1 kHz relative to the energy below it, dB; higher is a more pressed voice."""


class Sound(Value):
    """The sound of one turn: which samples of which bytes, and what was measured of them."""

    source_sha256: str
    """SHA-256 of the bytes of the source file, hexadecimal."""
    source_rate: int
    """Sampling rate of the source, Hz."""
    channel: Index | None
    """0-based channel of the source; null means the mean of all channels."""
    start_sample: Index
    """First sample of the span, at the rate of the source."""
    end_sample: Index
    """Sample after the last one of the span, at the rate of the source."""
    duration: Seconds
    """Length of the decoded span, seconds."""
    speech: Seconds
    """Time within the span in which voice activity was found, seconds."""
    level: Decibels
    """Root mean square level of the whole span, dBFS."""
    peak: Decibels
    """Highest absolute sample, dBFS; above 0 when a float file goes beyond full scale."""
    clipped: Share
    """Share of samples at full scale."""
    prosody: Prosody
    """How the turn sounds."""
    snr: Decibels | None = None
    """Level of the voice above the noise floor, dB; null without a voice or without a pause."""
    flags: tuple[str, ...] = ()
    """What is odd about the sound, as codes (docs/codes.md)."""

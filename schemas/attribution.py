"""Why a speaker feels what they feel, with evidence."""

from enum import Enum

from pydantic import Field, model_validator

from ieat.schemas.audio import AudioSpan
from ieat.schemas.base import Index, Share, Value
from ieat.schemas.emotion import Emotion, Intensity


class CauseKind(str, Enum):
    """How a cause relates to what is said (RECCON, Poria et al. 2021)."""

    EXPLICIT = "explicit"
    LATENT = "latent"
    BACKGROUND = "background"
    SELF_CONTAGION = "self-contagion"
    INTER_PERSONAL = "inter-personal"
    HYBRID = "hybrid"


UNQUOTED_KINDS = frozenset({CauseKind.LATENT, CauseKind.BACKGROUND})
"""Kinds of causes that nobody has to have put into words."""


class Evidence(Value):
    """A verbatim quote that shows the cause, and where it was said."""

    turn_index: Index
    """0-based turn that is quoted."""
    speaker: str
    """Who said it."""
    quote: str = Field(min_length=1)
    """The exact slice of the turn's clean text."""
    start: Index
    """First code point of the quote in the turn's clean text."""
    end: Index
    """Code point after the quote in the turn's clean text."""
    audio: AudioSpan | None
    """Where the quote sounds; null for a turn without audio."""
    is_word_timed: bool
    """Whether `audio` is cut by word times; false when it is the whole turn."""

    @model_validator(mode="after")
    def _offsets_fit_the_quote(self) -> "Evidence":
        if self.end - self.start != len(self.quote):
            raise ValueError("offsets do not fit the length of the quote")
        return self


class Cause(Value):
    """What brought about a state."""

    event: str = Field(min_length=1)
    """What happened, one sentence in the dialogue's language."""
    appraisal: str | None
    """What it means to the speaker, inferred; null when nothing can be said."""
    kind: CauseKind
    """How the cause relates to what is said."""
    evidence: tuple[Evidence, ...]
    """The quotes that show it; may be empty for latent and background causes."""

    @model_validator(mode="after")
    def _is_shown_by_a_quote(self) -> "Cause":
        if not self.evidence and self.kind not in UNQUOTED_KINDS:
            raise ValueError(f"a cause of kind {self.kind.value} needs evidence")
        return self


class Reprediction(Value):
    """What another model takes the emotion to be that it reads a cause of, words for it covered."""

    emotion: Emotion | None
    """The emotion that it found; null when the cause fits several."""
    agrees: bool
    """Whether it is the emotion that the cause explains."""
    verifier_id: str
    """Engine that read the cause, with model and revision."""
    prompt_id: str
    """Prompt that was asked, as name@version.language."""
    prompt_sha256: str
    """SHA-256 of the prompt's template."""
    response_keys: tuple[str, ...]
    """Keys of the stored answers, a re-ask last."""


class Attribution(Value):
    """A state with its causes: what the thinking is made of."""

    turn_index: Index
    """0-based turn of the state."""
    speaker: str
    """Whose state it is."""
    emotion: Emotion
    """The emotion that is explained."""
    intensity: Intensity | None
    """How strongly it shows; null when unknown."""
    causes: tuple[Cause, ...] = Field(min_length=1)
    """The causes, the main one first."""
    agreement: Share | None = None
    """Share of several answers that cite the same turns, and name the same emotion where that was
    asked; null for a single answer."""
    attributor_id: str
    """Engine that wrote the cause, with model and revision."""
    prompt_id: str | None = None
    """Prompt that was asked, as name@version.language; null for engines without prompts."""
    prompt_sha256: str | None = None
    """SHA-256 of the prompt's template; null for engines without prompts."""
    response_keys: tuple[str, ...] = ()
    """Keys of the stored answers, a re-ask last."""
    reprediction: Reprediction | None = None
    """The emotion that a verifier found again from the main cause; null when none was asked, or
    when it gave no usable answer."""
    flags: tuple[str, ...] = ()
    """What is odd about the attribution, as codes (docs/codes.md)."""

    @model_validator(mode="after")
    def _cites_no_later_turn(self) -> "Attribution":
        for cause in self.causes:
            for shown in cause.evidence:
                if shown.turn_index > self.turn_index:
                    raise ValueError(
                        f"evidence in turn {shown.turn_index} lies after the state in "
                        f"turn {self.turn_index}"
                    )
        return self

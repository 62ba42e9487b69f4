"""Give every turn of a dialogue its words."""

import re
import unicodedata
from operator import attrgetter
from typing import NamedTuple

import apache_beam as beam
from apache_beam.pvalue import PCollection

from ieat.pipeline.failures import SilentTurn
from ieat.pipeline.languages import count_words
from ieat.pipeline.ports import SpeechRecognizer
from ieat.pipeline.steps import MapDialogues, StepContext, first_then_rest
from ieat.schemas.audio import Sound
from ieat.schemas.dialogue import Dialogue, Language, Turn
from ieat.schemas.records import HeardDialogue, TranscribedDialogue
from ieat.schemas.transcript import Recognition, Transcript, Utterance

STAGE = "transcribe"

GOLD = "gold"
"""Id of the recognizer that gives the corpus' own words; they need no voice to be true."""

MAX_RATE = {Language.EN: 6.0, Language.ZH: 11.0}
"""Words (English) or characters (Chinese) per second that nobody speaks for a whole turn."""
MIN_RATED = 1.0
"""Seconds of sound under which a rate says nothing."""

_TAG = re.compile(r"\[\s*([^\W\d][^\[\]]{0,38}?)\s*\]")
_REPEATED = re.compile(r"(\b\S+(?:\s+\S+){0,5}?)(?:\W+\1){4,}\b|(\w{2,12}?)\2{4,}", re.IGNORECASE)


class TaggedWords(NamedTuple):
    """The words of a turn with and without the tags of non-speech sounds."""

    clean: str
    tagged: str
    events: tuple[str, ...]


def split_tags(text: str) -> TaggedWords:
    """Part words from tags such as `[sigh]`; tags come out lower case, white space single."""
    printable = "".join(
        " " if unicodedata.category(character) in ("Cc", "Zl", "Zp") else character
        for character in text
    )
    events = tuple(found.group(1).lower() for found in _TAG.finditer(printable))
    tagged = _TAG.sub(lambda found: f"[{found.group(1).lower()}]", printable)
    return TaggedWords(
        clean=" ".join(_TAG.sub(" ", printable).split()),
        tagged=" ".join(tagged.split()),
        events=events,
    )


async def transcribe(heard: HeardDialogue, recognizer: SpeechRecognizer) -> TranscribedDialogue:
    """Transcribe all turns; a turn that the corpus gives and that has no words fails all.

    Raises:
        SilentTurn: A given turn has no words.
        RecordError: The recognizer cannot do a turn.
    """
    dialogue = heard.dialogue
    recognitions = await first_then_rest(
        [
            _recognize(turn, sound, recognizer, dialogue)
            for turn, sound in zip(dialogue.turns, heard.sounds, strict=True)
        ]
    )
    utterances = tuple(
        _utterance(turn, sound, recognition, dialogue.language)
        for turn, sound, recognition in zip(dialogue.turns, heard.sounds, recognitions, strict=True)
    )
    return TranscribedDialogue(
        dialogue=dialogue,
        sounds=heard.sounds,
        transcript=Transcript(recognizer_id=recognizer.recognizer_id, utterances=utterances),
    )


async def _recognize(
    turn: Turn, sound: Sound | None, recognizer: SpeechRecognizer, dialogue: Dialogue
) -> Recognition:
    """Ask for the words of a turn, but not of one without a voice: recognizers invent some."""
    if sound is not None and "no_speech" in sound.flags and recognizer.recognizer_id != GOLD:
        return Recognition(text="")
    return await recognizer.recognize(turn, sound, dialogue.language, dialogue.dialogue_id)


def _utterance(
    turn: Turn, sound: Sound | None, recognition: Recognition, language: Language
) -> Utterance:
    said = split_tags(recognition.text)
    if not said.clean and turn.is_given:
        raise SilentTurn(
            "no_words",
            f"no words in turn {turn.index} ({turn.source_turn_id}): {_why(sound)}; "
            "take the turn out of the corpus or use a stronger recognizer",
        )
    return Utterance(
        turn_index=turn.index,
        clean=said.clean,
        tagged=said.tagged,
        events=said.events,
        words=recognition.words,
        confidence=recognition.confidence,
        response_key=recognition.response_key,
        flags=_flags(said.clean, sound, recognition, language),
    )


def _why(sound: Sound | None) -> str:
    if sound is not None and "no_speech" in sound.flags:
        return "no voice is heard in it"
    return "nothing was recognized"


def _flags(
    clean: str, sound: Sound | None, recognition: Recognition, language: Language
) -> tuple[str, ...]:
    flags = []
    if not clean:
        flags.append("no_words")
    if (
        sound is not None
        and sound.duration >= MIN_RATED
        and count_words(clean, language) > MAX_RATE[language] * sound.duration
    ):
        flags.append("implausible_rate")
    if _REPEATED.search(clean):
        flags.append("repeated_words")
    if recognition.no_speech is not None and recognition.no_speech > 0.6:
        flags.append("no_speech_likely")
    return tuple(flags)


class Transcribe(beam.PTransform):
    """Heard dialogues in, transcribed dialogues out."""

    def __init__(self, context: StepContext) -> None:
        super().__init__()
        self._context = context

    def expand(self, dialogues: PCollection[HeardDialogue]) -> PCollection[TranscribedDialogue]:
        """Return the dialogues whose given turns all have words."""
        return dialogues | MapDialogues(
            STAGE,
            transcribe,
            attrgetter("recognizer"),
            TranscribedDialogue,
            self._context,
        )

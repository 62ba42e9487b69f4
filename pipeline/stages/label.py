"""Label the emotion of every turn, by words and voice, and trace each speaker's trajectory."""

from collections.abc import Awaitable, Sequence
from functools import partial
from operator import attrgetter
from typing import NamedTuple, TypeGuard, TypeVar

import apache_beam as beam
from apache_beam.pvalue import PCollection

from ieat.pipeline.audio.cues import speaking_rate, voice_cues
from ieat.pipeline.config import LabelSettings
from ieat.pipeline.emotion_words import gold_label
from ieat.pipeline.failures import RecordError
from ieat.pipeline.fusion import fuse, is_conflict
from ieat.pipeline.history import attributed_speakers, heard_turns, history_at
from ieat.pipeline.ports import EmotionLabeler, HeardVoice, VoiceLabeler
from ieat.pipeline.stages.transcribe import MAX_RATE
from ieat.pipeline.steps import MapDialogues, StepContext, first_then_rest
from ieat.schemas.audio import Prosody, Sound
from ieat.schemas.emotion import (
    EmotionalState,
    EmotionLabel,
    VoiceCues,
    VoiceEvents,
    trace_trajectory,
)
from ieat.schemas.history import HeardTurn
from ieat.schemas.records import Failure, LabeledDialogue, TranscribedDialogue

STAGE = "label"

Label = TypeVar("Label")


class LabelRules(NamedTuple):
    """What of the configuration labeling depends on."""

    labels: LabelSettings
    user_speaker: str
    max_context_turns: int
    asks_gold_turns: bool
    """Whether turns with a corpus label are labeled from their words too."""


class Said(NamedTuple):
    """What each source says of one turn; null where it says nothing or was not asked."""

    gold: EmotionLabel | None
    """The corpus' label."""
    text: EmotionLabel | Failure | None
    """The label from the words, or why there is none."""
    voice: HeardVoice | Failure | None
    """What was heard in the voice, or why nothing was."""


async def label_emotions(
    transcribed: TranscribedDialogue,
    labeler: EmotionLabeler | None,
    rules: LabelRules,
    voice_labeler: VoiceLabeler | None = None,
) -> LabeledDialogue:
    """Label the wanted speakers' turns; a turn that cannot be labeled becomes a gap and a failure.

    Args:
        transcribed: The dialogue with its words.
        labeler: Labels from the words; null takes the corpus' labels alone.
        rules: Whose turns are labeled, how corpus words are taken, and which source counts.
        voice_labeler: Labels from the sound of each turn alone; null does without.
    """
    dialogue = transcribed.dialogue
    cues = cues_so_far(transcribed)
    turns = heard_turns(dialogue, transcribed.sounds, transcribed.transcript, cues)
    wanted = (
        set(attributed_speakers(dialogue, rules.user_speaker))
        if rules.labels.speakers == "attributed"
        else {turn.speaker for turn in dialogue.turns}
    )
    gold = {
        turn.index: label
        for turn in dialogue.turns
        if (label := gold_label(turn.emotion, rules.labels)) is not None
    }

    async def label_one(turn: HeardTurn) -> Said:
        text = voice = None
        if labeler is not None and (turn.turn_index not in gold or rules.asks_gold_turns):
            history = history_at(dialogue, turns, turn.turn_index, rules.max_context_turns)
            text = await _or_failure(labeler.label(history), turn.turn_index)
        source, sound = dialogue.turns[turn.turn_index], transcribed.sounds[turn.turn_index]
        if voice_labeler is not None and source.audio is not None and has_voice(sound):
            heard = voice_labeler.label_voice(
                source.audio, sound, dialogue.language, dialogue.dialogue_id
            )
            voice = await _or_failure(heard, turn.turn_index)
        return Said(gold.get(turn.turn_index), text, voice)

    labeled = [turn for turn in turns if turn.speaker in wanted]
    found = await first_then_rest([label_one(turn) for turn in labeled])
    states = [
        choose_label(turn, said, rules.labels) for turn, said in zip(labeled, found, strict=True)
    ]
    return LabeledDialogue(
        dialogue=dialogue,
        sounds=transcribed.sounds,
        transcript=transcribed.transcript,
        cues=cues,
        trajectories=tuple(
            trace_trajectory(speaker, tuple(s for s in states if s.speaker == speaker))
            for speaker in dict.fromkeys(state.speaker for state in states)
        ),
        failures=tuple(
            failure
            for state, said in zip(states, found, strict=True)
            for failure in _what_was_needed(state, said, rules.labels)
        ),
        voice_events=tuple(
            VoiceEvents(
                turn_index=turn.turn_index,
                labeler_id=said.voice.label.labeler_id,
                events=said.voice.events,
                response_keys=said.voice.label.response_keys,
            )
            for turn, said in zip(labeled, found, strict=True)
            if isinstance(said.voice, HeardVoice)
        ),
    )


async def _or_failure(label: Awaitable[Label], turn_index: int) -> Label | Failure:
    """Return a label, or why the turn has none; what stops the run is raised."""
    try:
        return await label
    except RecordError as error:
        return Failure(
            unit="turn",
            turn_index=turn_index,
            stage=STAGE,
            code=error.code,
            message=error.message,
            response_keys=error.response_keys,
        )


def has_voice(sound: Sound | None) -> TypeGuard[Sound]:
    """Tell whether there is a voice to label."""
    return sound is not None and sound.speech > 0 and "no_speech" not in sound.flags


def _what_was_needed(state: EmotionalState, said: Said, labels: LabelSettings) -> list[Failure]:
    """Return the failed labels without which the state stays unknown.

    A second opinion that failed loses nothing where another source gives the state, and the voice
    is one wherever words count too.
    """
    if said.gold is not None or state.chosen is not None:
        return []
    needed = said.voice if labels.fusion == "voice" else said.text
    return [needed] if isinstance(needed, Failure) else []


def choose_label(turn: HeardTurn, said: Said, labels: LabelSettings) -> EmotionalState:
    """Put the sources side by side and choose: the corpus' label, else what the policy says.

    A corpus word outside the seven says that none of them fits: nothing is chosen.
    """
    gold = said.gold
    text = None if isinstance(said.text, Failure) else said.text
    voice = said.voice.label if isinstance(said.voice, HeardVoice) else None
    fused = fuse(text, voice, labels.fusion, labels.voice_weight)
    flags = []
    if isinstance(said.text, Failure):
        flags.append("labeling_failed")
    if isinstance(said.voice, Failure):
        flags.append("voice_failed")
    if gold is None and fused is None:
        asked = {"text": [text], "voice": [voice]}.get(labels.fusion, [text, voice])
        given = [label for label in asked if label is not None]
        if any(label.emotion is not None for label in given):
            flags.append("sources_disagree")
        elif given:
            flags.append("abstained")
    if gold is not None and gold.emotion is None:
        flags.append("gold_outside")
    chosen = gold if gold is not None else fused
    known = chosen if chosen is not None and chosen.emotion is not None else None
    return EmotionalState(
        turn_index=turn.turn_index,
        speaker=turn.speaker,
        gold=gold,
        text=text,
        voice=voice,
        chosen=known.emotion if known else None,
        chosen_from=known.source if known else None,
        intensity=known.intensity if known else None,
        conflict=is_conflict(gold, text, voice, labels.conflict_confidence),
        flags=tuple(flags),
    )


def cues_so_far(transcribed: TranscribedDialogue) -> tuple[VoiceCues | None, ...]:
    """Return each turn's voice against the same speaker's turns up to it; never later ones."""
    earlier: dict[str, list[tuple[Prosody, float | None]]] = {}
    cues: list[VoiceCues | None] = []
    language = transcribed.dialogue.language
    for turn, sound, said in zip(
        transcribed.dialogue.turns,
        transcribed.sounds,
        transcribed.transcript.utterances,
        strict=True,
    ):
        if sound is None or not said.clean:
            cues.append(None)
            continue
        rate = speaking_rate(said.clean, sound.speech, language)
        if rate is not None and rate > 1.5 * MAX_RATE[language]:
            # Voice activity missed most of the turn; what it left says nothing about the rate.
            rate = None
        before: Sequence[tuple[Prosody, float | None]] = earlier.setdefault(turn.speaker, [])
        cues.append(voice_cues(turn.index, sound.prosody, rate, before))
        earlier[turn.speaker].append((sound.prosody, rate))
    return tuple(cues)


async def _label(
    transcribed: TranscribedDialogue,
    labelers: tuple[EmotionLabeler | None, VoiceLabeler | None],
    rules: LabelRules,
) -> LabeledDialogue:
    labeler, voice_labeler = labelers
    return await label_emotions(transcribed, labeler, rules, voice_labeler)


class LabelEmotions(beam.PTransform):
    """Transcribed dialogues in, labeled dialogues out."""

    def __init__(self, rules: LabelRules, context: StepContext) -> None:
        super().__init__()
        self._rules = rules
        self._context = context

    def expand(self, dialogues: PCollection[TranscribedDialogue]) -> PCollection[LabeledDialogue]:
        """Return the dialogues with states and trajectories."""
        return dialogues | MapDialogues(
            STAGE,
            partial(_label, rules=self._rules),
            attrgetter("labeler", "voice_labeler"),
            LabeledDialogue,
            self._context,
        )

"""Label the emotion of every turn and trace each speaker's trajectory."""

from collections.abc import Sequence
from functools import partial
from operator import attrgetter
from typing import NamedTuple

import apache_beam as beam
from apache_beam.pvalue import PCollection

from ieat.pipeline.audio.cues import speaking_rate, voice_cues
from ieat.pipeline.config import LabelSettings
from ieat.pipeline.emotion_words import gold_label
from ieat.pipeline.failures import RecordError
from ieat.pipeline.history import attributed_speakers, heard_turns, history_at
from ieat.pipeline.ports import EmotionLabeler
from ieat.pipeline.stages.transcribe import MAX_RATE
from ieat.pipeline.steps import MapDialogues, StepContext, first_then_rest
from ieat.schemas.audio import Prosody
from ieat.schemas.emotion import EmotionalState, EmotionLabel, VoiceCues, trace_trajectory
from ieat.schemas.history import HeardTurn
from ieat.schemas.records import Failure, LabeledDialogue, TranscribedDialogue

STAGE = "label"


class LabelRules(NamedTuple):
    """What of the configuration labeling depends on."""

    labels: LabelSettings
    user_speaker: str
    max_context_turns: int
    asks_gold_turns: bool
    """Whether turns with a corpus label are labeled from their words too."""


async def label_emotions(
    transcribed: TranscribedDialogue, labeler: EmotionLabeler | None, rules: LabelRules
) -> LabeledDialogue:
    """Label the wanted speakers' turns; a turn that cannot be labeled becomes a gap and a failure.

    Args:
        transcribed: The dialogue with its words.
        labeler: Labels from the words; null takes the corpus' labels alone.
        rules: Whose turns are labeled, and how corpus words are taken.
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

    async def label_one(turn: HeardTurn) -> EmotionLabel | Failure | None:
        if labeler is None or (turn.turn_index in gold and not rules.asks_gold_turns):
            return None
        history = history_at(dialogue, turns, turn.turn_index, rules.max_context_turns)
        try:
            return await labeler.label(history)
        except RecordError as error:
            return Failure(
                unit="turn",
                turn_index=turn.turn_index,
                stage=STAGE,
                code=error.code,
                message=error.message,
                response_keys=error.response_keys,
            )

    labeled = [turn for turn in turns if turn.speaker in wanted]
    found = await first_then_rest([label_one(turn) for turn in labeled])
    states = [
        choose_label(turn, gold.get(turn.turn_index), from_words)
        for turn, from_words in zip(labeled, found, strict=True)
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
            for turn, failure in zip(labeled, found, strict=True)
            # A failed second opinion loses nothing where the corpus has a label.
            if isinstance(failure, Failure) and turn.turn_index not in gold
        ),
    )


def choose_label(
    turn: HeardTurn, gold: EmotionLabel | None, text: EmotionLabel | Failure | None
) -> EmotionalState:
    """Put the sources side by side and choose: the corpus' label, else the one from the words.

    A corpus word outside the seven says that none of them fits: nothing is chosen.
    """
    flags = []
    if isinstance(text, Failure):
        flags.append("labeling_failed")
        text = None
    elif text is not None and text.emotion is None and gold is None:
        flags.append("abstained")
    chosen = gold if gold is not None else text
    if gold is not None and gold.emotion is None:
        flags.append("gold_outside")
    named = {label.emotion for label in (gold, text) if label is not None and label.emotion}
    known = chosen if chosen is not None and chosen.emotion is not None else None
    return EmotionalState(
        turn_index=turn.turn_index,
        speaker=turn.speaker,
        gold=gold,
        text=text,
        chosen=known.emotion if known else None,
        chosen_from=known.source if known else None,
        intensity=known.intensity if known else None,
        conflict=len(named) > 1,
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
            partial(label_emotions, rules=self._rules),
            attrgetter("labeler"),
            LabeledDialogue,
            self._context,
        )

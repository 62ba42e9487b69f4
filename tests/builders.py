"""Composed dialogues for tests, made by keyword defaults; sound can be real files."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import soundfile

from ieat.pipeline.audio.source import hash_file, open_source
from ieat.pipeline.history import find_targets
from ieat.schemas.attribution import Attribution, Cause, CauseKind, Evidence
from ieat.schemas.audio import AudioSpan
from ieat.schemas.cells import SpanCell
from ieat.schemas.dialogue import Dialogue, Language, Turn
from ieat.schemas.distillation import Distillation
from ieat.schemas.emotion import Emotion, EmotionalState, EmotionLabel, trace_trajectory
from ieat.schemas.records import DistilledDialogue, Failure, SetAside
from ieat.schemas.sample import Response, Sample, Target, Thinking
from ieat.schemas.transcript import Transcript, Utterance
from tests.dialogues import TALK, dialogue
from tests.fakes import measured

SHA = "a" * 64
FEELINGS: Mapping[int, Emotion] = {0: Emotion.SAD, 2: Emotion.ANGER, 4: Emotion.ANGER}
TEMPLATE = "thinking@1.en"


def composed(
    talk: Sequence[tuple[str, str]] = TALK,
    *,
    name: str = "d1",
    split: str = "train",
    language: Language = Language.EN,
    user: str = "ann",
    with_audio: bool = True,
    silent: Sequence[int] = (),
    texts_only: Sequence[int] = (),
    recognizer_id: str = "gold",
    confidence: float | None = None,
    labeler_id: str = "openai:m",
    label_source: str = "text",
    emotions: Mapping[int, Emotion | None] = FEELINGS,
    golds: Mapping[int, Emotion] | None = None,
    attributor_id: str = "openai:m",
    response: str = "written",
    conditioned_on: Sequence[str] = ("words", "thinking"),
    thinking: str = "She is angry, as her bag was stolen.",
    failed_states: Mapping[int, str] | None = None,
    failed_targets: Mapping[int, str] | None = None,
    left_out: Mapping[int, str] | None = None,
    spans: Mapping[int, AudioSpan] | None = None,
    distillations: Sequence[Distillation] = (),
) -> DistilledDialogue:
    """Return a dialogue whose user is answered at every target.

    Args:
        talk: Speaker and words of each turn.
        name: The dialogue's name.
        split: Its split.
        language: Its language.
        user: The speaker that is labeled and answered.
        with_audio: Whether turns have sound.
        silent: Turns in which nothing was heard; voice activity cut them.
        texts_only: Turns without sound.
        recognizer_id: Who gave the words.
        confidence: How sure the recognizer is.
        labeler_id: Who labeled.
        label_source: Source of the chosen emotions: text or gold.
        emotions: Chosen emotion of the user's turns.
        golds: The corpus' own labels beside those of the words.
        attributor_id: Who found the causes.
        response: Source of the answers.
        conditioned_on: What a written answer came from.
        thinking: Text of every thinking.
        failed_states: Turns whose state failed, with the code.
        failed_targets: Targets that failed, with the code.
        left_out: Targets left out on purpose, with the code.
        spans: Real places of turns that sound.
        distillations: What a teacher answered.
    """
    spoken = _dialogue(talk, name, split, language, with_audio, silent, texts_only, spans or {})
    words = ["" if turn.index in silent else turn.text or "" for turn in spoken.turns]
    ends = {**(failed_targets or {}), **(left_out or {})}
    targets = [
        target
        for target in find_targets(
            [(turn.index, turn.speaker) for turn in spoken.turns if words[turn.index]], (user,)
        )
        if target.turn_index not in ends
    ]
    states = tuple(
        _state(turn, emotions.get(turn.index), labeler_id, label_source, golds or {})
        for turn in spoken.turns
        if turn.speaker == user and words[turn.index]
    )
    attributions = tuple(
        _attribution(spoken, state, attributor_id)
        for state in states
        if state.chosen not in (None, Emotion.NEUTRAL)
    )
    return DistilledDialogue(
        dialogue=spoken,
        sounds=tuple(None if turn.audio is None else _sound(turn.audio) for turn in spoken.turns),
        transcript=Transcript(
            recognizer_id=recognizer_id,
            utterances=tuple(
                Utterance(
                    turn_index=turn.index,
                    clean=words[turn.index],
                    tagged=words[turn.index],
                    confidence=confidence,
                    response_key=None if recognizer_id == "gold" else f"words-{turn.index}",
                )
                for turn in spoken.turns
            ),
        ),
        cues=(None,) * len(spoken.turns),
        trajectories=(trace_trajectory(user, states),),
        attributions=attributions,
        failures=(
            *_failures("turn", "attribute", failed_states or {}),
            *_failures("target", "compose", failed_targets or {}),
        ),
        samples=tuple(
            _sample(spoken, target, attributions, response, conditioned_on, thinking)
            for target in targets
        ),
        filtered=tuple((left_out or {}).items()),
        distillations=tuple(distillations),
    )


def aside(name: str = "d9", end: str = "dead", **changes: object) -> SetAside:
    """Return a dialogue of four turns and two targets that did not come through."""
    return SetAside.model_validate(
        {
            "dialogue_id": f"corpus/{name}",
            "source": f"talks.jsonl:{name}",
            "end": end,
            "stage": "hear",
            "code": "audio_missing" if end == "dead" else "stopped",
            "message": "there is no such file",
            "record": "{}" if end == "dead" else "",
            "num_turns": 4,
            "num_targets": 2,
            **changes,
        }
    )


def tone(path: Path, *, seconds: float = 0.5, pitch: float = 220.0, rate: int = 16000) -> AudioSpan:
    """Write a tone and return where it lies."""
    time = np.arange(round(seconds * rate)) / rate
    soundfile.write(path, (0.3 * np.sin(2 * np.pi * pitch * time)).astype(np.float32), rate)
    return AudioSpan(uri=str(path))


def fake_clip(span: SpanCell) -> bytes:
    """Stand in for the bytes of a clip: tells which one it is."""
    return f"clip {span.uri} {span.start_sample}-{span.end_sample}".encode()


def _dialogue(
    talk: Sequence[tuple[str, str]],
    name: str,
    split: str,
    language: Language,
    with_audio: bool,
    silent: Sequence[int],
    texts_only: Sequence[int],
    spans: Mapping[int, AudioSpan],
) -> Dialogue:
    spoken = dialogue(talk, name=name, language=language, with_audio=with_audio)
    turns: list[Turn] = []
    for turn in spoken.turns:
        audio = None if turn.index in texts_only else spans.get(turn.index, turn.audio)
        changes = {"audio": audio, "is_given": turn.index not in silent}
        turns.append(turn.model_copy(update=changes))
    return spoken.model_copy(update={"turns": tuple(turns), "split": split})


def _sound(span: AudioSpan) -> object:
    sound = measured(span)
    if not Path(span.uri).exists():
        return sound
    info = soundfile.info(span.uri)
    with open_source(span.uri) as source:
        return sound.model_copy(
            update={
                "source_sha256": hash_file(source),
                "source_rate": info.samplerate,
                "start_sample": 0,
                "end_sample": info.frames,
                "duration": info.duration,
            }
        )


def _state(
    turn: Turn,
    emotion: Emotion | None,
    labeler_id: str,
    source: str,
    golds: Mapping[int, Emotion],
) -> EmotionalState:
    gold = golds.get(turn.index, emotion if source == "gold" else None)
    label = EmotionLabel(source="text", labeler_id=labeler_id, emotion=emotion, confidence=0.8)
    return EmotionalState.model_validate(
        {
            "turn_index": turn.index,
            "speaker": turn.speaker,
            "gold": gold and EmotionLabel(source="gold", labeler_id="gold", emotion=gold),
            "text": None if source == "gold" else label,
            "chosen": emotion,
            "chosen_from": emotion and source,
            "conflict": gold is not None and source == "text" and gold != emotion,
        }
    )


def _attribution(spoken: Dialogue, state: EmotionalState, attributor_id: str) -> Attribution:
    turn = spoken.turns[state.turn_index]
    quote = (turn.text or "")[:6]
    return Attribution.model_validate(
        {
            "turn_index": turn.index,
            "speaker": turn.speaker,
            "emotion": state.chosen,
            "intensity": "medium",
            "causes": [
                Cause(
                    event="A bag was stolen.",
                    appraisal=None,
                    kind=CauseKind.EXPLICIT,
                    evidence=(
                        Evidence(
                            turn_index=turn.index,
                            speaker=turn.speaker,
                            quote=quote,
                            start=0,
                            end=len(quote),
                            audio=turn.audio,
                            is_word_timed=False,
                        ),
                    ),
                )
            ],
            "attributor_id": attributor_id,
            "prompt_id": "attribution@1.en",
            "prompt_sha256": SHA,
            "response_keys": [f"cause-{turn.index}"],
        }
    )


def _failures(unit: str, stage: str, codes: Mapping[int, str]) -> tuple[Failure, ...]:
    return tuple(
        Failure.model_validate(
            {
                "unit": unit,
                "turn_index": turn,
                "stage": stage,
                "code": code,
                "message": f"{code} in turn {turn}",
            }
        )
        for turn, code in codes.items()
    )


def _sample(
    spoken: Dialogue,
    target: Target,
    attributions: Sequence[Attribution],
    response: str,
    conditioned_on: Sequence[str],
    thinking: str,
) -> Sample:
    is_written = response == "written"
    answer = [spoken.turns[turn] for turn in target.answer_turns]
    return Sample(
        target=target,
        thinking=Thinking(
            text=thinking,
            template_id=TEMPLATE,
            template_sha256=SHA,
            state_turns=tuple(
                found.turn_index for found in attributions if found.turn_index <= target.turn_index
            ),
        ),
        response=Response.model_validate(
            {
                "text": "I am sorry." if is_written else " ".join(t.text or "" for t in answer),
                "source": response,
                "conditioned_on": conditioned_on if is_written else (),
                "audio": () if is_written else tuple(t.audio for t in answer if t.audio),
                "writer_id": "openai:m" if is_written else None,
                "prompt_id": "response@1.en" if is_written else None,
                "prompt_sha256": SHA if is_written else None,
                "response_keys": (f"answer-{target.turn_index}",) if is_written else (),
            }
        ),
    )

"""What may be known at a turn, targets, and whose states are attributed."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from ieat.pipeline.failures import BadInput
from ieat.schemas.audio import Sound
from ieat.schemas.dialogue import Dialogue, Turn
from ieat.schemas.emotion import VocalEvent, VoiceCues, VoiceEvents
from ieat.schemas.history import HeardTurn, History
from ieat.schemas.sample import Target
from ieat.schemas.transcript import Transcript, Utterance


def heard_turns(
    dialogue: Dialogue,
    sounds: Sequence[Sound | None],
    transcript: Transcript,
    cues: Sequence[VoiceCues | None],
    voice_events: Iterable[VoiceEvents] = (),
) -> tuple[HeardTurn, ...]:
    """Return the turns that have words, in order, as engines see them."""
    events = {found.turn_index: found.events for found in voice_events}
    return tuple(
        heard_turn(turn, sound, said, cue, events.get(turn.index, ()))
        for turn, sound, said, cue in zip(
            dialogue.turns, sounds, transcript.utterances, cues, strict=True
        )
        if said.clean
    )


def heard_turn(
    turn: Turn,
    sound: Sound | None,
    said: Utterance,
    cue: VoiceCues | None,
    voice_events: tuple[VocalEvent, ...] = (),
) -> HeardTurn:
    """Join what is known of one turn."""
    return HeardTurn(
        turn_index=turn.index,
        speaker=turn.speaker,
        clean=said.clean,
        tagged=said.tagged,
        events=said.events,
        voice_events=voice_events,
        words=said.words,
        audio=turn.audio,
        duration=sound.duration if sound else None,
        cues=cue,
    )


def history_at(
    dialogue: Dialogue, turns: Sequence[HeardTurn], turn_index: int, max_turns: int
) -> History:
    """Return what may be known at a turn: the last `max_turns` turns up to it, nothing later."""
    so_far = [turn for turn in turns if turn.turn_index <= turn_index]
    return History(
        dialogue_id=dialogue.dialogue_id,
        language=dialogue.language,
        turns=tuple(so_far[-max_turns:]),
        num_earlier=max(0, len(so_far) - max_turns),
    )


def attributed_speakers(dialogue: Dialogue, user_speaker: str) -> tuple[str, ...]:
    """Return the speakers whose states are attributed, in order of their first turn.

    Args:
        dialogue: The dialogue.
        user_speaker: `first`, `all`, `channel:N`, or the name of a speaker.

    Raises:
        BadInput: The dialogue has no such speaker or channel.
    """
    speakers = list(dict.fromkeys(turn.speaker for turn in dialogue.turns))
    if user_speaker == "all":
        return tuple(speakers)
    if user_speaker == "first":
        return (speakers[0],)
    kind, _, number = user_speaker.partition(":")
    if kind == "channel" and number.isdecimal():
        chosen = [
            turn.speaker
            for turn in dialogue.turns
            if turn.audio is not None and turn.audio.channel == int(number)
        ]
    else:
        chosen = [speaker for speaker in speakers if speaker == user_speaker]
    if not chosen:
        raise BadInput(
            "user_speaker_unknown",
            f"{dialogue.source}: no speaker {user_speaker!r}; the dialogue has "
            f"{', '.join(speakers)} (user_speaker may be first, all, channel:N or a name)",
        )
    return tuple(dict.fromkeys(chosen))


def find_targets(turns: Iterable[tuple[int, str]], attributed: Sequence[str]) -> tuple[Target, ...]:
    """Return the targets: neighboring turns of an attributed speaker, then another speaker's.

    Args:
        turns: 0-based index and speaker of each turn with words, in order.
        attributed: The speakers whose turns are answered.
    """
    groups: list[tuple[str, list[int]]] = []
    for index, speaker in turns:
        if groups and groups[-1][0] == speaker:
            groups[-1][1].append(index)
        else:
            groups.append((speaker, [index]))
    return tuple(
        Target(
            user_speaker=speaker,
            answering_speaker=next_speaker,
            user_turns=tuple(indices),
            answer_turns=tuple(next_indices),
        )
        for (speaker, indices), (next_speaker, next_indices) in pairwise(groups)
        if speaker in attributed
    )

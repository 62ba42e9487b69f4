"""Rules that anybody can follow without reading a word; an engine has to beat them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from ieat.pipeline.bench.gold import GoldDialogue
from ieat.pipeline.bench.scores import FoundCause, FoundEmotion, Place, SpokenDialogue
from ieat.schemas.emotion import Emotion

BOTH = "own turn and the one before"
"""The rule that engines are compared with."""

CAUSE_RULES: Mapping[str, Callable[[int], tuple[int, ...]]] = {
    "own turn": lambda turn: (turn,),
    "turn before": lambda turn: (turn - 1,),
    BOTH: lambda turn: (turn, turn - 1),
}
"""Turns that each rule cites for the state of a turn; those before the first are left out."""

MAJORITY = "most frequent emotion"


def cite_by_rule(
    dialogues: Sequence[GoldDialogue], rule: Callable[[int], tuple[int, ...]]
) -> dict[Place, FoundCause]:
    """Return what a rule cites for every scored state: all words of each turn."""
    found = {}
    for number, gold in enumerate(dialogues):
        spoken = SpokenDialogue(gold)
        for cause in gold.scored_causes():
            turns = [turn for turn in rule(cause.turn_index) if turn >= 0]
            found[Place(number, cause.turn_index)] = FoundCause(
                tuple(spoken.whole(turn) for turn in turns)
            )
    return found


def most_frequent_emotion(dialogues: Sequence[GoldDialogue]) -> dict[Place, FoundEmotion]:
    """Return the emotion that the file itself has most often, for every turn that has one."""
    gold = {
        Place(number, index): turn.emotion
        for number, dialogue in enumerate(dialogues)
        for index, turn in enumerate(dialogue.turns)
        if turn.emotion is not None
    }
    if not gold:
        return {}
    counted = Counter(gold.values())
    # The order of the seven decides between equals.
    most = max(Emotion, key=lambda emotion: counted[emotion])
    return {place: FoundEmotion(most) for place in gold}

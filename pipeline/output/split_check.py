"""Whether splits are kept apart: no test row in train, no speaker or script in two splits."""

from collections.abc import Iterable
from typing import NamedTuple

from ieat.pipeline.split_keys import TRAIN

_Known = dict[str, dict[str, str]]
"""Key to split to the first dialogue there."""


class HeldOutError(Exception):
    """A row would lie in a split that it may not be in: a defect of the pipeline or a setting."""


class Parted(NamedTuple):
    """What of a dialogue matters for its split."""

    dialogue_id: str
    """The dialogue."""
    split: str
    """Where it is."""
    speaker_ids: tuple[str, ...]
    """People of the corpus who speak in it."""
    script_ids: tuple[str, ...]
    """What names its script."""


class SharedKey(NamedTuple):
    """A speaker or a script that lies in more than one split."""

    key: str
    """The speaker, or what names the script."""
    examples: tuple[tuple[str, str], ...]
    """Each of its splits, sorted, with the first dialogue there."""


class Shared(NamedTuple):
    """Speakers and scripts that lie in more than one split, sorted."""

    num_speakers: int
    """Speakers who are known beyond their dialogue."""
    num_scripts: int
    """Scripts that are known."""
    speakers: tuple[SharedKey, ...]
    """Those of the speakers that are shared."""
    scripts: tuple[SharedKey, ...]
    """Those of the scripts that are shared."""

    @property
    def is_disjoint(self) -> bool:
        """Whether nothing is shared."""
        return not (self.speakers or self.scripts)


def refuse_held_out(dialogue_id: str, corpus_split: str, split: str) -> None:
    """Refuse a dialogue in another split than the one to which its corpus holds it.

    Dialogues that the corpus gives to train may go anywhere.

    Raises:
        HeldOutError: It left a split that is held out.
    """
    if corpus_split not in (split, TRAIN):
        raise HeldOutError(
            f"{dialogue_id}: its corpus gives it to {corpus_split}, but it would go to {split}"
        )


def find_shared(dialogues: Iterable[Parted]) -> Shared:
    """Find the speakers and the scripts that lie in more than one split."""
    speakers: _Known = {}
    scripts: _Known = {}
    for parted in dialogues:
        for known, ids in ((speakers, parted.speaker_ids), (scripts, parted.script_ids)):
            for key in ids:
                examples = known.setdefault(key, {})
                example = examples.setdefault(parted.split, parted.dialogue_id)
                examples[parted.split] = min(example, parted.dialogue_id)
    return Shared(len(speakers), len(scripts), _in_several(speakers), _in_several(scripts))


def _in_several(known: _Known) -> tuple[SharedKey, ...]:
    return tuple(
        SharedKey(key, tuple(sorted(examples.items())))
        for key, examples in sorted(known.items())
        if len(examples) > 1
    )

"""Part dialogues into splits by groups that share people or a script, and remember where they went.

A group is a connected component: dialogues that share a speaker or a script, those that share one
with these, and so on.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from fsspec.core import url_to_fs
from pydantic import Field, ValidationError

from ieat.pipeline.failures import ConfigError
from ieat.pipeline.output.files import BuildFolder
from ieat.pipeline.split_keys import TRAIN, SplitBy, split_keys
from ieat.schemas.base import Value
from ieat.schemas.dialogue import Dialogue

FORMAT = "ieat splits"
VERSION = 1

LARGE = 0.5
"""Share of all dialogues above which a group goes to the largest split whatever its hash says:
nothing else would be left for that one."""


class SplitItem(NamedTuple):
    """What of a dialogue decides its split."""

    dialogue_id: str
    """The dialogue."""
    keys: tuple[str, ...]
    """Everything that joins it to others, its own id among them."""
    split: str
    """The split that its corpus gives it to."""


class SplitGroup(Value):
    """Dialogues that stay together."""

    split: str
    """Where they are."""
    keys: tuple[str, ...]
    """What joins a dialogue to them, sorted."""


class Splits(Value):
    """Which group went where: the file that is kept with a corpus."""

    format: str = FORMAT
    """What the file is."""
    version: int = VERSION
    """Version of its form."""
    by: tuple[SplitBy, ...]
    """What the dialogues of two splits never share."""
    groups: dict[str, SplitGroup] = Field(default_factory=dict)
    """The groups by name: the first id among their first dialogues."""


class Assignment(NamedTuple):
    """Where every dialogue goes."""

    splits: dict[str, str]
    """Split of each dialogue."""
    known: Splits
    """What is to be remembered."""
    notes: tuple[str, ...]
    """What a person should know."""


class _Held(NamedTuple):
    """A split that a component cannot leave."""

    split: str
    name: str
    """Name of the group, or id of the dialogue that its corpus gives to the split."""
    is_group: bool

    def __str__(self) -> str:
        if self.is_group:
            return f"the group {self.name} ({self.split}, as remembered)"
        return f"the dialogue {self.name} ({self.split}, as its corpus says)"


class _Components:
    """Union-find over keys; every component knows what holds it."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}
        self.held: dict[str, _Held] = {}

    def find(self, key: str) -> str:
        """Return the key that stands for the component."""
        root = key
        while (above := self._above.setdefault(root, root)) != root:
            root = above
        while self._above[key] != root:
            self._above[key], key = root, self._above[key]
        return root

    def join(self, keys: Iterable[str], held: _Held | None, joiner: str) -> None:
        """Make one component of all keys.

        Raises:
            ConfigError: Their splits differ.
        """
        roots = list(dict.fromkeys(self.find(key) for key in keys))
        first = roots[0]
        # What holds the key itself comes last, so that messages name what was there before.
        found = [self.held[root] for root in roots if root in self.held] + ([held] if held else [])
        for other in found[1:]:
            if other.split != found[0].split:
                raise ConfigError(
                    f"{found[0]} and {other} grow together: the dialogue {joiner} shares speakers "
                    "or scripts with both, and a group never changes its split. Leave that "
                    "dialogue out, give its speakers or script other names if they are others, or "
                    "start anew with another splits.file and output"
                )
        for root in roots[1:]:
            self._above[root] = first
            self.held.pop(root, None)
        if found:
            self.held[first] = min(found, key=lambda one: (not one.is_group, one.name))

    def all_keys(self) -> tuple[str, ...]:
        """Return all keys."""
        return tuple(self._above)


def item_of(dialogue: Dialogue, by: tuple[SplitBy, ...]) -> SplitItem:
    """Return what of a dialogue decides its split."""
    return SplitItem(dialogue.dialogue_id, split_keys(dialogue, by), dialogue.split)


def assign_splits(
    items: Iterable[SplitItem], known: Splits, shares: Mapping[str, float]
) -> Assignment:
    """Give every dialogue its split.

    Args:
        items: The dialogues, each id once.
        known: Where earlier groups went; they stay there.
        shares: Share of each split for new groups; drawn by a hash of the group's name, so that
            a group goes to the same split whatever else there is.

    Raises:
        ConfigError: Groups of two splits grow together, or one with a dialogue that its corpus
            gives to another split.
    """
    ordered = sorted(items)
    components = _Components()
    for name, group in sorted(known.groups.items()):
        components.join(group.keys, _Held(group.split, name, is_group=True), name)
    for item in ordered:
        is_given = item.split != TRAIN
        held = _Held(item.split, item.dialogue_id, is_group=False) if is_given else None
        components.join(item.keys, held, item.dialogue_id)
    members: dict[str, list[SplitItem]] = {}
    for item in ordered:
        members.setdefault(components.find(item.keys[0]), []).append(item)
    keys: dict[str, list[str]] = {}
    for key in components.all_keys():
        keys.setdefault(components.find(key), []).append(key)
    splits: dict[str, str] = {}
    groups: dict[str, SplitGroup] = {}
    notes = _Notes(len(ordered))
    for root, joined in keys.items():
        held = components.held.get(root)
        inside = members.get(root, [])
        name = held.name if held and held.is_group else inside[0].dialogue_id
        split = held.split if held else _draw(name, len(inside), len(ordered), shares)
        notes.see(name, split, inside)
        splits |= {item.dialogue_id: split for item in inside}
        groups[name] = SplitGroup(split=split, keys=tuple(sorted(joined)))
    remembered = Splits(by=known.by, groups=dict(sorted(groups.items())))
    return Assignment(splits, remembered, notes.told())


class _Notes:
    """Gathers what a person should know of an assignment."""

    def __init__(self, num_dialogues: int) -> None:
        self._num_dialogues = num_dialogues
        self._largest: tuple[int, str, str] = (0, "", "")
        self._num_pulled: dict[str, int] = {}

    def see(self, name: str, split: str, inside: list[SplitItem]) -> None:
        self._largest = max(self._largest, (len(inside), name, split))
        if any(item.split != TRAIN for item in inside):
            num_pulled = sum(item.split == TRAIN for item in inside)
            if num_pulled:
                self._num_pulled[split] = self._num_pulled.get(split, 0) + num_pulled

    def told(self) -> tuple[str, ...]:
        notes = [
            f"{count} dialogues that the corpora give to {TRAIN} share speakers or scripts with "
            f"their split {split}, and go there"
            for split, count in sorted(self._num_pulled.items())
        ]
        count, name, split = self._largest
        if count > 1 and count > LARGE * self._num_dialogues:
            notes.append(
                f"the group {name} holds {count} of {self._num_dialogues} dialogues, which share "
                f"speakers or scripts; all of them go to {split}"
            )
        return tuple(notes)


def _draw(name: str, size: int, num_dialogues: int, shares: Mapping[str, float]) -> str:
    if size > 1 and size > LARGE * num_dialogues:
        return max(sorted(shares), key=lambda split: shares[split])
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
    point = int.from_bytes(digest[:8], "big") / 2**64
    drawn = TRAIN
    for split in sorted(shares):
        drawn = split
        point -= shares[split]
        if point < 0:
            break
    return drawn


def with_split(dialogue: Dialogue, split: str) -> Dialogue:
    """Return the dialogue in a split.

    Raises:
        ConfigError: Its corpus gives it to another one than train, which it may not leave.
    """
    given = dialogue.corpus_split or dialogue.split
    if split == given:
        return dialogue
    if given != TRAIN:
        raise ConfigError(
            f"{dialogue.dialogue_id}: its corpus gives it to {given}, so it cannot go to {split}"
        )
    return dialogue.model_copy(update={"split": split, "corpus_split": given})


def read_splits(file: str, by: tuple[SplitBy, ...]) -> Splits:
    """Return what is remembered; nothing where there is no file.

    Raises:
        ConfigError: The file cannot be read, is none of ours, or was made by other rules.
    """
    try:
        files, path = url_to_fs(file)
        if not files.exists(path):
            return Splits(by=by)
        found = Splits.model_validate_json(files.cat_file(path))
    except ValidationError as error:
        raise ConfigError(
            f"{file} does not say which group went where; restore it, or give another splits.file"
        ) from error
    except (OSError, ValueError, ImportError) as error:
        raise ConfigError(f"cannot read {file}: {error}; restore it") from error
    if (found.format, found.version) != (FORMAT, VERSION):
        raise ConfigError(f"{file} is of another version; give another splits.file")
    if set(found.by) != set(by):
        raise ConfigError(
            f"{file} parts by {', '.join(found.by) or 'dialogue'}, not by "
            f"{', '.join(by) or 'dialogue'}; set splits.by as it was, or give another splits.file"
        )
    return found.model_copy(update={"by": by})


def write_splits(file: str, splits: Splits) -> None:
    """Remember where groups went: the file is whole or as it was.

    Raises:
        ConfigError: It cannot be written.
    """
    folder, _, name = file.rpartition("/")
    try:
        BuildFolder(folder or ".").write_json(name, splits.model_dump(mode="json"))
    except (OSError, ValueError, ImportError) as error:
        raise ConfigError(f"cannot write {file}: {error}; give another splits.file") from error

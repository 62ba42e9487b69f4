"""The layout `humdial`: the published trees of the HumDial challenge (arXiv 2601.05564)."""

import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from ieat.pipeline.config import InputSettings
from ieat.pipeline.corpora.humdial_files import find_audio
from ieat.pipeline.corpora.lines import find_lines, hash_line, parse_line
from ieat.pipeline.corpora.naming import build_dialogue, check_id, name_corpus, to_language
from ieat.pipeline.corpora.places import Place, find_place, refuse_empty, walk
from ieat.pipeline.failures import BadInput, Filtered
from ieat.schemas.audio import AudioSpan
from ieat.schemas.dialogue import Dialogue
from ieat.schemas.records import SourceUnit

DIALOGUE_ID = re.compile(
    r"(?:(?P<task>task\d+)_(?:(?P<turns>\d+)_)?)?(?P<language>zh|en)_(?P<group>\d+)(?:_(?P<item>\d+))?"
)
"""Grammar of ids: `zh_0001_0001`, `task2_4_en_0002_0014`, `task2_3_zh_0015`."""

TEST_FILE = re.compile(r"HD-Track1-(T\d)")
"""Name of a file or folder of the test tree; its task is in the final numbering."""

TRAIN_FILE = re.compile(r"(task\d+)(?:_\d+)?")
"""Name of a file of the train and dev trees; its task needs the configured mapping."""

TEXT_KEYS = ("text", "input_text")
EMOTION_KEYS = ("emotion", "input_emotion")
AUDIO_KEYS = ("split_audio_file",)
RESPONSE_KEYS = ("response_text", "response_txt")
RESPONSE_AUDIO_KEYS = ("response_audio",)
"""Names of one thing in the published files and in the scripts that read them, in this order."""

CHAT_PREFIX = "assistant\n"
"""What model outputs carry before the words; the scorers take what follows the last one."""


class HumdialCorpus:
    """Reads the train, dev and test trees; one turn there holds question and answer."""

    def __init__(self, settings: InputSettings, input_index: int) -> None:
        self._settings = settings
        self._input_index = input_index

    @cached_property
    def _root(self) -> Place:
        return find_place(self._settings.path)

    def units(self) -> Iterator[SourceUnit]:
        """Yield one unit a line of every JSONL file of the tree."""
        place = self._root
        files = (
            (found.uri for found in walk(place.uri) if found.name.endswith(".jsonl"))
            if place.is_folder
            else iter([place.uri])
        )
        return refuse_empty(
            (unit for uri in files for unit in find_lines(uri, self._input_index)),
            f"{place.uri} holds no line of JSON; looked for train/{{zh,en}}/task*.jsonl and "
            "HD-Track1-Test/{zh,en}/HD-Track1-T{1,2,3}.jsonl",
        )

    def read(self, unit: SourceUnit) -> Dialogue:
        """Parse a line and find its audio.

        Raises:
            Filtered: The exclusion list names the dialogue.
            BadInput: The line is broken, or audio that it names is missing.
        """
        row = parse_line(unit)
        path = PurePosixPath(unit.uri.replace("\\", "/"))
        found_id = row.get("dialogue_id")
        if not isinstance(found_id, str):
            raise BadInput("missing_key", f"{unit.source}: the key dialogue_id is missing")
        check_id(found_id, unit.source)
        split = self._split(path)
        # Ids repeat between the files of different tasks unless they carry the task themselves.
        name = found_id if found_id.startswith("task") else f"{path.stem}_{found_id}"
        self._refuse_excluded((found_id, name), split, unit.source)
        grammar = DIALOGUE_ID.fullmatch(found_id)
        named = next((part for part in reversed(path.parts[:-1]) if part in ("zh", "en")), None)
        language = named or (grammar and grammar["language"]) or self._settings.language
        task = self._task(path, grammar["task"] if grammar else None)
        turns, flags = _read_turns(row, found_id, unit)
        flags |= set() if task else {"unknown_task"}
        if split == "test":
            # The rules of the challenge forbid any use of the test set but running a model on it.
            flags.add("inference_only")
        return build_dialogue(
            {
                "corpus": name_corpus(self._settings, self._root),
                "name": name,
                "language": to_language(language, unit.source),
                "split": split,
                "license": self._settings.license,
                "source": unit.source,
                "source_sha256": hash_line(unit),
                "turns": tuple({"index": index, **turn} for index, turn in enumerate(turns)),
                # Without the task: dialogues of task 3 are taken from those of tasks 1 and 2. With
                # the split: nothing says that numbers go on from one published tree to another.
                "script": (
                    f"{split}/{grammar['language']}_{grammar['group']}" if grammar else None
                ),
                "tasks": (task,) if task else (),
                "flags": tuple(sorted(flags)),
            },
            unit.source,
        )

    def _split(self, path: PurePosixPath) -> str:
        for part in reversed(path.parts[:-1]):
            if part == "HD-Track1-Test" or TEST_FILE.fullmatch(part):
                return "test"
            first = part.partition("_")[0]
            if first in ("train", "dev", "test"):
                return first
        return "test" if TEST_FILE.fullmatch(path.stem) else self._settings.split

    def _task(self, path: PurePosixPath, id_task: str | None) -> str | None:
        for part in (path.stem, *reversed(path.parts[:-1])):
            if matched := TEST_FILE.fullmatch(part):
                return matched[1]
        matched = TRAIN_FILE.fullmatch(path.stem)
        key = matched[1] if matched else id_task
        return self._settings.humdial.tasks.get(key) if key else None

    def _refuse_excluded(self, names: tuple[str, ...], split: str, source: str) -> None:
        settings = self._settings.humdial
        if split not in settings.exclude_from:
            return
        for entry in settings.exclude:
            if any(name == entry or name.startswith(f"{entry}_") for name in names):
                raise Filtered(
                    "excluded_by_list",
                    f"{source}: {names[0]} is on the exclusion list ({entry}); "
                    "change humdial.exclude or humdial.exclude_from to keep it",
                )


def _read_turns(
    row: dict[str, Any], dialogue_id: str, unit: SourceUnit
) -> tuple[list[dict[str, Any]], set[str]]:
    """Return the fields of our turns, two for one of theirs, and the dialogue's flags."""
    # Recognition items have one turn, whose keys may stand in the row itself.
    theirs = row.get("turns", [row])
    if not isinstance(theirs, list) or not theirs:
        raise BadInput("missing_key", f"{unit.source}: `turns` must be a list of turns")
    flags = set()
    ours: list[dict[str, Any]] = []
    seen: set[str] = set()
    for number, turn in enumerate(theirs, start=1):
        where = f"{unit.source}: turns.{number - 1}"
        if not isinstance(turn, dict):
            raise BadInput("broken_turn", f"{where}: this is no JSON object")
        turn_id = str(turn.get("turn_id", number))
        if turn_id in seen:
            raise BadInput("duplicate_turn", f"{where}: the turn_id {turn_id} stands twice")
        seen.add(turn_id)
        ours.append(_user_turn(turn, turn_id, dialogue_id, unit, where))
        if answer := _answer_turn(turn, turn_id, dialogue_id, unit, where):
            ours.append(answer)
    order = [int(turn_id) for turn_id in seen if turn_id.isdecimal()]
    given = [int(t["source_turn_id"]) for t in ours if t["source_turn_id"].isdecimal()]
    if len(order) == len(seen) and given != sorted(given):
        ours.sort(key=lambda turn: int(turn["source_turn_id"].removesuffix("_response")))
        flags.add("reordered")
    return ours, flags


def _user_turn(
    turn: dict[str, Any], turn_id: str, dialogue_id: str, unit: SourceUnit, where: str
) -> dict[str, Any]:
    named = _text(turn, AUDIO_KEYS, where)
    text = _text(turn, TEXT_KEYS, where)
    uri, looked_for = find_audio(unit.uri, dialogue_id, turn_id, named, is_response=False)
    if uri is None and (named is not None or text is None):
        raise BadInput(
            "audio_missing",
            f"{where}: no audio file; looked for {', '.join(looked_for)}; put it there",
        )
    return {
        "source_turn_id": check_id(turn_id, where),
        "speaker": "user",
        "audio": AudioSpan(uri=uri) if uri else None,
        "text": text,
        "emotion": _text(turn, EMOTION_KEYS, where),
    }


def _answer_turn(
    turn: dict[str, Any], turn_id: str, dialogue_id: str, unit: SourceUnit, where: str
) -> dict[str, Any] | None:
    """Return the answer; its audio is missing on purpose in the train tree."""
    text = _text(turn, RESPONSE_KEYS, where)
    if text is not None:
        text = text.rpartition(CHAT_PREFIX)[2].strip() or None
    named = _text(turn, RESPONSE_AUDIO_KEYS, where)
    if text is None and named is None:
        return None
    uri, _ = find_audio(unit.uri, dialogue_id, turn_id, named, is_response=True)
    if text is None and uri is None:
        return None
    return {
        "source_turn_id": f"{turn_id}_response",
        "speaker": "assistant",
        "audio": AudioSpan(uri=uri) if uri else None,
        "text": text,
    }


def _text(turn: dict[str, Any], keys: tuple[str, ...], where: str) -> str | None:
    """Return the first of the keys that holds words; null when none does."""
    for key in keys:
        value = turn.get(key)
        if value is None:
            continue
        if not isinstance(value, str):
            raise BadInput("broken_turn", f"{where}: {key} must be text")
        if value.strip():
            return value.strip()
    return None

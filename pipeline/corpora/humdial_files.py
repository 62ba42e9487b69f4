"""Where a HumDial turn's audio lies: the published paths disagree, so several are tried."""

from pathlib import PurePosixPath

from ieat.pipeline.corpora.places import exists, join, parent


def find_audio(
    jsonl: str, dialogue_id: str, turn_id: str, named: str | None, *, is_response: bool
) -> tuple[str | None, list[str]]:
    """Return the first place that exists, and all that were tried, relative to the JSONL file.

    Args:
        jsonl: The file that describes the dialogue.
        dialogue_id: Its id.
        turn_id: The turn's id.
        named: The path that the row gives; null when it gives none.
        is_response: Whether the answer's audio is looked for.
    """
    folder = parent(jsonl)
    stem = PurePosixPath(jsonl.replace("\\", "/")).stem
    tried = _candidates(stem, dialogue_id, turn_id, named, "_response" if is_response else "")
    for relative in tried:
        uri = join(folder, relative)
        if exists(uri):
            return uri, tried
    return None, tried


def _candidates(
    stem: str, dialogue_id: str, turn_id: str, named: str | None, ending: str
) -> list[str]:
    """Return relative paths, those that name the dialogue first.

    A row's path such as `task1/turn_1.wav` fits every dialogue: it must not win over a file that
    lies in the dialogue's own folder.
    """
    suffix = (PurePosixPath(named).suffix if named else "") or ".wav"
    numbers = [turn_id]
    if turn_id.isdecimal():
        numbers += [turn_id.zfill(2), turn_id.zfill(4)]
    files = [f"turn_{number}{ending}{suffix}" for number in numbers]
    files += [f"turn{number}{ending}{suffix}" for number in numbers]
    if named:
        files.insert(0, PurePosixPath(named).name)
    folders = [stem, f"{stem}_model"] if ending else [stem]
    own = [f"{folder}/{dialogue_id}/{file}" for folder in folders for file in files]
    own += [f"{dialogue_id}/{file}" for file in files]
    own += [
        f"{folder}{dialogue_id}_{number}{ending}{suffix}"
        for folder in (*(f"{folder}/" for folder in folders), "")
        for number in numbers
    ]
    given = []
    if named:
        given = [named, f"{stem}/{named}", f"../{named}", f"../../{named}"]
        given += [f"{folder}/{PurePosixPath(named).name}" for folder in folders]
    ordered = [*given, *own] if named and dialogue_id in named else [*own, *given]
    return list(dict.fromkeys(ordered))

"""Names that all layouts share: languages, corpora, ids."""

import re
import unicodedata

from pydantic import ValidationError

from ieat.pipeline.config import InputSettings, describe_validation
from ieat.pipeline.corpora.places import Place
from ieat.pipeline.failures import BadInput, ConfigError
from ieat.schemas.dialogue import Dialogue, Language

LANGUAGES = {
    "en": Language.EN,
    "eng": Language.EN,
    "english": Language.EN,
    "zh": Language.ZH,
    "zho": Language.ZH,
    "cmn": Language.ZH,
    "chinese": Language.ZH,
    "mandarin": Language.ZH,
}
"""First part of a language tag, lower case, and the language that prompts are released in."""

MAX_ID = 512
"""Longest id, characters."""


def to_language(word: str | None, source: str) -> Language:
    """Return the language that a tag or name means; what follows - or _ is a region.

    Raises:
        BadInput: No language is given, or one that no prompt is released in.
    """
    if word is None or not word.strip():
        raise BadInput(
            "missing_language",
            f"{source}: no language; write it in the dialogue or as the input's `language`",
        )
    found = LANGUAGES.get(re.split(r"[-_]", word.strip().lower())[0])
    if found is None:
        raise BadInput(
            "unsupported_language",
            f"{source}: the language {word!r} is not supported; supported are en and zh",
        )
    return found


def require_language(settings: InputSettings) -> Language:
    """Return the input's language, for layouts whose dialogues cannot say it.

    Raises:
        ConfigError: None is set, or an unsupported one.
    """
    try:
        return to_language(settings.language, settings.path)
    except BadInput as error:
        raise ConfigError(f"{error.message} (layout {settings.layout})") from error


def name_corpus(settings: InputSettings, place: Place) -> str:
    """Return the corpus' name: as set, else the name of file or folder."""
    if settings.corpus is not None:
        return settings.corpus
    return (place.name if place.is_folder else place.stem) or "corpus"


def check_id(text: str, source: str) -> str:
    """Return an id as it is; it names rows, never files.

    Raises:
        BadInput: It is empty, too long, or holds control characters.
    """
    if not text.strip() or len(text) > MAX_ID:
        raise BadInput("bad_id", f"{source}: an id must have 1 to {MAX_ID} characters")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise BadInput("bad_id", f"{source}: the id {text!r} holds control characters; rename it")
    return text


def refuse_invalid(error: ValidationError, source: str) -> BadInput:
    """Return the error of a dialogue that breaks a rule of the schema."""
    return BadInput("invalid_dialogue", f"{source}: {describe_validation(error)}")


def build_dialogue(values: dict[str, object], source: str) -> Dialogue:
    """Validate a dialogue.

    Raises:
        BadInput: It breaks a rule of the schema.
    """
    try:
        return Dialogue.model_validate(values)
    except ValidationError as error:
        raise refuse_invalid(error, source) from error

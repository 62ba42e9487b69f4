"""Load released prompts and templates, check them against the lock, and render them."""

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template
from typing import Literal, cast

from ieat.schemas.dialogue import Language
from ieat.schemas.engine import AnswerSchema, Message

FOLDER = Path(__file__).parent
LOCK_FILE = FOLDER / "prompts.lock.json"
JUDGE_NAMES = ("judge_t1", "judge_t2", "judge_t3")
"""Prompts of judges, which are no part of a build."""
NAMES = (
    *("labeling", "attribution", "joint", "response", "reask", "thinking", "voice"),
    *("distillation", "reask_plain", "instructions"),
    "reprediction",
    *("retrospection", "retrospection_reask", "questions"),
    *JUDGE_NAMES,
)
PLAIN = frozenset({"distillation"})
"""Prompts whose answers are plain words."""
VERSIONS = dict.fromkeys(NAMES, 1) | {
    "labeling": 2,
    "attribution": 2,
    "joint": 2,
    "response": 2,
    "reask": 2,
}
"""Released version of each prompt that is used where none is named."""

_HEADING = re.compile(r"^## +(\w+) *$", re.MULTILINE)


class PromptError(Exception):
    """A template that is missing, was edited after its release, or is rendered wrongly."""


@dataclass(frozen=True)
class TemplateFile:
    """One template file: its sections by heading, and what identifies it."""

    prompt_id: str
    """`name@version.language`, or `name@own.language` for a user's own."""
    sha256: str
    """SHA-256 of the file's text."""
    sections: Mapping[str, str]
    """Text of each section, by its heading."""


@dataclass(frozen=True)
class Prompt:
    """A chat prompt: template and the schema of its answer."""

    file: TemplateFile
    answer_schema: AnswerSchema

    @property
    def prompt_id(self) -> str:
        """`name@version.language`."""
        return self.file.prompt_id

    @property
    def sha256(self) -> str:
        """SHA-256 of the template."""
        return self.file.sha256

    @property
    def example_sentences(self) -> frozenset[str]:
        """What its example answers say in words of their own; no real answer may repeat it."""
        return example_sentences("\n".join(self.file.sections.values()))

    def render(self, values: Mapping[str, str]) -> tuple[Message, ...]:
        """Return the messages, every placeholder filled.

        Raises:
            PromptError: A value is missing, or one is not used.
        """
        unused = set(values)
        messages = []
        for role, text in self.file.sections.items():
            if role not in ("system", "user", "assistant"):
                raise PromptError(f"{self.prompt_id}: section {role!r} is no chat role")
            names = _names(text)
            missing = names - set(values)
            if missing:
                raise PromptError(f"{self.prompt_id}: no value for ${', $'.join(sorted(missing))}")
            unused -= names
            messages.append(
                Message(
                    role=cast(Literal["system", "user", "assistant"], role),
                    content=Template(text).substitute(values),
                )
            )
        if unused:
            raise PromptError(f"{self.prompt_id}: value without use: {', '.join(sorted(unused))}")
        return tuple(messages)


@cache
def _names(text: str) -> frozenset[str]:
    """Return the placeholders of a template; `Template.get_identifiers` begins with Python 3.11."""
    return frozenset(
        found.group("named") or found.group("braced")
        for found in Template.pattern.finditer(text)
        if found.group("named") or found.group("braced")
    )


OWN_WORDS = ("event", "appraisal")
"""Keys of answers whose values are a model's own words; all others are quoted or chosen."""


@cache
def example_sentences(text: str) -> frozenset[str]:
    """Return the own words of a template's example answers: of its lines that are JSON objects."""
    sentences = set()
    for line in text.splitlines():
        if not line.startswith("{"):
            continue
        try:
            answer = json.loads(line)
        except json.JSONDecodeError:
            continue
        sentences |= {answer[key] for key in OWN_WORDS if isinstance(answer.get(key), str)}
    return frozenset(sentences)


@dataclass(frozen=True)
class PromptLibrary:
    """The templates of a build: released ones, or a user's own in their place.

    Args:
        chosen: By name, a released version, or the folder of the user's own template; that holds
            `en.md` and `zh.md`, and the answer schema of the default version is kept. Names that
            are not there have their default version.
    """

    chosen: Mapping[str, int | str]

    def prompt(self, name: str, language: Language) -> Prompt:
        """Return a chat prompt in a language.

        Raises:
            PromptError: It is missing or differs from the lock.
        """
        return Prompt(
            file=self.template(name, language),
            answer_schema=answer_schema(name, self._schema_version(name)),
        )

    def template(self, name: str, language: Language) -> TemplateFile:
        """Return a template file in a language.

        Raises:
            PromptError: It is missing or differs from the lock.
        """
        chosen = self.chosen.get(name, VERSIONS[name])
        if isinstance(chosen, int):
            return released(name, chosen, language)
        return _read(Path(chosen) / f"{language.value}.md", f"{name}@own.{language.value}")

    def identities(self, names: Collection[str] = NAMES) -> dict[str, str]:
        """Return the SHA-256 of the templates and answer schemas of some prompts by their ids."""
        files = [self.template(name, language) for name in names for language in Language]
        schemas = {}
        for name in names:
            version = self._schema_version(name)
            if _schema_path(name, version).exists():
                schemas[f"{name}@{version}.schema"] = digest(answer_schema(name, version).text)
        return {file.prompt_id: file.sha256 for file in files} | schemas

    def _schema_version(self, name: str) -> int:
        chosen = self.chosen.get(name, VERSIONS[name])
        return chosen if isinstance(chosen, int) else VERSIONS[name]


RELEASED = PromptLibrary({})
"""The default versions of all templates."""


@cache
def released(name: str, version: int, language: Language) -> TemplateFile:
    """Return a released template, checked against the lock.

    Raises:
        PromptError: It is missing or was edited after its release.
    """
    prompt_id = f"{name}@{version}.{language.value}"
    path = FOLDER / name / f"v{version}.{language.value}.md"
    if not path.exists():
        there = sorted(found.name.split(".")[0][1:] for found in path.parent.glob("v*.en.md"))
        raise PromptError(f"there is no {prompt_id}; released versions: {', '.join(there)}")
    file = _read(path, prompt_id)
    _check_lock(prompt_id, file.sha256)
    return file


def answer_schema(name: str, version: int | None = None) -> AnswerSchema:
    """Return a released answer schema of a prompt, checked against the lock.

    Args:
        name: Name of the prompt.
        version: Released version; null takes the default one.

    Raises:
        PromptError: It is missing or was edited after its release.
    """
    return _released_schema(name, VERSIONS[name] if version is None else version)


def _schema_path(name: str, version: int) -> Path:
    return FOLDER / name / f"v{version}.schema.json"


@cache
def _released_schema(name: str, version: int) -> AnswerSchema:
    if name in PLAIN:
        return AnswerSchema(schema_id=f"{name}@{version}", text="")
    try:
        text = _schema_path(name, version).read_text(encoding="utf-8")
    except OSError as error:
        raise PromptError(f"no answer schema for {name}@{version}") from error
    canonical = canonical_json(json.loads(text))
    _check_lock(f"{name}@{version}.schema", digest(canonical))
    return AnswerSchema(schema_id=f"{name}@{version}", text=canonical)


def canonical_json(value: object) -> str:
    """Return JSON without spaces and with sorted keys."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest(text: str) -> str:
    """Return the SHA-256 of a text, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_lock() -> dict[str, str]:
    """Return the locked SHA-256 of each template and answer schema by its id."""
    locked: dict[str, str] = json.loads(LOCK_FILE.read_text(encoding="utf-8"))
    return locked


def _check_lock(prompt_id: str, sha256: str) -> None:
    locked = read_lock().get(prompt_id)
    if locked is None:
        raise PromptError(f"{prompt_id} is not released; `make lock-prompt` releases a version")
    if locked != sha256:
        raise PromptError(f"{prompt_id} was edited after its release; add a new version instead")


def _read(path: Path, prompt_id: str) -> TemplateFile:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PromptError(f"cannot read the template {prompt_id} from {path}: {error}") from error
    parts = _HEADING.split(text)
    if parts[0].strip():
        raise PromptError(f"{path}: text stands before the first heading such as '## system'")
    sections = {name: body.strip() for name, body in zip(parts[1::2], parts[2::2], strict=True)}
    if not sections:
        raise PromptError(f"{path}: holds no section such as '## system'")
    return TemplateFile(prompt_id=prompt_id, sha256=digest(text), sections=sections)

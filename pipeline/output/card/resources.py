"""What a build was made with: models, prompts, libraries, and what licenses they have."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ieat.pipeline.output.card.markdown import Cell, table
from ieat.schemas.build import Manifest, ModelResource, Resources

SHOWN_DIGITS = 16
"""Hexadecimal digits of a hash that are shown; build.json has all of them."""

NOT_KNOWN = "not known"

SAMPLINGS = {
    "sampling": "language model",
    "voice_sampling": "voice labeler",
    "teacher_sampling": "teacher",
    "verification": "verifier",
}
"""Keys of build.json that say how a model is asked, and what a person calls it."""

WORDS: Mapping[bool | None, str] = {True: "yes", False: "no", None: NOT_KNOWN}


def model_lines(resources: Resources, identity: Mapping[str, Any]) -> Iterator[str]:
    """Yield the models, a line each, with all that they did; then how they were asked."""
    roles: dict[str, list[str]] = {}
    models: dict[str, ModelResource] = {}
    for model in resources.models:
        roles.setdefault(model.model_id, []).append(model.role)
        models[model.model_id] = model
    rows: list[tuple[Cell, ...]] = [
        (
            ", ".join(roles[model_id]),
            f"`{model_id}`",
            model.license or NOT_KNOWN,
            WORDS[model.is_open],
            _place(model),
            WORDS[model.is_commercial],
        )
        for model_id, model in models.items()
    ]
    if rows:
        yield from table(("part", "model", "license", "open", "ran at", "commercial service"), rows)
    else:
        yield "No model had a part: words and emotions are the corpus' own."
    for told_in, name in SAMPLINGS.items():
        sampling = identity.get(told_in)
        if sampling:
            told = ", ".join(f"{key} {value}" for key, value in sampling.items() if _is_set(value))
            yield ""
            yield f"The {name} is asked with {told or 'the settings of its server'}."


def gate_lines(resources: Resources) -> Iterator[str]:
    """Yield what challenges with rules on resources, such as HumDial, ask for."""
    is_commercial = WORDS[resources.commercial_api]
    yield f"* A commercial service had a part (`commercial_api`): {is_commercial}."
    synthesized = [data for data in resources.data if data.synthesizer is not None]
    told = "The build itself synthesizes no speech"
    if synthesized:
        by = ", ".join(f"{data.corpus} by {data.synthesizer}" for data in synthesized)
        yield f"* {told}; declared as synthesized: {by}."
        yield (
            "* All declared synthesizers are open (`tts_open_source`): "
            f"{WORDS[resources.tts_open_source]}."
        )
    else:
        yield f"* {told}, and no input is declared as synthesized (`tts_open_source`: not known)."


@dataclass
class Origins:
    """What the dialogues come from."""

    prompts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Dialogues by prompt or template and its SHA-256."""
    num_answers: int = 0
    """Stored answers behind the dialogues; one behind two dialogues counts twice."""

    def add_dialogue(self, row: dict[str, Any]) -> None:
        """Count a row of `dialogues`."""
        said = row["provenance"]
        self.prompts.update(zip(said["prompt_ids"], said["prompt_sha256s"], strict=True))
        self.num_answers += len(said["response_keys"])


def prompt_lines(origins: Origins, manifest: Manifest) -> Iterator[str]:
    """Yield the prompts and templates that dialogues rest on, with the starts of their hashes."""
    if origins.prompts:
        yield from table(
            ("prompt or template", "SHA-256 begins with", "dialogues"),
            [
                (f"`{prompt_id}`", f"`{sha256[:SHOWN_DIGITS]}`", count)
                for (prompt_id, sha256), count in sorted(origins.prompts.items())
            ],
        )
        yield ""
        yield "build.json has the whole hashes, also those of prompts that no row rests on."
    else:
        yield "No row rests on a prompt."
    yield f"Stored answers behind the dialogues: {origins.num_answers:,}."
    if manifest.not_configured:
        yield ""
        yield f"Done without: {', '.join(manifest.not_configured)}."


def library_lines(resources: Resources) -> Iterator[str]:
    """Yield the libraries by license; their versions are in run.json."""
    by_license: dict[str, list[str]] = {}
    for library in resources.libraries:
        by_license.setdefault(library.license or NOT_KNOWN, []).append(library.name)
    if not by_license:
        yield "Not listed."
        return
    yield from table(
        ("license as the package states it", "libraries"),
        [(license, ", ".join(names)) for license, names in sorted(by_license.items())],
    )


def _is_set(value: Any) -> bool:
    return value is not None and value != {}


def _place(model: ModelResource) -> str:
    if model.host is not None:
        return model.host
    return "this process" if model.is_commercial is False else NOT_KNOWN

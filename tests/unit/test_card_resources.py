"""What a card tells of what a build was made with."""

from ieat.pipeline.output.card.resources import (
    Origins,
    gate_lines,
    library_lines,
    model_lines,
    prompt_lines,
)
from ieat.schemas.build import (
    DataResource,
    LibraryResource,
    ModelResource,
    Resources,
)
from tests.card_rows import manifest, talk

MODEL = {"model_id": "openai:m", "license": None, "source": None, "host": "gpu"}


def test_models_are_told_once_with_all_that_they_did() -> None:
    resources = Resources(
        models=(
            ModelResource(role="labeler", is_commercial=None, **MODEL),
            ModelResource(role="attributor", is_commercial=None, **MODEL),
            ModelResource(
                role="recognizer",
                model_id="moonshine:tiny",
                license="MIT",
                source=None,
                is_commercial=False,
                is_open=True,
            ),
        ),
        data=(),
        prompts=(),
    )
    identity = {
        "sampling": {"temperature": 0.0, "top_p": None, "seed": 1},
        "voice_sampling": {"temperature": None, "extra_body": {}},
    }
    assert list(model_lines(resources, identity)) == [
        "| part | model | license | open | ran at | commercial service |",
        "|--|--|--|--|--|--|",
        "| labeler, attributor | `openai:m` | not known | not known | gpu | not known |",
        "| recognizer | `moonshine:tiny` | MIT | yes | this process | no |",
        "",
        "The language model is asked with temperature 0.0, seed 1.",
        "",
        "The voice labeler is asked with the settings of its server.",
    ]


def test_rules_on_resources_are_told_as_the_build_knows_them() -> None:
    data = DataResource(corpus="deep", path="d", licenses=(), synthesizer="Voice 9")
    known = Resources(models=(), data=(data,), prompts=(), commercial_api=True)
    assert list(gate_lines(known)) == [
        "* A commercial service had a part (`commercial_api`): yes.",
        "* The build itself synthesizes no speech; declared as synthesized: deep by Voice 9.",
        "* All declared synthesizers are open (`tts_open_source`): not known.",
    ]
    assert list(gate_lines(Resources(models=(), data=(), prompts=()))) == [
        "* A commercial service had a part (`commercial_api`): not known.",
        "* The build itself synthesizes no speech, and no input is declared as synthesized "
        "(`tts_open_source`: not known).",
    ]


def test_prompts_are_those_that_dialogues_rest_on() -> None:
    origins = Origins()
    asked = {
        "prompt_ids": ["labeling@1.en", "thinking@1.en"],
        "prompt_sha256s": ["ab" * 32, "cd" * 32],
        "response_keys": ["k1", "k2", "k3"],
    }
    origins.add_dialogue(talk(provenance=asked))
    origins.add_dialogue(talk())
    assert list(prompt_lines(origins, manifest(not_configured=("labels from the voice",)))) == [
        "| prompt or template | SHA-256 begins with | dialogues |",
        "|--|--|--:|",
        "| `labeling@1.en` | `abababababababab` | 1 |",
        "| `thinking@1.en` | `cdcdcdcdcdcdcdcd` | 1 |",
        "",
        "build.json has the whole hashes, also those of prompts that no row rests on.",
        "Stored answers behind the dialogues: 3.",
        "",
        "Done without: labels from the voice.",
    ]


def test_libraries_are_told_by_license() -> None:
    libraries = tuple(
        LibraryResource(name=name, license=license)
        for name, license in (("a", "MIT"), ("b", None), ("c", "MIT"))
    )
    found = Resources(models=(), data=(), prompts=(), libraries=libraries)
    assert list(library_lines(found))[2:] == ["| MIT | a, c |", "| not known | b |"]

"""Put a card together: what a reviewer asks first stands first."""

from collections.abc import Mapping
from typing import Any

from ieat.pipeline.output.build_files import read_identity, read_resources
from ieat.pipeline.output.card.agreement import agreement_lines
from ieat.pipeline.output.card.balance import balance_lines
from ieat.pipeline.output.card.causes import cause_lines
from ieat.pipeline.output.card.consistency import consistency_lines
from ieat.pipeline.output.card.emotions import emotion_lines, shift_lines
from ieat.pipeline.output.card.facts import Facts, gather_facts
from ieat.pipeline.output.card.fields import field_lines
from ieat.pipeline.output.card.fitness import fitness_lines
from ieat.pipeline.output.card.flags import flag_lines
from ieat.pipeline.output.card.front import TITLE, front_matter
from ieat.pipeline.output.card.funnel import funnel_lines
from ieat.pipeline.output.card.lengths import length_lines
from ieat.pipeline.output.card.markdown import section
from ieat.pipeline.output.card.openings import opening_lines
from ieat.pipeline.output.card.parting import like_lines, parting_lines
from ieat.pipeline.output.card.resources import (
    gate_lines,
    library_lines,
    model_lines,
    prompt_lines,
)
from ieat.pipeline.output.card.size import corpus_lines, row_lines, size_lines
from ieat.pipeline.output.card.speakers import speaker_lines, word_error_lines
from ieat.pipeline.output.closing import read_manifest
from ieat.pipeline.output.files import BuildFolder
from ieat.pipeline.output.sink import DATA_TABLES
from ieat.schemas.build import Manifest, Resources
from ieat.schemas.rows import TABLES

CARD = "README.md"

ABOUT = (
    "Speech dialogues as training rows: what is said, how it is felt, and why "
    "([arXiv 2601.04960](https://arxiv.org/abs/2601.04960)). Built by ieat."
)

TEMPLATE = (
    "**The template of the thinking is ours, not the paper's**: the full text of the paper and its "
    "template are not public. State and cause as internal reasoning, and the two stages, are all "
    "that its abstract fixes."
)

LIMITS = (
    "Baselines are not trainable: rows whose emotions come from the linear baseline, or whose "
    "causes come from the extractive one, are there to try the pipeline out and say so under "
    "`trainable`.",
    "Emotions and causes that an engine wrote are its opinion. Quotes are checked word by word "
    "against the transcript, the rest is not.",
    "Sources that agree may be wrong together: words and voice are often labeled by models that "
    "learned from the same texts.",
    "The corpus' own answers were not spoken from the thinking: such rows are fit for the mode "
    "`explicit` only.",
    "Licenses of corpora are those that the corpora state, licenses of models those that the "
    "person who built this declared; nobody has checked them.",
    "Names of speakers stand in the rows as the corpus gives them, and people may name themselves "
    "and others in their words.",
    "`<audio>` in somebody's words is written `(audio)` in messages, so that every tag has a clip.",
    "Dead letters, which hold transcripts of what failed, lie in `_dead_letters/` and are not "
    "listed in the configs above.",
)
"""What a reader of any build has to know."""

COST = (
    "Time, tokens and money of the last run stand in `run.json`: they differ between runs that "
    "write the same rows, and this card does not. `ieat show` prints them."
)

UNITS = {"dialogues": "dialogues", "stage1": "turns", "stage2": "targets"}
"""What a person calls the rows of a table."""


def write_card(folder: BuildFolder) -> None:
    """Write the card of a finished build from its written tables.

    Raises:
        ConfigError: The folder holds no build.
    """
    manifest = read_manifest(folder)
    identity = read_identity(folder)
    facts = gather_facts(folder, manifest, (identity.get("config") or {}).get("near_duplicates"))
    card = compose_card(manifest, facts, read_resources(folder), identity)
    folder.write_text(CARD, card)


def compose_card(
    manifest: Manifest, facts: Facts, resources: Resources, identity: Mapping[str, Any]
) -> str:
    """Return the card as Markdown under YAML.

    Args:
        manifest: Files and books of the build.
        facts: What was counted in its rows.
        resources: What it used.
        identity: What build.json says.
    """
    sizes = facts.sizes
    licenses = {name for found in sizes.licenses.values() for name in found if name}
    parts = [
        f"---\n{front_matter(manifest, licenses, list(sizes.languages))}---\n",
        f"# {TITLE}\n\n{ABOUT}\n\n{TEMPLATE}\n",
        section("Size", size_lines(sizes)),
        section("Corpora and licenses", corpus_lines(sizes, resources.data), 3),
        section("Rows", row_lines(manifest, DATA_TABLES), 3),
        section("Splits", [*parting_lines(facts.parting), *like_lines(facts.responses)]),
        section("Fit to train on", fitness_lines(facts.fitness)),
        section("What became of what was read", funnel_lines(manifest)),
        section("Flags", flag_lines(facts.flags, UNITS)),
        section("Emotions", emotion_lines(facts.emotions)),
        section("Shifts", shift_lines(facts.emotions), 3),
        section("Agreement of labels", agreement_lines(facts.agreement), 3),
        section("Answers that sound", consistency_lines(facts.consistency), 3),
        section("Causes", cause_lines(facts.causes)),
        section("Words against the corpus' own", word_error_lines(facts.speakers)),
        section("Speakers", speaker_lines(facts.speakers)),
        section("Lengths", length_lines(facts.lengths)),
        section("Openings", opening_lines(facts.openings)),
        section("Balance", balance_lines(facts.balance, facts.emotions, sizes, facts.speakers)),
        section("Made with", model_lines(resources, identity)),
        section("Rules on resources", gate_lines(resources), 3),
        section("Prompts", prompt_lines(facts.origins, manifest), 3),
        section("Libraries", library_lines(resources), 3),
        section("Cost", [COST], 3),
        section("Known limits", (f"* {limit}" for limit in LIMITS)),
        "## Fields\n",
        *(
            section(table, field_lines(TABLES[table]), 3)
            for table in filter(manifest.splits, DATA_TABLES)
        ),
    ]
    return "\n".join(parts)

"""The dataset card: README.md with the features that loaders need and the counts people need."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import yaml

from ieat.pipeline.output.build_files import read_identity
from ieat.pipeline.output.card_facts import UNKNOWN, Facts, gather_facts
from ieat.pipeline.output.files import BuildFolder
from ieat.pipeline.output.huggingface import features_for_card
from ieat.pipeline.output.sink import DATA_TABLES, read_manifest
from ieat.pipeline.output.stage2_rows import MODE_REASONS
from ieat.pipeline.output.word_errors import NORMALIZER
from ieat.schemas.arrow import item_of, take_apart
from ieat.schemas.base import Value
from ieat.schemas.build import Manifest
from ieat.schemas.emotion import Emotion
from ieat.schemas.rows import TABLES

CARD = "README.md"

EMOTIONS = (*(emotion.value for emotion in Emotion), UNKNOWN)

LIMITS = (
    "The template of the thinking is ours, not the paper's: the full text of arXiv 2601.04960 and "
    "its template are not public. State and cause as internal reasoning, and the two stages, are "
    "all that its abstract fixes.",
    "Baselines are not trainable: rows whose emotions come from the linear baseline, or whose "
    "causes come from the extractive one, are there to try the pipeline out and say so under "
    "`trainable`.",
    "Emotions and causes that an engine wrote are its opinion. Quotes are checked word by word "
    "against the transcript, the rest is not.",
    "The corpus' own answers were not spoken from the thinking: such rows are fit for the mode "
    "`explicit` only.",
    "`<audio>` in somebody's words is written `(audio)` in messages, so that every tag has a clip.",
    "Dead letters, which hold transcripts of what failed, lie in `_dead_letters/` and are not "
    "listed in the configs above.",
)
"""What a reader of any build has to know."""


def write_card(folder: BuildFolder) -> None:
    """Write the card of a finished build from its written tables.

    Raises:
        ConfigError: The folder holds no build.
    """
    manifest = read_manifest(folder)
    facts = gather_facts(folder, manifest)
    folder.write_text(CARD, compose_card(manifest, facts, read_identity(folder)))


def compose_card(manifest: Manifest, facts: Facts, identity: dict[str, Any]) -> str:
    """Return the card as Markdown under YAML."""
    front = yaml.safe_dump(
        _front_matter(manifest, facts), sort_keys=False, allow_unicode=True, width=100
    )
    parts = [
        f"---\n{front}---\n",
        "# Injected emotional-attribution thinking\n",
        "Speech dialogues as training rows: what is said, how it is felt, and why "
        "(arXiv 2601.04960). Built by ieat.\n",
        *_section("Made with", _made_with(manifest, identity)),
        *_section("Books", _books(manifest)),
        *_section("Rows", _row_counts(manifest, facts)),
        *_section("Emotions of turns", _emotions(facts)),
        *_section("Fit to train on", _trainable(manifest, facts)),
        *_section("Measured against the corpus", _measured(facts)),
        *_section("Known limits", [*(f"* {limit}" for limit in LIMITS)]),
        *_section("Fields", _fields(manifest)),
    ]
    return "\n".join(parts)


def _front_matter(manifest: Manifest, facts: Facts) -> dict[str, Any]:
    # `datasets` before version 4 stops at a split without rows, so those are left out.
    splits = {
        table: [split for split in manifest.splits(table) if manifest.num_rows(table, split)]
        for table in DATA_TABLES
    }
    tables = [table for table in DATA_TABLES if splits[table]]
    # The table that most people come for opens first.
    tables.sort(key=lambda table: table != "stage2")
    licenses = sorted(name for name in facts.licenses if name)
    return {
        "license": "other",
        "license_name": ", ".join(licenses) if licenses else "unknown",
        "language": sorted(facts.languages),
        "task_categories": ["automatic-speech-recognition", "audio-classification"],
        "pretty_name": "Injected emotional-attribution thinking",
        "configs": [
            {
                "config_name": table,
                "data_files": [
                    {"split": split, "path": f"{table}/{split}-*.parquet"}
                    for split in splits[table]
                ],
                **({"default": True} if table == "stage2" else {}),
            }
            for table in tables
        ],
        "dataset_info": [
            {
                "config_name": table,
                "features": features_for_card(TABLES[table]),
            }
            for table in tables
        ],
    }


def _section(title: str, lines: Iterable[str]) -> list[str]:
    return [f"## {title}\n", "\n".join(lines) + "\n"]


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'--|' * len(head)}"
    for row in rows:
        # A bar in a name would open a new column.
        yield f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in row)} |"


def _made_with(manifest: Manifest, identity: dict[str, Any]) -> Iterator[str]:
    engines = identity.get("engines") or {}
    yield from _table(
        ("part", "engine"), [(part, engine or "none") for part, engine in engines.items()]
    )
    prompts = identity.get("prompts") or {}
    if prompts:
        yield ""
        yield from _table(
            ("prompt", "SHA-256"), [(name, f"`{sha}`") for name, sha in sorted(prompts.items())]
        )
    if manifest.not_configured:
        yield ""
        yield f"Done without: {', '.join(manifest.not_configured)}."


def _books(manifest: Manifest) -> Iterator[str]:
    yield "Read = written + dead + filtered + not reached; a dialogue takes its turns and targets"
    yield "with it."
    yield ""
    yield from _table(
        ("", "read", "written", "dead", "filtered", "not reached"),
        [
            (
                name,
                counts.read,
                counts.written,
                _with_codes(counts.num_dead, counts.dead),
                _with_codes(counts.num_filtered, counts.filtered),
                _with_codes(counts.num_not_reached, counts.not_reached),
            )
            for name, counts in manifest.books.by_name.items()
        ],
    )


def _with_codes(count: int, by_code: dict[str, int]) -> str:
    if not by_code:
        return str(count)
    return f"{count} ({', '.join(f'{code} {number}' for code, number in by_code.items())})"


def _row_counts(manifest: Manifest, facts: Facts) -> Iterator[str]:
    yield from _table(
        ("table", "split", "rows"),
        [
            (table, split, manifest.num_rows(table, split))
            for table in DATA_TABLES
            for split in manifest.splits(table)
        ],
    )
    yield ""
    yield f"Sound of stage 1: {facts.seconds / 3600:.2f} hours."
    yield f"Dialogues by corpus: {_counted(facts.corpora)};"
    yield f"by language: {_counted(facts.languages)};"
    licenses = Counter({name or "none stated": n for name, n in facts.licenses.items()})
    yield f"by license: {_counted(licenses)}."


def _emotions(facts: Facts) -> Iterator[str]:
    yield from _table(
        ("split", *EMOTIONS),
        [
            (split, *(facts.emotions[split][emotion] for emotion in EMOTIONS))
            for split in sorted(facts.emotions)
        ],
    )
    total = facts.target_emotions.total()
    if total:
        neutral = facts.target_emotions[Emotion.NEUTRAL.value]
        yield ""
        yield f"Neutral targets: {neutral} of {total} ({neutral / total:.0%})."
    yield from _voices(facts)


def _trainable(manifest: Manifest, facts: Facts) -> Iterator[str]:
    turns, targets = manifest.num_rows("stage1"), manifest.num_rows("stage2")
    against_explicit = Counter(
        {code: n for code, n in facts.modes_reasons.items() if code not in MODE_REASONS}
    )
    yield from _table(
        ("rows", "fit", "of", "reasons against (a row may have several)"),
        [
            ("stage 1, words", facts.stage1_fit["words"], turns, _counted(facts.words_reasons)),
            (
                "stage 1, attributes",
                facts.stage1_fit["attributes"],
                turns,
                _counted(facts.attributes_reasons),
            ),
            ("stage 2, explicit", facts.modes["explicit"], targets, _counted(against_explicit)),
            *(
                (f"stage 2, {mode}", facts.modes[mode], targets, _counted(facts.modes_reasons))
                for mode in ("injected", "implicit")
            ),
        ],
    )


def _measured(facts: Facts) -> Iterator[str]:
    if not facts.word_errors and not facts.agreement and not facts.voice_agreement:
        yield "Nothing: the corpus has no words or emotions beside those of the engines."
    for language, errors in sorted(facts.word_errors.items()):
        if errors.rate is not None:
            name = "Character error rate" if language == "zh" else "Word error rate"
            yield (
                f"{name} ({language}): {errors.rate:.3f}, {errors.num_errors} errors in "
                f"{errors.num_words} over {errors.num_turns} turns (normalizer `{NORMALIZER}`)."
            )
    if facts.agreement:
        total, alike = facts.agreement.total(), _num_alike(facts.agreement)
        known = [emotion.value for emotion in Emotion]
        yield ""
        yield f"Labels from the words equal the corpus' label in {alike} of {total} turns "
        yield f"({alike / total:.0%}). Rows: the corpus; columns: the words."
        yield ""
        yield from _table(
            ("corpus", *known),
            [
                (gold, *(facts.agreement[gold, text] for text in known))
                for gold in known
                if any(facts.agreement[gold, text] for text in known)
            ],
        )

    if facts.voice_agreement:
        total, alike = facts.voice_agreement.total(), _num_alike(facts.voice_agreement)
        yield ""
        yield f"Labels from the voice equal the corpus' label in {alike} of {total} turns "
        yield f"({alike / total:.0%})."


def _num_alike(agreement: Counter[tuple[str, str]]) -> int:
    return sum(count for (gold, other), count in agreement.items() if gold == other)


def _voices(facts: Facts) -> Iterator[str]:
    """Tell of the voices, in builds that listened to them."""
    if facts.num_heard or facts.num_unheard:
        yield ""
        yield f"Voices labeled: {facts.num_heard}; that could not be: {facts.num_unheard}. Turns "
        yield f"whose sources name different emotions: {facts.num_conflicts}."


def _fields(manifest: Manifest) -> Iterator[str]:
    for table in filter(manifest.splits, DATA_TABLES):
        row_type = TABLES[table]
        yield f"### {table}"
        yield ""
        yield f"{row_type.__doc__}"
        yield ""
        yield from _table(("field", "type", "meaning"), _field_rows(row_type, ""))
        yield ""


def _field_rows(model: type[Value], prefix: str) -> Iterator[tuple[str, str, str]]:
    for name, field in model.model_fields.items():
        kind, is_nullable = take_apart(field.annotation)
        item = item_of(kind)
        inner = take_apart(item)[0] if item is not None else kind
        is_record = isinstance(inner, type) and issubclass(inner, Value)
        word = "record" if is_record else _word_for(inner)
        shown = f"list of {word}" if item is not None else word
        mark = "[]" if item is not None else ""
        path = f"{prefix}{name}{mark}"
        yield f"`{path}`", f"{shown}{', nullable' if is_nullable else ''}", field.description or ""
        if is_record:
            yield from _field_rows(inner, f"{path}.")


def _word_for(kind: Any) -> str:
    return {int: "int", float: "float", bool: "bool", bytes: "bytes"}.get(kind, "string")


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {counts[name]}" for name in sorted(counts)) or "none"

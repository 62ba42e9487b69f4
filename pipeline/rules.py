"""What of the configuration each stage depends on."""

from ieat.pipeline.config import BuildConfig
from ieat.pipeline.output.humdial_rows import HumdialRowSettings
from ieat.pipeline.stages.attribute import AttributeRules
from ieat.pipeline.stages.compose import ComposeRules
from ieat.pipeline.stages.distill import DistillRules
from ieat.pipeline.stages.label import LabelRules
from ieat.pipeline.stages.retrospect import RetrospectRules
from ieat.prompts.library import PromptLibrary


def label_rules(config: BuildConfig) -> LabelRules:
    """Return what of the configuration labeling depends on."""
    return LabelRules(
        config.labels, config.user_speaker, config.max_context_turns, asks_gold_turns(config)
    )


def attribute_rules(config: BuildConfig) -> AttributeRules:
    """Return what of the configuration attribution depends on."""
    return AttributeRules(config.user_speaker, config.max_context_turns)


def compose_rules(config: BuildConfig) -> ComposeRules:
    """Return what of the configuration composing depends on."""
    return ComposeRules(
        config.user_speaker,
        config.max_context_turns,
        PromptLibrary(config.prompts),
        tuple(sorted(config.keep_targets.items())),
    )


def distill_rules(config: BuildConfig) -> DistillRules:
    """Return what of the configuration distilling depends on."""
    return DistillRules(
        config.user_speaker, config.max_context_turns, PromptLibrary(config.prompts)
    )


def retrospect_rules(config: BuildConfig) -> RetrospectRules:
    """Return what of the configuration looking back depends on."""
    settings = config.humdial_settings
    return RetrospectRules(
        humdial_tables(config),
        config.user_speaker,
        settings.t1_question_emotion,
        settings.min_turns,
        settings.max_turns,
    )


def humdial_tables(config: BuildConfig) -> tuple[str, ...]:
    """Return the names of the tables of HumDial's tasks that a build has, in their order."""
    return tuple(sorted({f"humdial_{table}" for table in config.humdial_tables}))


def humdial_row_settings(config: BuildConfig) -> HumdialRowSettings:
    """Return what of the configuration the rows of HumDial's tasks depend on."""
    return HumdialRowSettings(
        tables=humdial_tables(config),
        user_speaker=config.user_speaker,
        t3_rule=config.humdial_settings.t3_rule,
        prompts=PromptLibrary(config.prompts),
        is_embedded=config.stage2_audio == "embed",
    )


def asks_gold_turns(config: BuildConfig) -> bool:
    """Tell whether turns with a corpus label are labeled from their words too: when it is free."""
    return config.labels.also_gold or config.labeler == "linear"

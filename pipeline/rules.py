"""What of the configuration each stage depends on."""

from ieat.pipeline.config import BuildConfig
from ieat.pipeline.stages.attribute import AttributeRules
from ieat.pipeline.stages.compose import ComposeRules
from ieat.pipeline.stages.distill import DistillRules
from ieat.pipeline.stages.label import LabelRules
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


def asks_gold_turns(config: BuildConfig) -> bool:
    """Tell whether turns with a corpus label are labeled from their words too: when it is free."""
    return config.labels.also_gold or config.labeler == "linear"

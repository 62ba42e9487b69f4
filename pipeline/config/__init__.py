"""The one configuration of a build: a YAML file, flags of the same names, or Python."""

from ieat.pipeline.config.base import Settings
from ieat.pipeline.config.build import BuildConfig, describe_validation, load_config
from ieat.pipeline.config.endpoints import (
    AudioFormat,
    EndpointSettings,
    LanguageModelSettings,
    Prices,
    Service,
    VoiceLabelerSettings,
)
from ieat.pipeline.config.inputs import (
    CallSettings,
    FolderSettings,
    HumdialSettings,
    InputSettings,
    Layout,
)
from ieat.pipeline.config.labels import FusionPolicy, LabelSettings
from ieat.pipeline.config.resources import Gate, ResourceSettings
from ieat.pipeline.config.verifier import VerifierSettings

__all__ = [
    "AudioFormat",
    "BuildConfig",
    "CallSettings",
    "EndpointSettings",
    "FolderSettings",
    "FusionPolicy",
    "Gate",
    "HumdialSettings",
    "InputSettings",
    "LabelSettings",
    "LanguageModelSettings",
    "Layout",
    "Prices",
    "ResourceSettings",
    "Service",
    "Settings",
    "VerifierSettings",
    "VoiceLabelerSettings",
    "describe_validation",
    "load_config",
]

"""The one configuration of a build: a YAML file, flags of the same names, or Python."""

from ieat.pipeline.config.aqa import AqaSettings
from ieat.pipeline.config.base import Settings
from ieat.pipeline.config.build import BuildConfig, load_config
from ieat.pipeline.config.checks import CheckSettings, WordRates
from ieat.pipeline.config.endpoints import (
    AudioFormat,
    EndpointSettings,
    LanguageModelSettings,
    Prices,
    Service,
    VoiceLabelerSettings,
)
from ieat.pipeline.config.files import describe_validation
from ieat.pipeline.config.humdial_tables import HumdialTable, HumdialTableSettings
from ieat.pipeline.config.inputs import (
    CallSettings,
    FolderSettings,
    HumdialSettings,
    InputSettings,
    Layout,
)
from ieat.pipeline.config.labels import FusionPolicy, LabelSettings
from ieat.pipeline.config.resources import Gate, ResourceSettings
from ieat.pipeline.config.splits import SplitSettings
from ieat.pipeline.config.teacher import TeacherSettings
from ieat.pipeline.config.verifier import VerifierSettings

__all__ = [
    "AqaSettings",
    "AudioFormat",
    "BuildConfig",
    "CallSettings",
    "CheckSettings",
    "EndpointSettings",
    "FolderSettings",
    "FusionPolicy",
    "Gate",
    "HumdialSettings",
    "HumdialTable",
    "HumdialTableSettings",
    "InputSettings",
    "LabelSettings",
    "LanguageModelSettings",
    "Layout",
    "Prices",
    "ResourceSettings",
    "Service",
    "Settings",
    "SplitSettings",
    "TeacherSettings",
    "VerifierSettings",
    "VoiceLabelerSettings",
    "WordRates",
    "describe_validation",
    "load_config",
]

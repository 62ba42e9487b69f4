import pytest
import yaml

from ieat.pipeline.config import BuildConfig, load_config
from ieat.pipeline.failures import ConfigError
from ieat.pipeline.identity import build_identity
from ieat.pipeline.init import render_config, write_config

MINIMAL = {"inputs": [{"path": "talks.jsonl"}], "output": "out"}


def refused(match, **changes):
    with pytest.raises(ConfigError, match=match):
        load_config(None, MINIMAL | changes)


def test_the_smallest_configuration_needs_no_key_and_no_service():
    config = load_config(None, MINIMAL)
    assert (config.recognizer, config.labeler, config.attributor, config.response) == (
        "moonshine",
        "linear",
        "extractive",
        "corpus",
    )
    assert config.store_folder == "out.ieat"


def test_unknown_keys_are_named_with_their_place():
    refused("colour: unknown key", colour="red")
    refused(r"inputs\.0\.fromat: unknown key", inputs=[{"path": "a", "fromat": "call"}])
    refused(r"labels\.outsid: unknown key", labels={"outsid": "drop"})


def test_values_that_do_not_fit_are_named():
    refused("recognizer: 'whisper' is no engine", recognizer="whisper")
    refused("labeler: llm needs a language_model", labeler="llm")
    refused("response: written needs a language_model", response="written")
    refused(
        "emotion_map is used with labels.outside: map only", labels={"emotion_map": {"a": "sad"}}
    )
    refused("limit: ", limit=0)
    refused("keep_targets.neutral: Input should be less than", keep_targets={"neutral": 2})
    refused("keep_targets.calm.*: Input should be 'happy'", keep_targets={"calm": 0.5})
    refused("checks.hard: 'too_loud' is no code of rows", checks={"hard": ["too_loud"]})
    refused(
        "checks: max_clip_seconds must be above min_clip_seconds", checks={"min_clip_seconds": 30}
    )
    refused("prompts: 'labelling' is no prompt", prompts={"labelling": "mine"})


def test_a_template_that_cannot_be_read_is_a_mistake_before_the_run(tmp_path):
    config = load_config(None, MINIMAL | {"prompts": {"labeling": str(tmp_path)}})
    with pytest.raises(ConfigError, match=r"cannot read the template labeling@own\.en"):
        build_identity(config, {})


def test_an_own_pool_of_instructions_that_lacks_a_task_is_a_mistake_before_the_run(tmp_path):
    for language in ("en", "zh"):
        (tmp_path / f"{language}.md").write_text("## alignment\n- Write.\n")
    config = load_config(None, MINIMAL | {"prompts": {"instructions": str(tmp_path)}})
    with pytest.raises(ConfigError, match="no phrasing for the task 'attributes'"):
        build_identity(config, {})


def test_a_build_without_teacher_and_questions_is_what_it_was_before_there_were_any():
    told = build_identity(load_config(None, MINIMAL), {})
    assert not {"teacher", "teacher_settings", "aqa"} & set(told["config"])
    assert "distillation@1.en" not in told["prompts"]
    taught = build_identity(load_config(None, MINIMAL | {"teacher": "openai:t"}), {})
    assert taught["teacher_sampling"]["extra_body"] == {
        "chat_template_kwargs": {"enable_thinking": False}
    }
    assert {"distillation@1.en", "reask_plain@1.zh"} <= set(taught["prompts"])


def test_a_teacher_keeps_its_own_base_url_and_its_own_fields():
    changes = {
        "teacher": "openai:t",
        "teacher_settings": {
            "base_url": "http://own/v1",
            "extra_body": {"top_k": 1, "chat_template_kwargs": {"tools": False}},
        },
    }
    config = load_config(None, MINIMAL | changes, base_url="http://h/v1")
    assert config.teacher_settings.base_url == "http://own/v1"
    assert config.teacher_settings.body == {
        "top_k": 1,
        "chat_template_kwargs": {"enable_thinking": False, "tools": False},
    }
    other = load_config(None, MINIMAL | {"teacher": "openai:t"}, base_url="http://h/v1")
    assert other.teacher_settings.base_url == "http://h/v1"
    refused("teacher: 'qwen' is no teacher", teacher="qwen")
    priced = {"max_usd": 1.0, "teacher": "openai:t"}
    refused(r"max_usd needs teacher_settings\.prices", **priced)


def test_questions_may_be_named_by_their_path_alone():
    config = load_config(None, MINIMAL | {"aqa": "quiz.jsonl"})
    assert config.aqa is not None
    assert (config.aqa.path, config.aqa.split) == ("quiz.jsonl", "train")
    refused(r"aqa\.file: unknown key", aqa={"path": "a", "file": "b"})


def test_flags_go_over_the_file(tmp_path):
    file = tmp_path / "ieat.yaml"
    file.write_text(yaml.safe_dump(MINIMAL | {"recognizer": "gold", "shards": 2}))
    config = load_config(
        file, {"recognizer": "openai:whisper-1", "limit": None}, base_url="http://h/v1"
    )
    assert (config.recognizer, config.shards, config.limit) == ("openai:whisper-1", 2, None)
    assert config.language_model_settings.base_url == "http://h/v1"
    assert config.recognizer_settings.base_url == "http://h/v1"


@pytest.mark.parametrize(
    ("text", "match"),
    [("inputs: [", "cannot read the configuration"), ("- a\n- b\n", "holds no keys")],
)
def test_a_file_that_is_no_configuration_is_a_mistake(tmp_path, text, match):
    file = tmp_path / "ieat.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=match):
        load_config(file, {})


def test_a_missing_file_is_a_mistake(tmp_path):
    with pytest.raises(ConfigError, match="cannot read the configuration"):
        load_config(tmp_path / "none.yaml", {})


def test_the_written_configuration_holds_every_key_with_its_default_and_its_sentence(tmp_path):
    file = tmp_path / "ieat.yaml"
    write_config(file)
    config = load_config(file, {})
    assert config == load_config(None, {"inputs": [{"path": "dialogues.jsonl"}], "output": "out"})
    text = render_config()
    for name, field in BuildConfig.model_fields.items():
        assert f"\n{name}:" in text
        assert " ".join(field.description.split()) in text


def test_a_configuration_is_never_written_over(tmp_path):
    file = tmp_path / "ieat.yaml"
    file.write_text("mine")
    with pytest.raises(ConfigError, match="is there already"):
        write_config(file)
    assert file.read_text() == "mine"


def test_what_only_changes_how_a_build_runs_is_no_part_of_what_it_is():
    config = load_config(None, MINIMAL)
    same = load_config(
        None, MINIMAL | {"store": "elsewhere", "replay": True, "in_flight": 2, "limit": 3}
    )
    other = load_config(None, MINIMAL | {"shards": 9})
    ids = {"recognizer": "gold"}
    assert build_identity(config, ids) == build_identity(same, ids)
    assert build_identity(config, ids) != build_identity(other, ids)
    assert build_identity(config, ids) != build_identity(config, {"recognizer": "other"})


def test_a_missing_file_says_so_once_and_names_the_command_that_writes_one(tmp_path):
    file = tmp_path / "none.yaml"
    with pytest.raises(ConfigError) as caught:
        load_config(file, {})
    assert str(caught.value) == (
        f"cannot read the configuration {file}: No such file or directory; `ieat init` writes one"
    )


def test_broken_yaml_is_told_in_one_line_with_its_place(tmp_path):
    file = tmp_path / "ieat.yaml"
    file.write_text("inputs: [{path: ok.jsonl\noutput: out\n")
    with pytest.raises(ConfigError) as caught:
        load_config(file, {})
    assert str(caught.value) == (
        f"cannot read the configuration {file}: line 2, column 7: expected ',' or '}}', but got ':'"
    )


def test_a_broken_input_is_not_told_a_second_time_as_too_few_inputs():
    with pytest.raises(ConfigError) as caught:
        load_config(None, {"inputs": [{"path": "a.jsonl", "layout": "tree"}], "output": "out"})
    assert str(caught.value) == (
        "inputs.0.layout: Input should be 'manifest', 'folder', 'call' or 'humdial'"
    )
    with pytest.raises(ConfigError, match="inputs: Tuple should have at least 1 item"):
        load_config(None, {"inputs": [], "output": "out"})


def test_what_is_missing_is_named_with_the_flag_that_gives_it():
    with pytest.raises(ConfigError) as caught:
        load_config(None, {})
    assert str(caught.value) == (
        "inputs: missing; output: missing; give --input and --output, or a file by --config"
    )


def test_a_base_url_over_settings_that_are_no_mapping_is_a_mistake_with_a_place():
    with pytest.raises(ConfigError, match="language_model_settings: Input should be"):
        load_config(None, MINIMAL | {"language_model_settings": "fast"}, base_url="http://h/v1")


def test_shares_of_splits_that_do_not_fit_are_named():
    refused(r"splits\.shares: the shares sum up to 0\.9", splits={"shares": {"train": 0.9}})
    refused("there is no share of train", splits={"shares": {"dev": 1.0}})
    refused("the share of dev is 0.0", splits={"shares": {"train": 1.0, "dev": 0.0}})
    refused("'a b' is no name of a split", splits={"shares": {"a b": 1.0}})
    refused("near_duplicates: ", near_duplicates=0.2)


def test_splits_by_speaker_need_to_know_whose_names_are_people():
    shares = {"splits": {"shares": {"train": 0.9, "test": 0.1}}}
    refused(r"splits\.by: speaker needs inputs\.0\.speaker_scope", **shares)
    given = [{"path": "a", "speaker_scope": "corpus"}, {"path": "b", "layout": "humdial"}]
    assert load_config(None, MINIMAL | shares | {"inputs": given}).splits.by == (
        "speaker",
        "script",
    )
    by_script = {"splits": {**shares["splits"], "by": ["script"]}}
    assert load_config(None, MINIMAL | by_script).splits_file == "out.ieat/splits.json"


def test_where_splits_are_remembered_is_no_part_of_what_a_build_is():
    shares = {"shares": {"train": 1.0}, "by": ["script"]}
    one = load_config(None, MINIMAL | {"splits": shares})
    other = load_config(None, MINIMAL | {"splits": {**shares, "file": "kept.json"}})
    assert other.splits_file == "kept.json"
    assert build_identity(one, {}) == build_identity(other, {})
    assert build_identity(one, {}) != build_identity(load_config(None, MINIMAL), {})


def asks(**changes):
    return load_config(None, MINIMAL | {"labeler": "llm", "language_model": "openai:m"} | changes)


def test_several_samples_need_a_temperature_and_somebody_to_ask():
    warm = {"temperature": 0.7}
    assert asks(samples=3, language_model_settings=warm).samples == 3
    with pytest.raises(ConfigError) as caught:
        asks(samples=3)
    assert str(caught.value) == (
        "samples: 3 needs language_model_settings.temperature above 0, such as 0.7: "
        "at 0 every answer is the same"
    )
    with pytest.raises(ConfigError, match="samples: 3 asks nobody; set labeler or attributor"):
        asks(samples=3, labeler="linear", response="written", language_model_settings=warm)
    with pytest.raises(ConfigError, match="samples: Input should be greater than 0"):
        asks(samples=0)


def test_several_samples_are_part_of_what_a_build_is_and_single_ones_are_not_told():
    warm = {"temperature": 0.7}
    single = build_identity(asks(language_model_settings=warm), {})["config"]
    assert ("samples" in single, "min_agreement" in single["labels"]) == (False, False)
    several = build_identity(asks(samples=3, language_model_settings=warm), {})["config"]
    assert (several["samples"], several["labels"]["min_agreement"]) == (3, 0.5)

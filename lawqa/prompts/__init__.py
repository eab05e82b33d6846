"""The wordings of prompts: data, a file each, named by the file. `prompting` puts them together."""

from lawqa.prompts.wordings import STANDARD, Wording, wording_of, wordings

__all__ = ["STANDARD", "Wording", "wording_of", "wordings"]

"""Whether two manifests speak of the same model: the one place that decides it.

Content decides wherever both sides have it, so that a moved directory, a copy with a README, or the hub's
copy of a local directory is the same model. Manifests of lawqa 0.1 have only `directory_sha256`, and of the
hub's models only name and commit; those are compared where nothing better is known of both.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from lawqa.files import JsonObject

PARTS = ("weights", "config", "tokenizer", "chat_template", "generation")
"""What a model consists of (see `lawqa.models.files.identity`)."""

BASE_PARTS = ("weights", "config", "tokenizer")
"""What an adapter was trained over; its chat template is checked with the wording."""

BeforeAfter = tuple[object, object]


def model_pairs(
    before: JsonObject, now: JsonObject, parts: Collection[str] = PARTS
) -> dict[str, BeforeAfter]:
    """Return what is known of two models, side by side, by the name that a user knows.

    Args:
        before: what a manifest says of a model, as `Backend.describe()` gives it.
        now: what another says.
        parts: the parts of the content that count.

    Returns:
        Values then and now; the models are the same where all pairs are equal.
    """
    one, other = before.get("content"), now.get("content")
    if one and other:
        return {f"the model's {_called(part)}": (one.get(part), other.get(part)) for part in parts}
    directories = before.get("directory_sha256"), now.get("directory_sha256")
    if all(directories):
        return {"the model's files": directories}
    version = "commit" if before.get("commit") or now.get("commit") else "revision"
    pairs: dict[str, BeforeAfter] = {
        f"the model's {key}": (before.get(key), now.get(key)) for key in ("name", version)
    }
    pairs["the model's files"] = directories
    # A key that the earlier manifest lacks was not written yet by the lawqa of its time.
    if "digest" in before:
        pairs["the model's digest"] = before["digest"], now.get("digest")
    elif _address(before) and _address(now):  # by a digest a model is known on whatever server
        pairs["the server (--base-url)"] = _address(before), _address(now)
    if "script" in before:
        pairs["the script"] = _scripts(before["script"], now.get("script") or {})
    return pairs


def model_differences(
    before: JsonObject, now: JsonObject, parts: Collection[str] = PARTS
) -> dict[str, BeforeAfter]:
    """Return those of `model_pairs` that are not equal; empty for the same model."""
    pairs = model_pairs(before, now, parts)
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def content_is_known(model: JsonObject) -> bool:
    """Return whether a manifest says what a model's files held, so that its name does not matter."""
    return bool(model.get("content"))


def model_name(model: JsonObject) -> str:
    """Return a model's name with what distinguishes it from another of that name, for messages."""
    content = model.get("content") or {}
    known = content.get("weights") or model.get("directory_sha256")
    known = known or model.get("commit") or model.get("revision") or model.get("digest")
    name = str(model.get("name", model.get("backend", "?")))
    return f"{name} ({str(known)[:12]})" if known else name


def _scripts(before: Mapping[str, str | None], now: Mapping[str, str | None]) -> BeforeAfter:
    """Return what two tables say of an entry that they do not agree in; what failed may have been repaired
    since.
    """
    for key in sorted({*before, *now}):
        one, other = (table.get(key, table.get("*")) for table in (before, now))
        if one is None or other is None:
            continue
        answer_before, _, forced_before = one.partition("/")
        answer, _, forced = other.partition("/")
        if answer_before != answer or (forced_before and forced and forced_before != forced):
            return f"{key}: {one}", f"{key}: {other}"
    return None, None


def _address(model: JsonObject) -> str | None:
    server = model.get("server")
    return str(server["url"]) if isinstance(server, Mapping) and server.get("url") else None


def _called(part: str) -> str:
    words = {"chat_template": "chat template", "generation": "end tokens"}
    return words.get(part, part)

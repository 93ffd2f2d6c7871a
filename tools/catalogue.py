"""Write docs/providers.md from the providers' definitions: ``python -m tools.catalogue``; ``--check`` only compares."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from apps.integrations.providers import CATEGORIES, Provider, providers
from apps.integrations.providers.definition import CredentialField, SettingField

PAGE = Path(__file__).resolve().parent.parent / "docs" / "providers.md"
HEAD = """# Providers

Written by `make catalogue` from the definitions in `apps/integrations/providers/`: change those, not this page.
[Add a provider](add-a-provider.md) says how to write one.

Every provider is connected in the same way: **Integrations › Connect**, or `POST /api/v1/integrations` with the fields
below. Credentials are encrypted under the account's key and are shown masked from then on. Several connections of one
provider are told apart by their name.
"""


def page() -> str:
    """The whole page."""
    known = providers().values()
    lines = [HEAD, *_overview(list(known))]
    for category in CATEGORIES.values():
        own = [entry for entry in known if entry.category == category.name]
        if own:
            lines += ["", f"## {category.label}", "", category.description]
            for entry in own:
                lines += ["", *_provider(entry)]
    return "\n".join(lines) + "\n"


def faults() -> list[str]:
    """For ``make lint``: whether the page says what the definitions say."""
    written = PAGE.read_text() if PAGE.is_file() else ""
    return [] if written == page() else ["docs/providers.md is not what the definitions say: run make catalogue"]


def _overview(known: list[Provider]) -> Iterator[str]:
    yield "| category | providers |"
    yield "|---|---|"
    for category in CATEGORIES.values():
        names = ", ".join(
            f"[{entry.label}](#{_anchor(entry.label)})" for entry in known if entry.category == category.name
        )
        yield f"| `{category.name}` {category.label} | {names or '–'} |"


def _provider(entry: Provider) -> Iterator[str]:
    yield f"### {entry.label}"
    yield ""
    yield f"{entry.description} `{entry.category}` / `{entry.name}`"
    yield ""
    yield f"- Jobs: {', '.join(f'`{job}`' for job in sorted(entry.jobs))}"
    where = f"{entry.key_help}; " if entry.key_help else ""
    yield f"- Credentials: {where}[the provider's own words]({entry.docs_url})"
    if entry.oauth is not None:
        scopes = ", ".join(f"`{scope}`" for scope in entry.oauth.scopes)
        yield f"- Signing in: OAuth 2.0, asking for {scopes or 'nothing'}"
    if entry.webhooks:
        yield "- Webhooks: received and verified"
    fields = [*map(_credential, entry.credentials), *map(_setting, entry.settings)]
    if fields:
        yield ""
        yield "| field | what | needed | default |"
        yield "|---|---|---|---|"
        yield from fields


def _credential(field: CredentialField) -> str:
    kind = "secret" if field.secret else "shown as it is"
    return _row(f"credentials.{field.name}", _words(field.label, field.help, kind), field.required, "")


def _setting(field: SettingField) -> str:
    options = ", ".join(option.label for option in field.options)
    more = f"{'such as ' if field.open_choice else ''}{options}" if options else ""
    default = (
        "" if field.default in (None, "") else str(field.default).lower() if field.kind == "boolean" else field.default
    )
    return _row(f"settings.{field.name}", _words(field.label, field.help, more), field.required, default)


def _words(label: str, help_text: str, more: str) -> str:
    first = f"{label} ({more})" if more else label
    return f"{first}. {help_text}" if help_text else first


def _row(name: str, what: str, needed: bool, default: object) -> str:
    cells = (f"`{name}`", what, "yes" if needed else "", f"`{default}`" if default != "" else "")
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def _anchor(label: str) -> str:
    """As GitHub makes them."""
    kept = "".join(letter for letter in label.lower() if letter.isalnum() or letter in " -_")
    return kept.replace(" ", "-")


def main() -> int:
    if "--check" in sys.argv:
        for fault in faults():
            print(fault)
        return 1 if faults() else 0
    PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())

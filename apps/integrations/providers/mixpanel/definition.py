"""Mixpanel, as its Ingestion API is described (docs.mixpanel.com/reference/import-events)."""

from apps.integrations.providers.definition import CredentialField, Option, Provider, SettingField

HOSTS = {"us": "https://api.mixpanel.com", "eu": "https://api-eu.mixpanel.com", "in": "https://api-in.mixpanel.com"}

PROVIDER = Provider(
    name="mixpanel",
    category="analytics",
    label="Mixpanel",
    description="Send events to a project of Mixpanel.",
    docs_url="https://docs.mixpanel.com/reference/project-token",
    base_url=HOSTS["us"],
    jobs=frozenset({"analytics.track"}),
    credentials=(
        CredentialField(
            name="project_token",
            label="Project token",
            pattern=r"[0-9a-f]{32}",
            pattern_hint="A project token is 32 digits and letters from a to f.",
        ),
    ),
    settings=(
        SettingField(
            name="region",
            label="Data residency",
            kind="choice",
            options=(Option("us", "United States"), Option("eu", "European Union"), Option("in", "India")),
            default="us",
            help="Where the project keeps its data; elsewhere its token is not known.",
        ),
    ),
    main_setting="region",
    key_help="mixpanel.com › Settings › Project settings › Access keys",
)

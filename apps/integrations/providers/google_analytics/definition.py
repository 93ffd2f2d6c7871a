"""Google Analytics 4, as its Measurement Protocol is described
(developers.google.com/analytics/devguides/collection/protocol/ga4)."""

from apps.integrations.providers.definition import CredentialField, Option, Provider, SettingField

HOSTS = {"worldwide": "https://www.google-analytics.com", "eu": "https://region1.google-analytics.com"}

PROVIDER = Provider(
    name="google_analytics",
    category="analytics",
    label="Google Analytics",
    description="Send events to a data stream of Google Analytics 4.",
    docs_url="https://support.google.com/analytics/answer/9814495",
    base_url=HOSTS["worldwide"],
    jobs=frozenset({"analytics.track"}),
    credentials=(
        CredentialField(
            name="measurement_id",
            label="Measurement ID",
            placeholder="G-…",
            secret=False,
            pattern=r"G-[A-Z0-9]{4,20}",
            pattern_hint="A measurement ID is G- and capital letters and digits.",
        ),
        CredentialField(
            name="api_secret",
            label="API secret",
            help="Google takes events with a wrong secret without a word, and drops them: after connecting, look "
            "at the stream's report «Realtime» once.",
            pattern=r"[A-Za-z0-9_-]{10,100}",
            pattern_hint="An API secret is a word of letters, digits, dashes and underscores.",
        ),
    ),
    settings=(
        SettingField(
            name="collection",
            label="Collection",
            kind="choice",
            options=(Option("worldwide", "Worldwide"), Option("eu", "In the European Union")),
            default="worldwide",
            help="Where Google takes the events in.",
        ),
    ),
    main_setting="collection",
    key_help="analytics.google.com › Admin › Data streams › your stream › Measurement Protocol API secrets",
)

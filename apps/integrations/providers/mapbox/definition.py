"""Mapbox, as its Geocoding API (v6) is described (docs.mapbox.com/api/search/geocoding)."""

from apps.integrations.providers.definition import CredentialField, Provider, SettingField

PROVIDER = Provider(
    name="mapbox",
    category="maps",
    label="Mapbox",
    description="Find the place of an address, and the address of a place.",
    docs_url="https://docs.mapbox.com/help/getting-started/access-tokens/",
    base_url="https://api.mapbox.com",
    jobs=frozenset({"maps.geocode", "maps.reverse"}),
    credentials=(
        CredentialField(
            name="access_token",
            label="Access token",
            placeholder="pk.…",
            help="A public token without URL restrictions is enough: calls come from a server, not from a page.",
            pattern=r"[ps]k\.[A-Za-z0-9._-]{20,2000}",
            pattern_hint="An access token begins with pk. or sk.",
        ),
    ),
    settings=(
        SettingField(
            name="style_url",
            label="Map style",
            placeholder="mapbox://styles/mapbox/streets-v12",
            default="mapbox://styles/mapbox/streets-v12",
            help="How maps look that your own pages and programs draw; they read it through the API.",
            pattern=r"mapbox://styles/[A-Za-z0-9_-]{1,100}/[A-Za-z0-9_-]{1,100}",
            pattern_hint="A style begins with mapbox://styles/.",
        ),
    ),
    main_setting="style_url",
    key_help="console.mapbox.com › Tokens",
)

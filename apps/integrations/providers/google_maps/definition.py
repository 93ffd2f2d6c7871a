"""Google Maps, as its Geocoding API is described (developers.google.com/maps/documentation/geocoding)."""

from apps.integrations.providers.definition import CredentialField, Provider, SettingField

PROVIDER = Provider(
    name="google_maps",
    category="maps",
    label="Google Maps",
    description="Find the place of an address, and the address of a place.",
    docs_url="https://developers.google.com/maps/documentation/geocoding/get-api-key",
    base_url="https://maps.googleapis.com/maps/api",
    products=(("geocoding", "Geocoding"),),
    jobs=frozenset({"maps.geocode", "maps.reverse"}),
    credentials=(
        CredentialField(
            name="api_key",
            label="API key",
            placeholder="AIza…",
            help="Allow it the Geocoding API, and the Street View Static API: the connection test asks for the "
            "description of a picture there, the one call of Google Maps that is free of charge. Addresses are "
            "billed by Google, found or not.",
            pattern=r"AIza[A-Za-z0-9_-]{30,60}",
            pattern_hint="An API key begins with AIza.",
        ),
    ),
    settings=(
        SettingField(
            name="default_zoom",
            label="Zoom",
            kind="number",
            default=12,
            least=0,
            most=22,
            help="How far around the centre is near: 5 is a country, 12 a town, 15 a quarter.",
        ),
        SettingField(
            name="default_center",
            label="Centre",
            placeholder="52.52,13.405",
            help="Latitude and longitude. Of places with the same name those near it come first.",
            pattern=r"-?(90(\.0+)?|[0-8]?[0-9](\.[0-9]{1,8})?), ?"
            r"-?(180(\.0+)?|(1[0-7][0-9]|[0-9]{1,2})(\.[0-9]{1,8})?)",
            pattern_hint="Two numbers with a comma, such as 52.52,13.405.",
        ),
    ),
    main_setting="default_center",
    key_help="console.cloud.google.com › Google Maps Platform › Keys & credentials",
)

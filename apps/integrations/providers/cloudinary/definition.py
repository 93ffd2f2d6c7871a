"""Cloudinary, as its Upload API and Admin API references describe it (cloudinary.com/documentation)."""

from apps.integrations.providers.definition import CredentialField, Option, Provider, SettingField

PROVIDER = Provider(
    name="cloudinary",
    category="storage",
    label="Cloudinary",
    description="Keep files and pictures in Cloudinary, where only signed addresses read them.",
    docs_url="https://cloudinary.com/documentation/developer_onboarding_faq_find_credentials",
    base_url="https://api.cloudinary.com/v1_1",
    jobs=frozenset({"storage.put", "storage.get", "storage.presign", "storage.delete"}),
    credentials=(
        CredentialField(
            name="api_key",
            label="API key",
            secret=False,
            pattern=r"[A-Za-z0-9_-]+",
            pattern_hint="An API key holds letters and digits only.",
        ),
        CredentialField(
            name="api_secret",
            label="API secret",
            pattern=r"[\x21-\x7e]+",
            pattern_hint="An API secret holds no spaces.",
        ),
    ),
    settings=(
        SettingField(
            name="cloud_name",
            label="Cloud name",
            required=True,
            pattern=r"[A-Za-z0-9_-]{1,100}",
            pattern_hint="A cloud name holds letters, digits, - and _ only.",
        ),
        SettingField(
            name="images",
            label="Keep pictures as pictures",
            kind="boolean",
            help="So that Cloudinary can make them smaller. Whether a file is one is told by the end of its name. "
            "Files stored before this is changed are not found after.",
            default=True,
        ),
        SettingField(
            name="signature_algorithm",
            label="Signature algorithm",
            kind="choice",
            help="As set in Cloudinary, under Settings › Security.",
            options=(Option("sha1", "SHA-1 (Cloudinary's default)"), Option("sha256", "SHA-256")),
            default="sha1",
        ),
    ),
    main_setting="cloud_name",
    key_help="Cloudinary console › Settings › API keys",
)

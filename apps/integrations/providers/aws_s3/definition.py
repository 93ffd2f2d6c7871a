"""Amazon S3, as its API reference describes it, and stores that speak the same protocol."""

from apps.integrations.providers.definition import CredentialField, Provider, SettingField

PROVIDER = Provider(
    name="aws_s3",
    category="storage",
    label="Amazon S3",
    description="Keep files in a bucket of Amazon S3, or of a store that speaks its protocol.",
    docs_url="https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html",
    base_url="https://s3.amazonaws.com",
    jobs=frozenset({"storage.put", "storage.get", "storage.presign", "storage.delete"}),
    credentials=(
        CredentialField(
            name="access_key_id",
            label="Access key ID",
            placeholder="AKIA…",
            secret=False,
            pattern=r"[A-Za-z0-9_+=,.@-]{3,128}",
            pattern_hint="An access key ID holds no spaces or slashes.",
        ),
        CredentialField(
            name="secret_access_key",
            label="Secret access key",
            help="Of a user that may s3:ListBucket, s3:GetObject, s3:PutObject and s3:DeleteObject in this bucket.",
        ),
        CredentialField(
            name="session_token",
            label="Session token",
            help="Only with keys that last for a while (AWS STS).",
            required=False,
            pattern=r"[\x21-\x7e]+",
            pattern_hint="A session token holds no spaces.",
        ),
    ),
    settings=(
        SettingField(
            name="bucket",
            label="Bucket",
            required=True,
            pattern=r"(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
            pattern_hint="3 to 63 lower-case letters, digits, dots and hyphens.",
        ),
        SettingField(
            name="region",
            label="Region",
            placeholder="eu-central-1",
            pattern=r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?",
            pattern_hint="A region such as eu-central-1.",
            default="us-east-1",
        ),
        SettingField(
            name="endpoint",
            label="Endpoint",
            kind="url",
            placeholder="https://minio.example.com",
            help="Only for a store that is not Amazon's.",
            pattern=r"https?://[^/?#\\]+/?",
            pattern_hint="Scheme and host alone, such as https://minio.example.com.",
        ),
    ),
    main_setting="bucket",
    key_help="AWS console › IAM › Users › Security credentials",
)

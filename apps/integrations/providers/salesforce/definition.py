"""Salesforce, as its REST API Developer Guide describes it."""

from apps.integrations.providers.definition import GRANT, CredentialField, Provider, SettingField
from apps.integrations.providers.oauth import OAuth, Revocation
from apps.integrations.providers.salesforce.hosts import PATTERN, SIGN_IN, sign_in_host

PROVIDER = Provider(
    name="salesforce",
    category="crm",
    label="Salesforce",
    description="Keep contacts in step with Salesforce.",
    docs_url="https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/intro_rest.htm",
    base_url=f"{SIGN_IN}/services",
    jobs=frozenset({"crm.upsert_contact", "crm.find_contact"}),
    credentials=(
        CredentialField(
            name="client_id",
            label="Consumer key",
            help="Of an external client app of your own. Not needed when you connect by signing in with ours.",
            required=False,
            secret=False,
            pattern=r"[\x21-\x7e]+",
            pattern_hint="A consumer key holds no spaces.",
        ),
        CredentialField(name="client_secret", label="Consumer secret", required=False),
        CredentialField(
            name="refresh_token",
            label="Refresh token",
            help="Signing in gets one by itself.",
            required=False,
        ),
    ),
    settings=(
        SettingField(
            name="instance_url",
            label="Instance",
            kind="url",
            placeholder="https://your-company.my.salesforce.com",
            help="Where your organisation lives. Signing in finds it by itself.",
            pattern=PATTERN + "/?",
            pattern_hint="Must be your organisation's address, such as https://your-company.my.salesforce.com.",
        ),
        SettingField(
            name="api_version",
            label="API version",
            placeholder="62.0",
            pattern=r"[1-9]\d\.0",
            pattern_hint="A version such as 62.0.",
            default="62.0",
        ),
        SettingField(
            name="external_id_field",
            label="External ID field",
            placeholder="Email_Key__c",
            help="A unique external ID field of contacts that holds the e-mail address. With it Salesforce itself sees "
            "to it that nobody is made twice; without it, contacts are only looked up first.",
            pattern=r"[A-Za-z][A-Za-z0-9_]{0,76}__c",
            pattern_hint="The API name of a custom field ends with __c.",
        ),
        GRANT,
    ),
    main_setting="instance_url",
    key_help="Salesforce › Setup › External Client App Manager › New External Client App",
    oauth=OAuth(
        app="salesforce",
        authorize_url="{server}/services/oauth2/authorize",
        token_url="{server}/services/oauth2/token",  # noqa: S106 - an address
        scopes=("api", "refresh_token", "openid"),
        revocation=Revocation(url="{server}/services/oauth2/revoke"),
        application_scopes=(),
        refusals=frozenset({"invalid_grant"}),
        lasts=7200,  # the default of an organisation's session settings; answers do not say
        facts={"instance_url": "instance_url"},
        server=sign_in_host,
        app_help="https://help.salesforce.com/s/articleView?id=xcloud.create_a_local_external_client_app.htm",
    ),
)

"""Floor 2: keys, encrypted fields, contacts, the audit trail."""

from django.apps import AppConfig

SEALED = "It was started without its master key, so nothing that needs a key can be served. No data is lost."


class VaultConfig(AppConfig):
    """The vault."""

    name = "apps.vault"
    label = "vault"
    verbose_name = "Vault"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.accounts.api.problems import declare
        from apps.accounts.audit import set_writer
        from apps.accounts.demo.build import demo_account_built
        from apps.accounts.signals import account_created, job_cancelled
        from apps.vault import jobs, mfa  # noqa: F401 - jobs declares its kinds
        from apps.vault.audit.chain import append
        from apps.vault.demo.contacts import add_contacts
        from apps.vault.keys import DecryptionFailed, Sealed
        from apps.vault.pages.entries import register_all
        from apps.vault.services.contact_imports import note_cancelled
        from apps.vault.services.open_vault import make_account_keys

        declare(Sealed, 503, "sealed", title="Strongroom is sealed", detail=SEALED, Retry_After="10")
        set_writer(append)
        declare(
            DecryptionFailed,
            500,
            "undecryptable",
            title="A stored value does not decrypt",
            detail="It is not shown. The operator finds the place in the log under the request's id.",
        )
        account_created.connect(make_account_keys, dispatch_uid="vault.make_account_keys")
        job_cancelled.connect(note_cancelled, dispatch_uid="vault.note_cancelled_import")
        demo_account_built.connect(add_contacts, dispatch_uid="vault.demo_contacts")
        mfa.connect()
        register_all()

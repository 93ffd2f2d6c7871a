"""Floor 1: who you are, which account you act for, what you may do."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Accounts, members, API keys, jobs, tenancy."""

    name = "apps.accounts"
    label = "accounts"
    verbose_name = "Tenants"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.db.models.signals import post_migrate, post_save, pre_delete, pre_migrate

        from apps.accounts import credentials
        from apps.accounts.demo.build import demo_account_built
        from apps.accounts.demo.usage import add_usage
        from apps.accounts.features import answers as feature_answers
        from apps.accounts.live import receivers as live_receivers
        from apps.accounts.metering import (
            alert_mail,  # noqa: F401 - declares its kind of job
            answers,
            prices,
        )
        from apps.accounts.pages.entries import register_all
        from apps.accounts.services import invitation_mail  # noqa: F401 - declares its kind of job
        from apps.accounts.signin import receivers
        from apps.accounts.tenancy import checks, roles  # noqa: F401 - registers the checks

        account = self.get_model("Account")
        post_save.connect(credentials.account_saved, sender=account, dispatch_uid="accounts.account_saved")
        pre_delete.connect(credentials.account_going, sender=account, dispatch_uid="accounts.account_going")
        pre_migrate.connect(roles.prepare, sender=self, dispatch_uid="accounts.roles.prepare")
        # Whichever app was migrated last: by then the models of all are there.
        post_migrate.connect(prices.load_declared, sender=self, dispatch_uid="accounts.prices.load_declared")
        demo_account_built.connect(add_usage, dispatch_uid="accounts.demo_usage")
        answers.declare_all()
        feature_answers.declare_all()
        receivers.connect()
        live_receivers.connect()
        register_all()

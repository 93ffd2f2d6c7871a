"""Floor 3: providers, connections, outbound HTTP, ZeroDB."""

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    """Floor 3: providers, connections, outbound HTTP, ZeroDB."""

    name = "apps.integrations"
    label = "integrations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.accounts.demo.build import demo_account_built
        from apps.accounts.signals import account_created, job_cancelled
        from apps.integrations import checks, jobs  # noqa: F401 - registers the checks, declares the kinds
        from apps.integrations.demo.connections import add_connections
        from apps.integrations.oauth.access import PREFIX
        from apps.integrations.oauth.giving_back import give_back, hold
        from apps.integrations.pages.entries import register_all
        from apps.integrations.phrases import say_all
        from apps.integrations.prices import declare_all
        from apps.integrations.zerodb.provisioning import close_cancelled, plan_project
        from apps.vault.tokens import declare_service

        declare_service(PREFIX, give_back, hold=hold)
        account_created.connect(plan_project, dispatch_uid="integrations.plan_project")
        job_cancelled.connect(close_cancelled, dispatch_uid="integrations.close_cancelled_provisioning")
        demo_account_built.connect(add_connections, dispatch_uid="integrations.demo_connections")
        register_all()
        say_all()
        declare_all()

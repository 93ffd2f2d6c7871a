"""Floor 3: providers, connections, outbound HTTP, ZeroDB."""

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    """Floor 3: providers, connections, outbound HTTP, ZeroDB."""

    name = "apps.integrations"
    label = "integrations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.db.models.signals import post_save

        from apps.accounts.demo.build import demo_account_built
        from apps.accounts.metering import declare_item, declare_source
        from apps.accounts.metering.holding import ITEM, SOURCE, declare_holdings
        from apps.accounts.signals import account_created, feature_chosen, feature_staged, job_cancelled
        from apps.integrations import checks, jobs, usage  # noqa: F401 - registers the checks, declares the kinds
        from apps.integrations.api import outages
        from apps.integrations.demo.connections import add_connections
        from apps.integrations.oauth.giving_back import give_back, hold
        from apps.integrations.oauth.kinds import PREFIX
        from apps.integrations.pages.entries import register_all
        from apps.integrations.phrases import say_all
        from apps.integrations.prices import declare_all
        from apps.integrations.zerodb import holdings
        from apps.integrations.zerodb.provisioning import aligning, close_cancelled, plan_project
        from apps.integrations.zerodb.readiness import project_saved
        from apps.vault.tokens import declare_service

        declare_service(PREFIX, give_back, hold=hold)
        account_created.connect(plan_project, dispatch_uid="integrations.plan_project")
        feature_chosen.connect(aligning.feature_chosen, dispatch_uid="integrations.feature_chosen")
        feature_staged.connect(aligning.feature_staged, dispatch_uid="integrations.feature_staged")
        post_save.connect(
            project_saved, sender=self.get_model("AINativeProject"), dispatch_uid="integrations.project_saved"
        )
        job_cancelled.connect(close_cancelled, dispatch_uid="integrations.close_cancelled_provisioning")
        demo_account_built.connect(add_connections, dispatch_uid="integrations.demo_connections")
        register_all()
        say_all()
        declare_all()
        outages.declare_all()
        holdings.declare_prices()
        declare_holdings(holdings.read)
        declare_source(SOURCE, "AI data")
        declare_item(ITEM, "AI data")
        declare_source(usage.SOURCE, "Integrations", usage.names_of)

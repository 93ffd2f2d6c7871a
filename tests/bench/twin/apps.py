from django.apps import AppConfig


class TwinConfig(AppConfig):
    name = "tests.bench.twin"
    label = "twin"

    def ready(self) -> None:
        from apps.accounts.tenancy.registry import GLOBAL_MODELS

        GLOBAL_MODELS["twin.plaincontact"] = "the bench's twin: in plaintext and without walls, on purpose"
        GLOBAL_MODELS["twin.plaintoken"] = "opens the bench's twin"

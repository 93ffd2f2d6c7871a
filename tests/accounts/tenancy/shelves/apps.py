from django.apps import AppConfig


class ShelvesConfig(AppConfig):
    name = "tests.accounts.tenancy.shelves"
    label = "shelves"

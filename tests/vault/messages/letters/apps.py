from django.apps import AppConfig


class LettersConfig(AppConfig):
    name = "tests.vault.messages.letters"
    label = "letters"

"""What people said, encrypted: storing it and reading it back. Whose it is, a floor above knows."""

from apps.vault.messages.storing import load_contents, store_content

__all__ = ["load_contents", "store_content"]

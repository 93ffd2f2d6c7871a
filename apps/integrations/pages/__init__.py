"""The pages of this floor: the account's AI project."""

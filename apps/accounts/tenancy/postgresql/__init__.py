"""Django's PostgreSQL backend, which knows that an owned table's primary key is (owner, id)."""

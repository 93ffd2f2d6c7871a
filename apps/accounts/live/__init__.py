"""What happens in an account, told to the pages that are open in it.

Services announce (``announcing``) what changed; after the commit it gets the account's next number (``numbers``) and
goes through the Redis server to every process that holds sockets (``hub``), which hands it to those of the account
(``consumer``). What goes round names rows and parts of pages, never what is in them: pages fetch that through the
doors they always use.
"""

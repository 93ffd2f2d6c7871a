"""``Idempotency-Key``: a POST that is sent again is not done again.

The key, a fingerprint of the request and the encrypted answer are one row, written in the transaction of the
request's effect: either both are there or neither. A twin that arrives meanwhile waits at the unique index and
then gets the first one's answer; after a refusal, which is rolled back, it is done as if it were the first.
"""

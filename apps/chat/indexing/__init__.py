"""The index of conversations by meaning: a row first, its vectors second.

``changes`` notes what has to go in or out, in the transaction that causes it. The job ``conversations.index``
(``running``) brings the vectors into step and may be killed anywhere: vectors bear the ids of their messages, so
that what is done twice is there once. ``generations`` builds a new index beside the old one and cuts over.
"""

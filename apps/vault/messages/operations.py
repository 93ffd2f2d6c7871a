"""The migration operation that ties a table of search words to its messages."""

from __future__ import annotations

from typing import Any

from django.db.migrations.operations.base import Operation, OperationCategory

_ADDED = """
CREATE OR REPLACE FUNCTION {name}_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- In the order of the index: neighbours go to one page, one after the other.
  INSERT INTO {words} (account_id, word, message_id) SELECT account_id, word, id
    FROM (SELECT account_id, unnest(words) AS word, id FROM fresh) AS each ORDER BY word, id;
  RETURN NULL;
END $$
"""

_CHANGED = """
CREATE FUNCTION {name}_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM {words} WHERE account_id = OLD.account_id AND word = ANY(OLD.words) AND message_id = OLD.id
    AND word <> ALL(coalesce(NEW.words, '{{}}'));
  INSERT INTO {words} (account_id, word, message_id)
    SELECT NEW.account_id, word, NEW.id FROM unnest(NEW.words) AS word WHERE word <> ALL(coalesce(OLD.words, '{{}}'));
  RETURN NULL;
END $$
"""

_REMOVED = """
CREATE FUNCTION {name}_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM {words} USING (SELECT account_id, unnest(words) AS word, id FROM gone) AS lost
    WHERE {words}.account_id = lost.account_id AND {words}.word = lost.word AND {words}.message_id = lost.id;
  RETURN NULL;
END $$
"""

_TRIGGERS = [
    "CREATE TRIGGER words_added AFTER INSERT ON {messages} REFERENCING NEW TABLE AS fresh "
    "FOR EACH STATEMENT EXECUTE FUNCTION {name}_added()",
    "CREATE TRIGGER words_changed AFTER UPDATE ON {messages} FOR EACH ROW "
    "WHEN (OLD.words IS DISTINCT FROM NEW.words) EXECUTE FUNCTION {name}_changed()",
    "CREATE TRIGGER words_removed AFTER DELETE ON {messages} REFERENCING OLD TABLE AS gone "
    "FOR EACH STATEMENT EXECUTE FUNCTION {name}_removed()",
]


class KeepWords(Operation):
    """Triggers by which the rows of ``words_name`` are always the unfolded ``words`` of ``message_name``.

    So no way of writing a message can forget its words: not a bulk insert, not a cascade, not SQL by hand. They
    run with the rights, and inside the scope, of whoever writes. Both tables must be protected before.
    """

    reversible = True
    category = OperationCategory.SQL

    def __init__(self, message_name: str, words_name: str) -> None:
        self.message_name = message_name
        self.words_name = words_name

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The models' state does not change: this is about the database alone."""

    def describe(self) -> str:
        return f"Keep {self.words_name} in step with {self.message_name}"

    def database_forwards(self, app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
        for statement in (_ADDED, _CHANGED, _REMOVED, *_TRIGGERS):
            editor.execute(statement.format(**self._names(app_label, to_state)), params=None)

    def database_backwards(self, app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
        names = self._names(app_label, from_state)
        for verb in ("added", "changed", "removed"):
            editor.execute(f"DROP TRIGGER words_{verb} ON {names['messages']}")
            editor.execute(f"DROP FUNCTION {names['name']}_{verb}()")

    def _names(self, app_label: str, state: Any) -> dict[str, str]:
        messages = state.apps.get_model(app_label, self.message_name)._meta.db_table
        words = state.apps.get_model(app_label, self.words_name)._meta.db_table
        return {"messages": f'"{messages}"', "words": f'"{words}"', "name": words}


class RenewKeptWords(KeepWords):
    """Give a database that was migrated before the function that writes the words of new messages as it is now."""

    def describe(self) -> str:
        return f"Renew how {self.words_name} is written"

    def database_forwards(self, app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
        editor.execute(_ADDED.format(**self._names(app_label, to_state)), params=None)

    def database_backwards(self, app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
        """Nothing: both write the same rows."""

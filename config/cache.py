"""The cache server's client, kept: Django makes a new one for each command, with a table of some 170 callbacks."""

from __future__ import annotations

from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient


class KeepingClient(RedisCacheClient):
    """Makes two ``redis.Redis``, to write and to read; they hold nothing but the pool, which threads may share."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._kept: dict[bool, Any] = {}

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        """The same one each time: there is one server, so neither key nor chance decides."""
        if write not in self._kept:
            self._kept[write] = super().get_client(key, write=write)
        return self._kept[write]


class KeepingRedisCache(RedisCache):
    """``django.core.cache.backends.redis.RedisCache`` over a KeepingClient."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = KeepingClient

"""Counts over all processes who is asked whether a login is good, and who refused it.

It lives in Redis, under one key for each version of a credential, and no longer than it takes until refusals are
written down; from then on the database knows them.
"""

from enum import StrEnum
from typing import TYPE_CHECKING

from apps.core.together import Script

if TYPE_CHECKING:
    from apps.components.offers import Login

ENOUGH = 2  # devices that refuse a credential before it is used nowhere
KEPT = 600  # seconds


class Say(StrEnum):
    """What one process says to the others, or hears from them, of a login."""

    ASK = "ask"  # the device may be asked
    WAIT = "wait"  # enough are asked just now
    ACCEPTED = "accepted"
    REFUSED = "refused"
    SPENT = "spent"  # enough have refused it
    NOTHING = "nothing"  # whoever was asked did not answer


_ASK = Script(
    """
    local name, by_hand, kept = ARGV[1], ARGV[2] == '1', ARGV[3]
    local enough, most, patience, since = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
    local clock = redis.call('TIME')
    local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
    if since == 0 then since = now end
    local accepted, refused, asked, fields = 0, 0, 0, redis.call('HGETALL', KEYS[1])
    for i = 1, #fields, 2 do
        local kind = string.sub(fields[i], 1, 1)
        if kind == '+' then
            accepted = tonumber(fields[i + 1])
        elseif kind == '-' then
            refused = refused + 1
        elseif tonumber(fields[i + 1]) > now - patience then
            asked = asked + 1
        end
    end
    for i = 8, #ARGV do
        if redis.call('HEXISTS', KEYS[1], '-' .. ARGV[i]) == 0 then refused = refused + 1 end
    end
    local say = 'ask'
    if not by_hand then
        if refused >= enough then
            say = 'spent'
        elseif accepted >= since then
            say = 'accepted'
        elseif refused + asked >= most then
            say = 'wait'
        end
    end
    if say == 'ask' then
        redis.call('HSET', KEYS[1], '?' .. name, string.format('%.6f', now))
        redis.call('EXPIRE', KEYS[1], kept)
    end
    return {say, string.format('%.6f', since)}
    """
)
_TELL = Script(
    """
    local name, say, component, by_hand = ARGV[1], ARGV[2], ARGV[3], ARGV[4] == '1'
    redis.call('HDEL', KEYS[1], '?' .. name)
    if say == 'accepted' then
        local clock = redis.call('TIME')
        local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
        redis.call('HSET', KEYS[1], '+', string.format('%.6f', now))
        if by_hand then
            for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
                if string.sub(field, 1, 1) == '-' then redis.call('HDEL', KEYS[1], field) end
            end
        end
    elseif say == 'refused' then
        redis.call('HDEL', KEYS[1], '+')
        redis.call('HSET', KEYS[1], '-' .. component, '1')
    end
    redis.call('EXPIRE', KEYS[1], ARGV[5])
    return say
    """
)


def _key(login: "Login") -> str:
    return f"esm.offers.{login.credential}.{login.version}"


def ask(login: "Login", name: str, most: int, patience: float, since: float) -> tuple[Say, float]:
    """Ask whether a device may be asked, and count it if so; the moment from which on acceptances count comes back.

    Who asks by hand is counted, and never kept waiting. Without Redis the answer is yes.
    """
    counts = (ENOUGH, most, patience, f"{since:.6f}")
    told = _ASK.run(_key(login), name, int(login.by_hand), KEPT, *counts, *login.refused)
    if told is None:
        return Say.ASK, since
    return Say(told[0].decode()), float(told[1])


def tell(login: "Login", say: Say, component: int, name: str = "") -> None:
    """Tell the others what became of an offer: it is not under way any more."""
    _TELL.run(_key(login), name, say.value, component, int(login.by_hand), KEPT)

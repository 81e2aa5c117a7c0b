"""What the rig remembers between requests: tokens that it gave, and what tests told it."""

import secrets as random
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from upstream.journal import Sightings
from upstream.secrets import secret_values

# Older tokens are forgotten beyond it; no suite exchanges so often within a token's life.
TOKENS_MAX = 10_000


@dataclass
class Token:
    """A temporary credential: for whom, until when, and what else its kind needs."""

    value: str
    expires: float
    of: dict
    more: dict = field(default_factory=dict)

    def is_expired(self, now):
        return now >= self.expires


class State:
    """One for the rig."""

    def __init__(self, secrets):
        self.secrets = secrets
        self.sightings = Sightings(secret_values(secrets))
        # By kind and value.
        self._tokens = OrderedDict()
        # By role's ARN: the external id and the account that may assume it, as a customer writes into a trust policy.
        self.trust = {}
        # How long tokens live, where a test wants it otherwise than the service does.
        self.lifetime = None
        # Tokens that carry their own proof are refused if they were made before it.
        self.not_before = 0.0

    def identities(self, *types):
        """What is known of those types."""
        return [one for one in self.secrets["identities"] if one["type"] in types and one["is_known"]]

    def now(self):
        return time.time()

    def seconds(self, asked):
        """How long a token lives for which `asked` seconds are due."""
        return asked if self.lifetime is None else self.lifetime

    def issue(self, kind, value, of, seconds, **more):
        """Remembers a token, and seeks it from now on in whatever arrives."""
        token = Token(value, self.now() + seconds, of, more)
        self._tokens[kind, value] = token
        if len(self._tokens) > TOKENS_MAX:
            self._tokens.popitem(last=False)
        return token

    def token(self, kind, value):
        return self._tokens.get((kind, value))

    def take(self, kind, value):
        """The token, which is gone from now on."""
        return self._tokens.pop((kind, value), None)

    def forget_tokens(self):
        """All tokens given so far are worth nothing, as when their owner revokes them."""
        self._tokens.clear()
        self.not_before = self.now()


def random_text(length):
    """An unguessable text of letters and digits."""
    text = ""
    while len(text) < length:
        text += random.token_urlsafe(length).replace("-", "").replace("_", "")
    return text[:length]

"""Who asks: a name, a role and a scope, however they came to be known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from finops_assets.access.roles import MAY, OF_THE_WHOLE, Permission, Role
from finops_assets.access.scope import WHOLE, Scope

Means: TypeAlias = Literal["loopback", "key", "token", "login"]


class UnknownPrincipalError(Exception):
    """Who asks is not known; the text says why and holds no secret."""


class ForbiddenError(Exception):
    """Who asks may not do that; the text says what it takes."""


@dataclass(frozen=True)
class Principal:
    """Somebody, or a program, who may see and do this."""

    name: str
    role: Role
    scope: Scope
    means: Means

    def author(self, given: str) -> str:
        """Who signs what they say: whoever it is; while the lock is off, the name that was given."""
        return given if self.means == "loopback" else self.name

    def may(self, permission: Permission) -> bool:
        """Whether the role allows it, and the scope is wide enough."""
        return permission in MAY[self.role] and (permission not in OF_THE_WHOLE or self.scope.is_whole)

    def require(self, permission: Permission) -> None:
        """Raise ForbiddenError unless `may`."""
        if permission not in MAY[self.role]:
            needed = " or ".join(role for role, may in MAY.items() if permission in may)
            raise ForbiddenError(f"This takes the role {needed}; {self.name} is {self.role}.")
        if not self.may(permission):
            raise ForbiddenError(f"This is of all bills; {self.name} sees a part of them.")


LOOPBACK = Principal("local", "admin", WHOLE, "loopback")
"""Everybody, while the lock is off: only the machine itself reaches the servers."""

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
    role_of_whole: Role | None = None
    """The role for what is of all bills, where it is not `role`."""

    def author(self, given: str) -> str:
        """Who signs what they say: whoever it is; while the lock is off, the name that was given."""
        return given if self.means == "loopback" else self.name

    def may(self, permission: Permission) -> bool:
        """Whether the role allows it, and the scope is wide enough."""
        if permission not in OF_THE_WHOLE:
            return permission in MAY[self.role]
        return self.scope.is_whole and permission in MAY[self.role_of_whole or self.role]

    def require(self, permission: Permission) -> None:
        """Raise ForbiddenError unless `may`."""
        if permission not in MAY[self.role]:
            needed = " or ".join(role for role, may in MAY.items() if permission in may)
            raise ForbiddenError(f"This takes the role {needed}; {self.name} is {self.role}.")
        if not self.may(permission):
            has = f"is {self.role_of_whole} of them" if self.scope.is_whole else "sees a part of them"
            raise ForbiddenError(f"This is of all bills; {self.name} {has}.")


LOOPBACK = Principal("local", "admin", WHOLE, "loopback")
"""Everybody, while the lock is off: only the machine itself reaches the servers."""

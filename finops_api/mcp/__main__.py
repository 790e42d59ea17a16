"""The tools over stdin and stdout, for a program on this machine: `finops mcp`."""

from __future__ import annotations

import anyio

from finops_api.app import create_app


async def serve() -> None:
    """Answer until stdin ends."""
    app = create_app()
    async with app.router.lifespan_context(app):
        await app.state.mcp.run_stdio_async()


if __name__ == "__main__":
    anyio.run(serve)

"""The question before a run: asked once, only when there are changes, and only where somebody can answer."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from govhub.cli.i18n import tr
from govhub.cli.terminal import Terminal
from govhub.core.errors import UsageError
from govhub.core.plan import Plan

# Both languages' words, whichever is spoken: people answer as they are used to.
YES = ("y", "yes", "是", "好")


@dataclass(frozen=True, slots=True)
class Approval:
    """Shows the plan and asks; with ``yes`` it only shows."""

    terminal: Terminal
    operation: str
    yes: bool = False

    def __call__(self, plan: Plan) -> bool:
        """Whether to go on.

        Raises:
            UsageError: there is nobody to ask.
        """
        from govhub.cli.views.plan import show_plan

        terminal = self.terminal
        # With --json, stdout belongs to the one document.
        console = terminal.err if terminal.json else terminal.out
        show_plan(console, plan, verbose=terminal.verbose)
        console.print()
        if self.yes:
            return True
        return self.ask(plan.hub, tr("Destroy all this?") if self.operation == "destroy" else tr("Make these changes?"))

    def ask(self, hub: str, question: str) -> bool:
        """The question alone, for changes that are shown in another way.

        Raises:
            UsageError: there is nobody to ask.
        """
        if not self.terminal.interactive:
            raise UsageError.one(
                "USE002",
                "there are changes, and no terminal to ask on",
                hint=f"look with: {self.terminal.program} plan {hub}, then add --yes",
            )
        sys.stdout.flush()
        self.terminal.err.print(f"{question} [y/N] ", end="", soft_wrap=True)
        answer = sys.stdin.readline()
        return answer.strip().lower() in YES

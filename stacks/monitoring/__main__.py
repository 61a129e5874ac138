"""The monitoring stack for stock Pulumi: `pulumi up --stack jinzhou.main.0`."""

from govhub.stacks.entry import main

main("monitoring")

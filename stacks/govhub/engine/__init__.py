"""The engine side: state, planner, ledger, locks, the Pulumi adapter, drift and recovery."""

import os

# Before gRPC is loaded, which the engine is spoken to with. Its fork support starts threads in a child that is about to
# become another program; when they meet descriptors that the child has closed, they abort it (a play that never began).
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

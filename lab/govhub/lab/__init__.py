"""The embedded data center: the pinned toolchain, lab clusters on a real control plane, and their nodes."""

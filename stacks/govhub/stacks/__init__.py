"""What the cloud should be: the desired graph of Kubernetes objects, its policies, and the Pulumi components."""

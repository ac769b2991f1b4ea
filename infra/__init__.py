"""What runs the flows: the command line, the embedded servers, the deployments, the demo."""

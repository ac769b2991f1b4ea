"""What runs the flows: the command line, the embedded servers, the deployments, the demo."""

import tasks  # noqa: F401  before Prefect: it switches reports to the maker off

"""The work: pure functions over immutable values. `tasks.steps` alone knows Prefect.

Rule kept here, before anything else is imported: nothing reports home. Prefect's client and the second reader's runtime
tell their makers what they run unless they find these when they are imported.
"""

import os

os.environ["DO_NOT_TRACK"] = os.environ["ORT_DISABLE_TELEMETRY"] = "1"

"""Where things lie in a bundle and on a publisher's site.

Rule kept here: names only, so that who checks a bundle shares them with who writes it, and nothing else.
"""

from __future__ import annotations

# In a bundle
DECLARATION, INFO, GUIDE = "bagit.txt", "bag-info.txt", "VERIFY.txt"
SIGNED_LIST = "tagmanifest-sha256.txt"
ENVELOPE = "attestations/disclosure.dsse.json"
SIGNER = "attestations/signer.pub.pem"
CERTIFICATE = "attestations/certificate.pem"
TSA_CERTIFICATE = "attestations/time-stamping.pem"
CMS_SIGNATURE = f"signatures/{SIGNED_LIST}.p7s"
TIME_STAMP = f"signatures/{SIGNED_LIST}.tsr"
UNLISTED = frozenset({CMS_SIGNATURE, TIME_STAMP})
"""The tag files that no manifest lists: each is over the tag manifest."""

ACCOMPANYING = frozenset({DECLARATION, INFO, GUIDE, ENVELOPE, SIGNER, CERTIFICATE, TSA_CERTIFICATE})
"""The tag files that the tag manifests list, beside the manifests themselves. A bundle has no others."""

# On a site
LOG = "disclosures.json"
WITHDRAWAL_RECORD = "withdrawal.dsse.json"
"""In the folder of its request."""

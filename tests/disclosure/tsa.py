"""A time stamping authority of our own: `openssl ts` behind a web server on this machine."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

CONFIG = """
[tsa]
default_tsa = own
[own]
serial = {folder}/serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ordering = no
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
{certs}
"""
EXTENSIONS = "basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\n{purpose}\n"
TIME_STAMPING = "extendedKeyUsage=critical,timeStamping"


class Authority:
    """The authority's files, and what it answers next.

    Args:
        folder: for its files; made.
        purpose: line of the clock's certificate that says what it is for.
        key: kind of the clock's key, as `openssl req -newkey` takes it.
        below: whether a certificate stands between root and clock; both go into the answers then.

    Attributes:
        root: certificate that vouches for it, PEM.
        status: HTTP status of the answers.
        asked: how many queries came.
        spoil: what is done to an answer before it is sent.
    """

    def __init__(self, folder: Path, purpose: str = TIME_STAMPING, key: str = "rsa:2048", below: bool = False) -> None:
        self._folder = folder
        self.status = 200
        self.asked = 0
        self.spoil = lambda answer: answer
        folder.mkdir(parents=True, exist_ok=True)
        chain = f"certs = {folder}/chain.pem" if below else ""
        (folder / "tsa.cnf").write_text(CONFIG.format(folder=folder, certs=chain))
        (folder / "serial").write_text("01\n")
        (folder / "purpose").write_text(EXTENSIONS.format(purpose=purpose))
        self._openssl("req -x509 -newkey rsa:2048 -nodes -keyout root.key -out root.pem -days 9 -subj /CN=Root")
        self.root = (folder / "root.pem").read_bytes()
        issuer = "root"
        if below:
            (folder / "may-issue").write_text("basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign\n")
            self._openssl("req -newkey rsa:2048 -nodes -keyout mid.key -out mid.csr -subj /CN=Between")
            self._openssl(
                "x509 -req -in mid.csr -CA root.pem -CAkey root.key -days 9 -extfile may-issue -out mid.pem"
                " -set_serial 5"
            )
            (folder / "chain.pem").write_bytes((folder / "mid.pem").read_bytes() + self.root)
            issuer = "mid"
        self._openssl(f"req -newkey {key} -nodes -keyout tsa.key -out tsa.csr -subj /CN=Clock")
        self._openssl(
            f"x509 -req -in tsa.csr -CA {issuer}.pem -CAkey {issuer}.key -days 9 -extfile purpose -out tsa.pem"
            " -set_serial 7"
        )

    def _openssl(self, line: str) -> None:
        subprocess.run(["openssl", *line.split()], cwd=self._folder, check=True, capture_output=True)

    def expire_in(self, seconds: float) -> None:
        """Give the clock a certificate that is good for this long."""
        root, old = (x509.load_pem_x509_certificate((self._folder / f"{n}.pem").read_bytes()) for n in ("root", "tsa"))
        key = serialization.load_pem_private_key((self._folder / "root.key").read_bytes(), None)
        builder = (
            x509.CertificateBuilder(extensions=list(old.extensions))
            .subject_name(old.subject)
            .issuer_name(root.subject)
            .public_key(old.public_key())
            .serial_number(8)
            .not_valid_before(old.not_valid_before_utc)
            .not_valid_after(datetime.now(UTC) + timedelta(seconds=seconds))
        )
        made = builder.sign(key, hashes.SHA256())  # type: ignore[arg-type]
        (self._folder / "tsa.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))

    def answer(self, query: bytes) -> bytes:
        """The answer to one query, made by OpenSSL."""
        self.asked += 1
        (self._folder / "query").write_bytes(query)
        self._openssl(
            "ts -reply -config tsa.cnf -section own -queryfile query -signer tsa.pem -inkey tsa.key -out answer"
        )
        return (self._folder / "answer").read_bytes()


@contextmanager
def serving(authority: Authority) -> Iterator[str]:
    """The authority's address while it answers."""

    class Desk(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Content-Type"] == "application/timestamp-query"
            body = authority.spoil(authority.answer(query)) if authority.status == 200 else b""
            self.send_response(authority.status)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Desk)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/tsa"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

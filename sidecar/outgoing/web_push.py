"""Sends a message to a browser through its push service, which cannot read it.

RFC 8030, 8291 and 8292, on `cryptography`, which is here anyway: pywebpush needs aiohttp, and
http-ece had no release since 2024. The example of RFC 8291 is among the tests.
"""

from __future__ import annotations

import json
import os
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import SecretStr

from sidecar.outgoing import webhook
from sidecar.outgoing.webhook import Outcome

CURVE = ec.SECP256R1()
RECORD = 4096
SALT_BYTES = 16
AUTH_BYTES = 16
# What a push service keeps of it, for a browser that is off.
KEPT_S = 24 * 3600
TOKEN_LASTS_S = 12 * 3600
# Whom a push service may ask about what we send: Apple's insists on something.
ABOUT_US = "https://pypi.org/project/jellyfin-sidecar/"


@dataclass(frozen=True, slots=True)
class Subscription:
    """Where a browser is told, and the keys that only it can read with.

    Attributes:
        p256dh: Its public key, an uncompressed point.
        auth: Its secret.
    """

    endpoint: SecretStr
    p256dh: bytes
    auth: bytes

    def is_sound(self) -> bool:
        """Whether something can be encrypted for it."""
        try:
            ec.EllipticCurvePublicKey.from_encoded_point(CURVE, self.p256dh)
        except ValueError:
            return False
        return len(self.auth) == AUTH_BYTES


def make_key() -> ec.EllipticCurvePrivateKey:
    """Return a new key of this sidecar; browsers are subscribed to its public half."""
    return ec.generate_private_key(CURVE)


def point(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the public half of a key as an uncompressed point."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def to_text(data: bytes) -> str:
    """Return data as URL-safe base64 without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def from_text(text: str) -> bytes:
    """Return the data of URL-safe base64, with or without padding.

    Raises:
        ValueError: It is none.
    """
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def send(
    to: Subscription, told: bytes, *, key: ec.EllipticCurvePrivateKey, now_s: float
) -> Outcome:
    """Encrypt a message for a browser and hand it to its push service."""
    headers = {
        "Authorization": sign(to.endpoint.get_secret_value(), key, now_s),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(KEPT_S),
        "Urgency": "normal",
    }
    return webhook.post(to.endpoint, encrypt(told, to), headers)


def encrypt(
    told: bytes,
    to: Subscription,
    *,
    once: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """Return a message as only this browser can read it, in one record.

    Args:
        told: The message.
        to: The browser.
        once: The key of this message; a new one unless a test gives it.
        salt: The same.
    """
    once, salt = once or make_key(), salt or os.urandom(SALT_BYTES)
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, to.p256dh)
    shared = once.exchange(ec.ECDH(), theirs)
    info = b"WebPush: info\0" + to.p256dh + point(once)
    secret = _derive(shared, to.auth, info, 32)
    content_key = _derive(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derive(secret, salt, b"Content-Encoding: nonce\0", 12)
    # The 2 says that this is the last record.
    sealed = AESGCM(content_key).encrypt(nonce, told + b"\x02", None)
    return salt + struct.pack("!IB", RECORD, len(point(once))) + point(once) + sealed


def sign(endpoint: str, key: ec.EllipticCurvePrivateKey, now_s: float) -> str:
    """Return the `Authorization` header by which a push service knows that it is still us."""
    parts = urlsplit(endpoint)
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int(now_s) + TOKEN_LASTS_S,
        "sub": ABOUT_US,
    }
    head = {"typ": "JWT", "alg": "ES256"}
    token = ".".join(to_text(json.dumps(one).encode()) for one in (head, claims))
    r, s = decode_dss_signature(key.sign(token.encode(), ec.ECDSA(SHA256())))
    signature = to_text(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return f"vapid t={token}.{signature}, k={to_text(point(key))}"


def _derive(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)

"""What is sent to a browser is what RFC 8291 and RFC 8292 say."""

from __future__ import annotations

import json

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from pydantic import SecretStr

from sidecar.outgoing import web_push
from sidecar.outgoing.web_push import Subscription, from_text, to_text

# RFC 8291, section 5 and appendix A.
PUBLIC = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH, SALT = "BTBZMqHH6r4Tts7J_aSIgg", "DGv6ra1nlYgDCS1FRnbzlw"
ONCE = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
SENT = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS"
    "6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qu"
    "lcy4a-fN"
)


def test_a_message_is_encrypted_as_in_the_standard_s_example() -> None:
    to = Subscription(SecretStr("https://push.example.net/"), from_text(PUBLIC), from_text(AUTH))
    once = ec.derive_private_key(int.from_bytes(from_text(ONCE), "big"), web_push.CURVE)
    told = b"When I grow up, I want to be a watermelon"

    assert to_text(web_push.encrypt(told, to, once=once, salt=from_text(SALT))) == SENT
    assert web_push.encrypt(told, to) != web_push.encrypt(told, to)


def test_a_push_service_can_tell_that_it_is_us_and_for_how_long() -> None:
    key = web_push.make_key()

    header = web_push.sign("https://push.example.net:443/send/abc?d=1", key, 1000.5)

    token, _, public = header.removeprefix("vapid t=").partition(", k=")
    head, claims, signature = token.split(".")
    assert from_text(public) == web_push.point(key)
    assert json.loads(from_text(head)) == {"typ": "JWT", "alg": "ES256"}
    assert json.loads(from_text(claims)) == {
        "aud": "https://push.example.net:443",
        "exp": 1000 + 12 * 3600,
        "sub": web_push.ABOUT_US,
    }
    raw = from_text(signature)
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    signed = f"{head}.{claims}".encode()
    key.public_key().verify(encode_dss_signature(r, s), signed, ec.ECDSA(SHA256()))


def test_keys_that_are_none_are_seen_before_anything_is_sent() -> None:
    whole, auth = from_text(PUBLIC), from_text(AUTH)

    def is_sound(p256dh: bytes, auth: bytes) -> bool:
        return Subscription(SecretStr("https://x/"), p256dh, auth).is_sound()

    assert is_sound(whole, auth)
    for p256dh in (b"", whole[:-1], b"\4" + bytes(64), bytes(65)):
        assert not is_sound(p256dh, auth)
    assert not is_sound(whole, auth[:-1])

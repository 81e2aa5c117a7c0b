"""Secrets out of a seed: the same seed, the same file. For tests only; nothing here is hard to guess."""

import string
import uuid

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

EXPONENT = 65537


class Seeded:
    """Makes values from one stream of seeded randomness."""

    def __init__(self, stream):
        self._stream = stream

    def text(self, length, alphabet=string.ascii_letters + string.digits):
        return "".join(self._stream.choices(alphabet, k=length))

    def uuid(self):
        return str(uuid.UUID(int=self._stream.getrandbits(128), version=4))

    def rsa_pem(self, bits=2048):
        """A private key as PKCS#8, as it stands in a key file."""
        p, q = self._prime(bits // 2), self._prime(bits // 2)
        d = rsa.rsa_recover_private_exponent(EXPONENT, p, q)
        numbers = rsa.RSAPrivateNumbers(
            p,
            q,
            d,
            rsa.rsa_crt_dmp1(d, p),
            rsa.rsa_crt_dmq1(d, q),
            rsa.rsa_crt_iqmp(p, q),
            rsa.RSAPublicNumbers(EXPONENT, p * q),
        )
        key = numbers.private_key()
        encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()

    def _prime(self, bits):
        while True:
            # The two highest bits set, so that the product has its full length.
            candidate = self._stream.getrandbits(bits) | (3 << (bits - 2)) | 1
            if candidate % EXPONENT != 1 and self._is_prime(candidate):
                return candidate

    def _is_prime(self, candidate):
        """Miller and Rabin's test; forty rounds leave no doubt worth having."""
        if any(candidate % small == 0 for small in (3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)):
            return False
        odd, twos = candidate - 1, 0
        while odd % 2 == 0:
            odd, twos = odd // 2, twos + 1
        return all(self._is_no_witness(candidate, odd, twos) for _ in range(40))

    def _is_no_witness(self, candidate, odd, twos):
        x = pow(self._stream.randrange(2, candidate - 1), odd, candidate)
        if x in (1, candidate - 1):
            return True
        for _ in range(twos - 1):
            x = x * x % candidate
            if x == candidate - 1:
                return True
        return False


def changed(text):
    """The same but for its last character."""
    return text[:-1] + ("a" if text[-1] != "a" else "b")

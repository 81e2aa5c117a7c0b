"""Makes the vectors of this directory with independent implementations, and checks that they are what they should be.

    python3 -m venv target/vectors
    target/vectors/bin/pip install botocore==1.44.5 pyjwt==2.15.1 cryptography==50.0.2
    target/vectors/bin/python crates/exchange/tests/vectors/make.py

jwt.json       PyJWT's assertions of service accounts, with keys that cryptography makes for these tests and for nothing
               else. They are new with every run.
sigv4.json     botocore's signatures of requests that a seeded generator makes up.
aws4_suite.json  AWS's own test suite for Signature Version 4, as botocore's source distribution carries it (Apache-2.0,
               Copyright 2019 Amazon.com, Inc. or its affiliates). Remade only where that distribution is unpacked:

    target/vectors/bin/pip download --no-deps --no-binary :all: -d target/vectors botocore==1.44.5
    tar -C target/vectors -xzf target/vectors/botocore-1.44.5.tar.gz
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))

import google  # noqa: E402

if __name__ == "__main__":
    google.make(HERE / "jwt.json")

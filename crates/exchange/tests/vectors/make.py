"""Makes the vectors of this directory with independent implementations.

    python3 -m venv target/vectors
    target/vectors/bin/pip install botocore==1.44.5 pyjwt==2.15.1 cryptography==50.0.2
    target/vectors/bin/python crates/exchange/tests/vectors/make.py [jwt] [sigv4] [suite]

jwt        jwt.json: PyJWT's assertions of service accounts, with keys that cryptography makes for these tests and for
           nothing else. They are new with every run.
sigv4      sigv4.json: botocore's signatures of requests that a seeded generator makes up; the same with every run.
suite      aws4_suite.json: AWS's own test suite for Signature Version 4, as botocore's source distribution carries it
           (Apache-2.0; Copyright 2019 Amazon.com, Inc. or its affiliates). It must be unpacked before:

    target/vectors/bin/pip download --no-deps --no-binary :all: -d target/vectors botocore==1.44.5
    tar -C target/vectors -xzf target/vectors/botocore-1.44.5.tar.gz
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).parent
SUITE = HERE.parents[3] / "target/vectors/botocore-1.44.5/tests/unit/auth/aws4_testsuite"

if __name__ == "__main__":
    wanted = sys.argv[1:] or ["jwt", "sigv4", "suite"]
    if "jwt" in wanted:
        import assertions

        assertions.make(HERE / "jwt.json")
    if "sigv4" in wanted:
        import requests_to_aws

        requests_to_aws.make(HERE / "sigv4.json")
    if "suite" in wanted:
        import suite_of_aws

        suite_of_aws.make(SUITE, HERE / "aws4_suite.json")

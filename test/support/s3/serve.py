# An S3 server (moto) on a free loopback port that verifies signatures and permissions. Takes a folder of buckets of
# files; says on stdout, as one line of JSON, its port and two pairs of keys: of somebody who may read the buckets, and of
# somebody who may do nothing. Objects of the bucket "public" may be read by everybody. Ends with its stdin.

import json
import logging
import sys
from pathlib import Path

import boto3
from moto import settings
from moto.core.authorization import ActionAuthenticatorMixin
from moto.s3.responses import S3Response
from moto.server import ThreadedMotoServer

logging.getLogger("werkzeug").setLevel(logging.ERROR)
require_permission = S3Response._authenticate_and_authorize_s3_action


def require_permission_of_those_who_sign(self, *args, **kwargs):
    # Whoever does not sign may have what its access list leaves to everybody, which moto has looked at before; it then
    # fails for want of a signature.
    if "Authorization" in self.headers:
        require_permission(self, *args, **kwargs)


S3Response._authenticate_and_authorize_s3_action = require_permission_of_those_who_sign
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
_, port = server.get_host_and_port()


def client(service):
    return boto3.client(
        service,
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="setup",
        aws_secret_access_key="setup",
    )


def keys_of(user, statement):
    iam = client("iam")
    iam.create_user(UserName=user)
    if statement:
        policy = {"Version": "2012-10-17", "Statement": statement}
        iam.put_user_policy(UserName=user, PolicyName="all", PolicyDocument=json.dumps(policy))
    pair = iam.create_access_key(UserName=user)["AccessKey"]
    return {"accessKeyId": pair["AccessKeyId"], "secretAccessKey": pair["SecretAccessKey"]}


s3 = client("s3")
for bucket in Path(sys.argv[1]).iterdir():
    s3.create_bucket(Bucket=bucket.name)
    acl = {"ACL": "public-read"} if bucket.name == "public" else {}
    for file in (one for one in bucket.rglob("*") if one.is_file()):
        s3.put_object(Bucket=bucket.name, Key=str(file.relative_to(bucket)), Body=file.read_bytes(), **acl)

said = {
    "port": port,
    "reader": keys_of("reader", [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]),
    "stranger": keys_of("stranger", []),
}
settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
ActionAuthenticatorMixin.request_count = 0
print(json.dumps(said), flush=True)
sys.stdin.read()

"""Requests signed by botocore, for comparison: vectors.py COUNT SEED > FILE. Needs botocore (pip install botocore)."""
import datetime, json, random, sys
import botocore.auth, botocore.awsrequest, botocore.credentials
from urllib.parse import quote

count, seed = int(sys.argv[1]), int(sys.argv[2])
dice = random.Random(seed)
letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~"
odd = letters + " !$&'()*+,;=:@/%?#äß漢"


def word(alphabet, least, most):
    return "".join(dice.choice(alphabet) for _ in range(dice.randint(least, most)))


vectors = []
for _ in range(count):
    moment = datetime.datetime(2020, 1, 1) + datetime.timedelta(seconds=dice.randrange(10**9))
    botocore.auth.get_current_datetime = lambda moment=moment: moment
    token = word(letters + "/+=", 20, 200) if dice.random() < 0.4 else None
    key, secret, region = word(letters[26:62], 16, 24), word(letters + "/+", 30, 50), dice.choice(["us-east-1", "eu-central-1", "x-1"])
    credentials = botocore.credentials.Credentials(key, secret, token)
    host = dice.choice(["s3.amazonaws.com", "bucket.s3.eu-central-1.amazonaws.com", "localhost:9000", "127.0.0.1:81"])
    path = "/" + "/".join(quote(word(odd.replace("/", ""), 1, 12), safe="-_.~") for _ in range(dice.randint(0, 4)))
    query = [(word(odd, 1, 8), word(odd, 0, 12)) for _ in range(dice.choice([0, 0, 1, 2, 5]))]
    query = list(dict(query).items())
    headers = {word(letters[:26], 3, 12): word(letters + "  ,;", 1, 20).strip() or "x" for _ in range(dice.randint(0, 4))}
    headers.pop("host", None)
    if dice.random() < 0.5:
        headers["If-None-Match"] = "*"
    method = dice.choice(["GET", "PUT", "POST", "DELETE", "HEAD"])
    body = bytes(dice.randrange(256) for _ in range(dice.choice([0, 0, 5, 300]))) if method in ("PUT", "POST") else b""
    encoded = "&".join(f"{quote(n, safe='-_.~')}={quote(v, safe='-_.~')}" for n, v in query)
    request = botocore.awsrequest.AWSRequest(
        method=method, url=f"http://{host}{path}" + (f"?{encoded}" if encoded else ""), data=body, headers=dict(headers))
    botocore.auth.S3SigV4Auth(credentials, "s3", region).add_auth(request)
    vectors.append({
        "accessKey": key, "secretKey": secret, "sessionToken": token, "region": region, "method": method, "host": host, "path": path,
        "query": [{"name": n, "value": v} for n, v in query], "headers": [{"name": n, "value": v} for n, v in headers.items()],
        "payload": request.headers["X-Amz-Content-SHA256"], "time": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "authorization": request.headers["Authorization"]})
json.dump(vectors, sys.stdout, ensure_ascii=False, indent=0)

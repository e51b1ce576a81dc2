"""A token service as docker-registry's `auth: token` wants it, for tests.

Usage: token-service.py SETTINGS.json. Prints its port. The settings name the TLS certificate and key, the RSA key and
certificate that sign, issuer and service, one user with a password, how long tokens last, and the log.
GET takes Basic or nobody (who gets nothing granted); POST takes the grants `password` and `refresh_token`.
"""
import base64
import http.server
import json
import secrets
import ssl
import subprocess
import sys
import time
import urllib.parse

with open(sys.argv[1]) as file:
    settings = json.load(file)
log = open(settings["log"], "a", buffering=1)
refresh_token = secrets.token_urlsafe(32)


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def certificate():
    with open(settings["signingCertificate"]) as file:
        return base64.b64encode(ssl.PEM_cert_to_DER_cert(file.read())).decode()


def signed(claims):
    header = {"typ": "JWT", "alg": "RS256", "x5c": [certificate()]}
    text = ".".join(encoded(json.dumps(part).encode()) for part in (header, claims))
    signature = subprocess.run(
        ["openssl", "dgst", "-sha256", "-sign", settings["signingKey"]],
        input=text.encode(), stdout=subprocess.PIPE, check=True).stdout
    return f"{text}.{encoded(signature)}"


def access(scopes):
    for scope in scopes:
        kind, rest = scope.split(":", 1)
        name, actions = rest.rsplit(":", 1)
        yield {"type": kind, "name": name, "actions": actions.split(",")}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        form = urllib.parse.parse_qs(url.query)
        scheme, _, value = self.headers.get("Authorization", "").partition(" ")
        if not scheme:
            return self.answer(url.path, "anonymous", form, user="")
        pair = base64.b64decode(value).decode() if scheme.lower() == "basic" else ""
        known = pair == f"{settings['user']}:{settings['password']}"
        self.answer(
            url.path, "basic", form, user=settings["user"] if known else None,
            offline=form.get("offline_token") == ["true"])

    def do_POST(self):
        url = urllib.parse.urlsplit(self.path)
        body = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), 1 << 16)).decode()
        form = urllib.parse.parse_qs(body)
        grant = form.get("grant_type", [""])[0]
        known = {
            "password": form.get("username") == [settings["user"]]
            and form.get("password") == [settings["password"]],
            "refresh_token": form.get("refresh_token") == [refresh_token],
        }.get(grant, False) and "client_id" in form
        self.answer(
            url.path, grant, form, user=settings["user"] if known else None,
            offline=form.get("access_type") == ["offline"] or grant == "refresh_token")

    def answer(self, path, grant, form, user, offline=False):
        # GET repeats the parameter, POST has it once with spaces: both forms are taken from both.
        scopes = [scope for value in form.get("scope", []) for scope in value.split()]
        if path != "/token" or form.get("service") != [settings["service"]]:
            return self.send(404, grant, scopes, {"details": "no such service"})
        if user is None:
            return self.send(401, grant, scopes, {"details": "incorrect username or password"})
        now = int(time.time())
        token = signed({
            "iss": settings["issuer"], "sub": user, "aud": settings["service"],
            "iat": now, "nbf": now, "exp": now + settings["lifetime"], "jti": secrets.token_hex(8),
            "access": list(access(scopes)) if user else [],
        })
        reply = {
            "token": token, "access_token": token, "expires_in": settings["lifetime"],
            "issued_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
            "scope": " ".join(scopes if user else []),
        }
        if self.command == "POST":
            del reply["token"]
        if offline:
            reply["refresh_token"] = refresh_token
        self.send(200, grant, scopes, reply)

    def send(self, status, grant, scopes, reply):
        line = {"method": self.command, "grant": grant, "scope": scopes, "status": status}
        log.write(json.dumps(line) + "\n")
        body = json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass  # would repeat the query


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(settings["certificate"], settings["key"])
# The handshake is the handler's first read: a client that says nothing holds up nobody else.
server.socket = context.wrap_socket(
    server.socket, server_side=True, do_handshake_on_connect=False)
print(server.server_port, flush=True)
server.serve_forever()

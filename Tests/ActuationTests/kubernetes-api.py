"""As much of the Kubernetes API as scaling a Deployment needs, strict about what the real one is strict about."""
import json
import os
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN, LOG = sys.argv[1], sys.argv[2]
SCALE = "/apis/apps/v1/namespaces/ai/deployments/worker/scale"
PODS = "/api/v1/namespaces/ai/pods/"
replicas, pods = 3, {"worker-7f9c-a", "worker-7f9c-b", "worker-7f9c-c"}


class API(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status: int, body: dict) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def failure(self, status: int, reason: str) -> None:
        self.answer(status, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": status})

    def scale(self) -> dict:
        # Go's omitempty: no word of zero replicas.
        specification = {"replicas": replicas} if replicas else {}
        return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": {"name": "worker", "namespace": "ai"},
                "spec": specification, "status": {"replicas": replicas, "selector": "app=worker"}}

    def is_let_in(self) -> bool:
        if self.headers.get("Authorization") == f"Bearer {TOKEN}":
            return True
        self.failure(401, "Unauthorized")
        return False

    def do_GET(self) -> None:
        if not self.is_let_in():
            return
        self.answer(200, self.scale()) if self.path == SCALE else self.failure(404, "NotFound")

    def do_PATCH(self) -> None:
        global replicas
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self.is_let_in():
            return
        if self.headers.get("Content-Type") != "application/merge-patch+json":
            return self.failure(415, "UnsupportedMediaType")
        patch = json.loads(body)
        with open(LOG, "a") as log:
            log.write(f"{self.path} {json.dumps(patch, sort_keys=True)}\n")
        if self.path == SCALE:
            wanted = patch["spec"]["replicas"]
            if type(wanted) is not int or wanted < 0:
                return self.failure(422, "Invalid")
            replicas = wanted
            return self.answer(200, self.scale())
        if self.path.startswith(PODS) and self.path[len(PODS):] in pods:
            if not all(type(value) is str for value in patch["metadata"]["annotations"].values()):
                return self.failure(400, "BadRequest")
            return self.answer(200, {"kind": "Pod", "apiVersion": "v1"})
        self.failure(404, "NotFound")

    do_POST = do_PUT = lambda self: self.failure(405, "MethodNotAllowed")

    def log_message(self, *_) -> None:
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), API)
if len(sys.argv) > 3:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3])
    server.socket = context.wrap_socket(server.socket, server_side=True)
# It ends with whoever started it: that holds the other end of the input.
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
print(server.server_address[1], flush=True)
server.serve_forever()

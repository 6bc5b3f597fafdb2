"""Talks to the content library as people's Python scripts do: they upload by POST without credentials, take everything
out of an item before they put new files in, delete a session right after its completion, and compare versions as text.

It needs nothing but Python, prints `ok title` or `FAIL title:<tab>why` for each check, and ends with 1 when one failed.
The password is in the environment variable CONTENT_LIBRARY_PASSWORD.
"""

import argparse
import base64
import contextlib
import http.server
import io
import json
import os
import ssl
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import uuid

SESSION = "/rest/com/vmware/cis/session"
LOCAL_LIBRARY = "/rest/com/vmware/content/local-library"
ITEM = "/rest/com/vmware/content/library/item"
UPDATE = ITEM + "/update-session"
UPDATE_FILE = ITEM + "/updatesession/file"
DOWNLOAD = ITEM + "/download-session"
DOWNLOAD_FILE = ITEM + "/downloadsession/file"
ERRORS = "com.vmware.vapi.std.errors."
POLL_SECONDS = 30


class Refused(Exception):
    """The server said no."""

    def __init__(self, status, body):
        error = json.loads(body) if body else {}
        self.status = status
        self.type = error.get("type", "").replace(ERRORS, "", 1)
        self.messages = [message["default_message"] for message in error.get("value", {}).get("messages", [])]
        super().__init__(f"{status} {self.type}: {'; '.join(self.messages)}")


class Web:
    """Requests over one way to the server, with whatever headers they are given."""

    def __init__(self, url, authority):
        self.url = url
        context = ssl.create_default_context(cafile=authority) if authority else None
        handlers = [urllib.request.HTTPSHandler(context=context)] if context else []
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), *handlers)

    def send(self, method, uri, data=None, headers=None):
        request = urllib.request.Request(uri, data=data, headers=headers or {}, method=method)
        try:
            with self.opener.open(request, timeout=120) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                raise Refused(error.code, error.read()) from None


class Client:
    """The API for somebody who is logged in."""

    def __init__(self, web, user, password):
        self.web = web
        basic = base64.b64encode(f"{user}:{password}".encode()).decode()
        self.token = self._value(*web.send("POST", web.url + SESSION, headers={"Authorization": "Basic " + basic}))

    @staticmethod
    def _value(_status, body):
        return json.loads(body)["value"] if body else None

    def ask(self, method, path, body=None):
        headers = {"vmware-api-session-id": self.token, "Accept": "application/json"}
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        return self._value(*self.web.send(method, self.web.url + path, data, headers))

    def act(self, service, session, action, body=None):
        return self.ask("POST", f"{service}/id:{session}?~action={action}", body)

    def create(self, service, spec, token=None):
        return self.ask("POST", service, {"client_token": token or str(uuid.uuid4()), "create_spec": spec})

    def get(self, service, name):
        return self.ask("GET", f"{service}/id:{name}")

    def delete(self, service, name):
        return self.ask("DELETE", f"{service}/id:{name}")

    def item_files(self, item):
        return self.ask("GET", f"{ITEM}/file?library_item_id={item}")

    def session_files(self, session):
        return self.ask("GET", f"{UPDATE_FILE}?update_session_id={session}")

    def push(self, session, name, content):
        """Declares a file with its size, and posts it to where it is told to: with no credentials there."""
        content.seek(0, io.SEEK_END)
        size = content.tell()
        content.seek(0)
        spec = {"name": name, "source_type": "PUSH", "size": size}
        endpoint = self.act(UPDATE_FILE, session, "add", {"file_spec": spec})["upload_endpoint"]
        headers = {"Content-Length": str(size), "Content-Type": "text/ovf", "Cache-Control": "no-cache"}
        return self.web.send("POST", endpoint["uri"], content, headers)

    def upload(self, item, files):
        session = self.create(UPDATE, {"library_item_id": item})
        for name, content in files.items():
            self.push(session, name, io.BytesIO(content))
        self.act(UPDATE, session, "complete")
        self.delete(UPDATE, session)

    def download(self, item):
        """All of an item's files, through a session that is deleted in the end."""
        session = self.create(DOWNLOAD, {"library_item_id": item})
        contents = {}
        for file in self.ask("GET", f"{DOWNLOAD_FILE}?download_session_id={session}"):
            contents[file["name"]] = self.web.send("GET", self.prepare(session, file["name"]))[1]
        self.delete(DOWNLOAD, session)
        return contents

    def prepare(self, session, name):
        """Has a file of a download session prepared, and waits for it; answers where it is read from."""
        words = {"file_name": name}
        self.act(DOWNLOAD_FILE, session, "prepare", words)
        ready = poll(
            lambda: self.act(DOWNLOAD_FILE, session, "get", words), lambda info: info["status"] == "PREPARED"
        )
        return ready["download_endpoint"]["uri"]


def poll(ask, is_over):
    """What is answered in the end; what lasts longer than the scripts wait is an error."""
    deadline = time.monotonic() + POLL_SECONDS
    while True:
        answer = ask()
        if is_over(answer):
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {POLL_SECONDS} seconds it was still {answer}")
        time.sleep(0.1)


class Report:
    """What was checked, and whether all of it was right."""

    def __init__(self):
        self.failed = False

    def tell(self, title, why=None):
        if why is None:
            print("ok " + title)
        else:
            self.failed = True
            print(f"FAIL {title}:\t" + str(why).replace("\n", " "))

    def equal(self, title, found, wanted):
        shown = (repr(value)[:300] for value in (found, wanted))
        self.tell(title, None if found == wanted else "found {}, wanted {}".format(*shown))

    def true(self, title, fact, shown=None):
        self.tell(title, None if fact is True else f"it is not so: {shown!r}")

    def refused(self, title, status, error_type, deed):
        """What a deed is refused with; answers the messages."""
        try:
            answer = deed()
        except Refused as refused:
            self.equal(title, (refused.status, refused.type), (status, error_type))
            return refused.messages
        self.tell(title, f"it was not refused, but answered {answer!r}")
        return []

    def story(self, title, steps):
        """Several checks, one after another; that nothing breaks between them is one more."""
        try:
            steps()
        except Exception as error:  # Whatever it was, the other stories are told as well.
            self.tell(title, f"{type(error).__name__}: {error}")
        else:
            self.tell(title)


@contextlib.contextmanager
def serve(contents):
    """A web server of our own for the server to fetch from; answers its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def _answer(self):
            content = contents.get(self.path)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            return content or b""

        def do_HEAD(self):
            self._answer()

        def do_GET(self):
            self.wfile.write(self._answer())

        def log_message(self, *_words):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


DESCRIPTOR = "<Envelope>die Größe</Envelope>\n".encode()
DISK = bytes(range(256)) * 20_000


class Stories:
    """Each is what one script does."""

    def __init__(self, client, report):
        self.client = client
        self.report = report
        self.library = client.create(LOCAL_LIBRARY, {
            "name": "library of the scripts",
            "description": "made by a script",
            "type": "LOCAL",
            "storage_backings": [{"type": "DATASTORE", "datastore_id": "datastore-1"}],
        })

    def item(self, name, files=None):
        item = self.client.create(ITEM, {"library_id": self.library, "name": name, "type": "ovf"})
        if files:
            self.client.upload(item, files)
        return item

    def version_of(self, item):
        return self.client.get(ITEM, item)["content_version"]

    def tokens(self):
        client, report = self.client, self.report
        token = str(uuid.uuid4())
        spec = {"name": "made once", "type": "LOCAL", "storage_backings": [{"type": "OTHER"}]}
        libraries = [client.create(LOCAL_LIBRARY, spec, token) for _ in range(2)]
        report.equal("a library is made once for a token", libraries[0], libraries[1])
        spec = {"library_id": libraries[0], "name": "made once"}
        items = [client.create(ITEM, spec, token) for _ in range(2)]
        report.equal("an item is made once for a token", items[0], items[1])
        spec = {"library_item_id": items[0]}
        for service, kind in ((UPDATE, "an update session"), (DOWNLOAD, "a download session")):
            sessions = [client.create(service, spec, token) for _ in range(2)]
            report.equal(f"{kind} is made once for a token", sessions[0], sessions[1])
            report.refused(
                f"{kind} is not made by a token that is no UUID", 400, "invalid_argument",
                lambda service=service: client.create(service, spec, "string"),
            )
        report.refused(
            "an item is made once for a name", 400, "already_exists",
            lambda: client.create(ITEM, {"library_id": libraries[0], "name": "made once"}),
        )

    def upload(self):
        client, report = self.client, self.report
        item = self.item("uploaded")
        original = self.version_of(item)
        session = client.create(UPDATE, {"library_item_id": item})
        report.equal(
            "a file is posted without credentials", client.push(session, "descriptor.ovf", io.BytesIO(DESCRIPTOR)),
            (200, b"{}"),
        )
        with tempfile.TemporaryFile() as disk:
            disk.write(DISK)
            report.equal("a file is posted from the disk", client.push(session, "disk-1.vmdk", disk)[0], 200)
        files = {file["name"]: (file["status"], file["size"]) for file in client.session_files(session)}
        wanted = {"descriptor.ovf": ("READY", len(DESCRIPTOR)), "disk-1.vmdk": ("READY", len(DISK))}
        report.equal("the session's files are there once they were posted", files, wanted)
        report.equal("the item has none before completion", client.item_files(item), [])
        client.act(UPDATE, session, "complete")
        report.equal("a session is deleted right after its completion", client.delete(UPDATE, session), None)
        report.refused("it is gone then", 404, "not_found", lambda: client.get(UPDATE, session))
        sizes = {file["name"]: file["size"] for file in client.item_files(item)}
        report.equal(
            "the item has its files then", sizes, {"descriptor.ovf": len(DESCRIPTOR), "disk-1.vmdk": len(DISK)}
        )
        updated = self.version_of(item)
        report.true("its version is a greater text", updated > original, (original, updated))

    def download(self):
        client, report = self.client, self.report
        files = {"descriptor.ovf": DESCRIPTOR, "disk-1.vmdk": DISK, "empty file.nvram": b""}
        item = self.item("downloaded", files)
        session = client.create(DOWNLOAD, {"library_item_id": item})
        listed = client.ask("GET", f"{DOWNLOAD_FILE}?download_session_id={session}")
        states = {file["name"]: file["status"] for file in listed}
        unprepared = dict.fromkeys(files, "UNPREPARED")
        report.equal("a download session lists files that nobody asked for yet", states, unprepared)
        for name, content in files.items():
            uri = client.prepare(session, name)
            found = client.web.send("GET", uri)
            report.true(f"{name} is read without credentials, as it was sent", found == (200, content), found[0])
        client.act(DOWNLOAD, session, "keep-alive", {"progress": 100})
        report.equal("a download session is deleted", client.delete(DOWNLOAD, session), None)
        report.refused("what it gave leads nowhere then", 404, "not_found", lambda: client.web.send("GET", uri))

    def delete_and_upload(self):
        client, report = self.client, self.report
        old = {"old-1.vmdk": DISK, "old-2.ovf": DESCRIPTOR}
        item = self.item("made anew", old)
        original = self.version_of(item)
        session = client.create(UPDATE, {"library_item_id": item})
        kinds = {file["name"]: file["source_type"] for file in client.session_files(session)}
        report.equal("a new session lists the item's files", kinds, dict.fromkeys(old, "NONE"))
        for name in kinds:
            client.act(UPDATE_FILE, session, "remove", {"file_name": name})
        report.equal("all of them are removed from it", client.session_files(session), [])
        report.equal("the item still has them meanwhile", client.download(item), old)
        client.push(session, "new-1.vmdk", io.BytesIO(DESCRIPTOR))
        client.act(UPDATE, session, "complete")
        client.delete(UPDATE, session)
        report.equal("the item has the new file alone then", client.download(item), {"new-1.vmdk": DESCRIPTOR})
        updated = self.version_of(item)
        report.true("the version is a greater text once more", updated > original, (original, updated))
        client.upload(item, {"new-1.vmdk": DISK})
        report.equal("a file of the same name is replaced", client.download(item), {"new-1.vmdk": DISK})
        report.true("so it is after replacing a file", self.version_of(item) > updated, updated)

    def warnings(self):
        client, report = self.client, self.report
        item = self.item("signed by somebody")
        session = client.create(UPDATE, {"library_item_id": item})
        client.push(session, "signed.ova", io.BytesIO(DISK))
        seen = poll(
            lambda: client.get(UPDATE, session)["preview_info"], lambda preview: preview["state"] != "PREPARING"
        )
        report.equal("a preview says that there is none", seen, {"state": "NOT_APPLICABLE"})
        behavior = [
            {"type": kind, "ignored": True} for kind in ("SELF_SIGNED_CERTIFICATE", "UNTRUSTED_CERTIFICATE")
        ]
        client.ask("PATCH", f"{UPDATE}/id:{session}", {"update_spec": {"warning_behavior": behavior}})
        report.equal("warnings to be ignored are kept", client.get(UPDATE, session)["warning_behavior"], behavior)
        client.act(UPDATE, session, "complete")
        found = client.get(UPDATE, session)
        report.equal("nothing warns, and the session is done", found["state"], "DONE")
        report.true("a session that is over has no preview", "preview_info" not in found, found)
        report.refused(
            "its warnings are not changed any more", 400, "not_allowed_in_current_state",
            lambda: client.ask("PATCH", f"{UPDATE}/id:{session}", {"update_spec": {"warning_behavior": []}}),
        )
        client.delete(UPDATE, session)

    def pull(self):
        client, report = self.client, self.report
        item = self.item("fetched")
        with serve({"/disk": DISK}) as base:
            session = client.create(UPDATE, {"library_item_id": item})
            spec = {"name": "disk-1.vmdk", "source_type": "PULL", "source_endpoint": {"uri": base + "/disk"}}
            added = client.act(UPDATE_FILE, session, "add", {"file_spec": spec})
            report.equal("a source is told back", added["source_endpoint"], {"uri": base + "/disk"})
            client.act(UPDATE, session, "complete")
            ended = poll(lambda: client.get(UPDATE, session), lambda found: found["state"] != "ACTIVE")
            report.equal("a completed session is done once all was fetched", ended["state"], "DONE")
            client.delete(UPDATE, session)
            report.equal("what was fetched is there", client.download(item), {"disk-1.vmdk": DISK})

            session = client.create(UPDATE, {"library_item_id": item})
            spec["source_endpoint"] = {"uri": base + "/nothing"}
            client.act(UPDATE_FILE, session, "add", {"file_spec": spec})
            ended = poll(lambda: client.get(UPDATE, session), lambda found: found["state"] != "ACTIVE")
            report.equal("a session fails whose source has nothing", ended["state"], "ERROR")
            text = ended.get("error_message", {}).get("default_message", "")
            report.true("it says that the answer was 404", "404" in text, text)
            client.delete(UPDATE, session)
            report.equal("the item is as it was", client.download(item), {"disk-1.vmdk": DISK})

    def give_up(self):
        client, report = self.client, self.report
        item = self.item("left alone")
        session = client.create(UPDATE, {"library_item_id": item})
        report.refused(
            "an item has one session at a time", 400, "resource_busy",
            lambda: client.create(UPDATE, {"library_item_id": item}),
        )
        spec = {"name": "never.iso", "source_type": "PUSH", "size": 10}
        uri = client.act(UPDATE_FILE, session, "add", {"file_spec": spec})["upload_endpoint"]["uri"]
        messages = report.refused(
            "a session is not completed without its files", 400, "not_allowed_in_current_state",
            lambda: client.act(UPDATE, session, "complete"),
        )
        report.true("the missing file is named", "never.iso" in "".join(messages), messages)
        report.refused(
            "a session that is open is not deleted", 400, "not_allowed_in_current_state",
            lambda: client.delete(UPDATE, session),
        )
        report.refused(
            "content of another size is refused", 400, "invalid_argument",
            lambda: client.web.send("POST", uri, b"eleven byte", {"Content-Type": "text/ovf"}),
        )
        client.act(UPDATE, session, "cancel")
        report.equal("it is canceled", client.get(UPDATE, session)["state"], "CANCELED")
        report.refused(
            "nothing can be posted any more", 404, "not_found",
            lambda: client.web.send("POST", uri, b"ten bytes.", {"Content-Type": "text/ovf"}),
        )
        client.delete(UPDATE, session)
        report.equal("the item's version is as it was", self.version_of(item), "1")

    def clean_up(self):
        client, report = self.client, self.report
        for item in client.ask("GET", f"{ITEM}?library_id={self.library}"):
            client.delete(ITEM, item)
        report.equal("the items are gone", client.ask("GET", f"{ITEM}?library_id={self.library}"), [])
        client.delete(LOCAL_LIBRARY, self.library)
        report.refused("so is the library", 404, "not_found", lambda: client.get(LOCAL_LIBRARY, self.library))
        client.ask("DELETE", SESSION)
        report.refused(
            "a login is over that was given up", 401, "unauthenticated", lambda: client.ask("GET", SESSION)
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, help="its address, such as http://127.0.0.1:8080")
    parser.add_argument("--user", required=True)
    parser.add_argument("--authority", help="the certificate to trust, over TLS")
    words = parser.parse_args()
    password = os.environ["CONTENT_LIBRARY_PASSWORD"]

    report = Report()
    web = Web(words.server, words.authority)
    report.refused("a wrong password lets nobody in", 401, "unauthenticated", lambda: Client(web, words.user, "wrong"))
    client = Client(web, words.user, password)
    report.true("a login knows its user", words.user in client.ask("GET", SESSION)["user"])
    stories = Stories(client, report)
    report.story("scripts repeat themselves", stories.tokens)
    report.story("a script uploads an item", stories.upload)
    report.story("a script downloads an item", stories.download)
    report.story("a script deletes an item's files and uploads others", stories.delete_and_upload)
    report.story("a script ignores warnings", stories.warnings)
    report.story("a script has files fetched", stories.pull)
    report.story("a script gives up", stories.give_up)
    report.story("a script cleans up", stories.clean_up)
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Uploads one large file over gRPC, is cut off half-way, and goes on from where the server says that it is. Before, it
leaves a gap and reads in the refusal's detail where the next byte belongs.

Everything here but this file is generated from the .proto files, by

    python -m grpc_tools.protoc -I proto --python_out=OUT --grpc_python_out=OUT proto/slipway/upload/v1/*.proto

It prints one line of JSON that tells what happened, and fails with a traceback when anything is not as it must be.
"""

import argparse
import hashlib
import json
import threading

import grpc
from grpc_status import rpc_status

from slipway.upload.v1 import (
    checksum_pb2,
    error_pb2,
    file_pb2,
    file_service_pb2,
    file_service_pb2_grpc,
    session_pb2,
    session_service_pb2,
    session_service_pb2_grpc,
    upload_pb2,
)

CHUNK_BYTES = 1024 * 1024


def content(offset, size):
    """The bytes of the file from an offset on, in chunks: each 1 MiB block begins with its own number."""
    filler = bytes(range(256)) * (CHUNK_BYTES // 256)
    while offset < size:
        block, skipped = divmod(offset, CHUNK_BYTES)
        data = block.to_bytes(8, "big") + filler[8:]
        data = data[skipped : skipped + size - offset]
        yield data
        offset += len(data)


def digest_of(size):
    digest = hashlib.sha256()
    for data in content(0, size):
        digest.update(data)
    return digest.hexdigest()


def messages(place, offset, size, sha256, after_chunk=None):
    """A whole upload stream from an offset on; `after_chunk` is told how far the file has been handed over."""
    start = upload_pb2.UploadFileRequest.Start(**place, offset=offset)
    yield upload_pb2.UploadFileRequest(start=start)
    for data in content(offset, size):
        yield upload_pb2.UploadFileRequest(chunk=upload_pb2.UploadFileRequest.Chunk(data=data))
        offset += len(data)
        if after_chunk is not None:
            after_chunk(offset)
    checksum = checksum_pb2.ChecksumInfo(algorithm=checksum_pb2.CHECKSUM_ALGORITHM_SHA256, checksum=sha256)
    yield upload_pb2.UploadFileRequest(finish=upload_pb2.UploadFileRequest.Finish(checksums=[checksum]))


def leave_gap(files, place, offset):
    """Sends a part from beyond what is stored; answers what the refusal's detail tells."""
    try:
        files.UploadPart(upload_pb2.UploadPartRequest(**place, offset=offset, data=b"late"))
    except grpc.RpcError as refusal:
        assert refusal.code() == grpc.StatusCode.OUT_OF_RANGE, refusal
        # The google.rpc.Status in `grpc-status-details-bin`; it must agree with the code and the message of the call.
        status = rpc_status.from_call(refusal)
        [detail] = status.details
        info = error_pb2.ErrorInfo()
        assert detail.Unpack(info), detail.type_url
        return info
    raise AssertionError("a part that leaves a gap was taken")


def wait_for_progress(sessions, session_id):
    """Follows the session until some bytes of a file in it are durable."""
    watch = sessions.WatchSession(session_service_pb2.WatchSessionRequest(session_id=session_id), timeout=60)
    for news in watch:
        if any(file.committed_offset > 0 for file in news.progress.files):
            watch.cancel()
            return
    raise AssertionError("the session ended")


def upload_half(sessions, files, place, size, sha256):
    """Cancels the call once half of the file is handed over, and some of that is durable."""
    half = threading.Event()

    def after_chunk(offset):
        if offset >= size // 2:
            half.set()
            # The call is cancelled from outside, as by a user; nothing more is handed over until then.
            cancelled.wait()

    cancelled = threading.Event()
    call = files.UploadFile.future(messages(place, 0, size, sha256, after_chunk))
    half.wait()
    wait_for_progress(sessions, place["session_id"])
    call.cancel()
    cancelled.set()
    try:
        call.result()
    except grpc.FutureCancelledError:
        return call.code()
    raise AssertionError("a cancelled upload was answered")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", required=True, help="host:port")
    parser.add_argument("--token", required=True)
    parser.add_argument("--size", type=int, required=True, help="bytes")
    parser.add_argument("--ca", help="PEM file of the authority to trust; without it the connection is not encrypted")
    options = parser.parse_args()
    size = options.size
    sha256 = digest_of(size)

    def with_token(intercepted_details):
        return (*(intercepted_details.metadata or ()), ("authorization", f"Bearer {options.token}"))

    with open_channel(options) as channel:
        channel = grpc.intercept_channel(channel, AddMetadata(with_token))
        sessions = session_service_pb2_grpc.SessionServiceStub(channel)
        files = file_service_pb2_grpc.FileServiceStub(channel)

        session = sessions.CreateSession(session_service_pb2.CreateSessionRequest(label="from Python")).session
        spec = file_pb2.FileSpec(name="large.bin", size_bytes=size)
        file = files.AddFile(file_service_pb2.AddFileRequest(session_id=session.id, spec=spec)).file
        place = {"session_id": session.id, "file_id": file.id}

        info = leave_gap(files, place, offset=100)
        assert info.reason == error_pb2.ERROR_REASON_OFFSET_UNEXPECTED, info
        assert info.HasField("expected_offset") and info.expected_offset == 0, info

        code = upload_half(sessions, files, place, size, sha256)
        assert code == grpc.StatusCode.CANCELLED, code

        status = files.GetUploadStatus(upload_pb2.GetUploadStatusRequest(**place))
        assert status.WhichOneof("status") == "committed_offset", status
        offset = status.committed_offset
        assert 0 < offset < size, offset

        answer = files.UploadFile(messages(place, offset, size, sha256))
        assert answer.file.state == file_pb2.FILE_STATE_READY, answer
        assert answer.committed_offset == size, answer
        status = files.GetUploadStatus(upload_pb2.GetUploadStatusRequest(**place))
        assert status.WhichOneof("status") == "finished_file", status

        done = sessions.CompleteSession(session_service_pb2.CompleteSessionRequest(session_id=session.id)).session
        assert done.state == session_pb2.SESSION_STATE_DONE, done

        digest = hashlib.sha256()
        for part in files.ReadFile(file_service_pb2.ReadFileRequest(**place)):
            digest.update(part.data)
        assert digest.hexdigest() == sha256, "the content read back is another one"

    report = {"sessionId": session.id, "size": size, "sha256": sha256, "resumedAt": offset}
    print(json.dumps(report))


def open_channel(options):
    if options.ca is None:
        return grpc.insecure_channel(options.server)
    with open(options.ca, "rb") as file:
        return grpc.secure_channel(options.server, grpc.ssl_channel_credentials(file.read()))


class AddMetadata(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
):
    """Adds the credentials to every call, as call credentials do on encrypted channels."""

    def __init__(self, metadata_of):
        self._metadata_of = metadata_of

    def _continue(self, continuation, details, request):
        return continuation(details._replace(metadata=self._metadata_of(details)), request)

    intercept_unary_unary = _continue
    intercept_unary_stream = _continue
    intercept_stream_unary = _continue


if __name__ == "__main__":
    main()

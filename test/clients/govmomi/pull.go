package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/vmware/govmomi/vapi/library"
)

// pull declares a file by its URI as govc does: the client asks the source, and then the server to fetch it.
func (v *verifier) pull(m *library.Manager, session, uri string, sum ...library.Checksum) *library.UpdateFile {
	return get(m.AddLibraryItemFileFromURI(v.ctx, session, "pulled.iso", uri, sum...))
}

// declare is for what AddLibraryItemFileFromURI does not let be said.
func (v *verifier) declare(session string, file library.UpdateFile) error {
	file.Name, file.SourceType = "pulled.iso", "PULL"
	return errorOf(v.m.AddLibraryItemFile(v.ctx, session, file))
}

func (v *verifier) wait(session string) error {
	ctx, cancel := context.WithTimeout(v.ctx, time.Minute)
	defer cancel()
	return v.m.WaitOnLibraryItemUpdateSession(ctx, session, 20*time.Millisecond, nil)
}

// assertPulled completes the session, waits until it has ended, and reads the content back.
func (v *verifier) assertPulled(item, session string, want []byte) {
	do(v.m.CompleteLibraryItemUpdateSession(v.ctx, session))
	do(v.wait(session))
	equal("state", v.session(session).State, "DONE")
	v.assertContent(item, "pulled.iso", want)
}

func (v *verifier) checkPull() {
	plain, secure := v.sources.plain.URL, v.sources.secure.URL
	for _, size := range []int{0, 1, 3_000_017} {
		v.check(fmt.Sprintf("pull over http: %d bytes arrive as they are", size), func() {
			item, session := v.newUpload()
			bytes := content(uint64(size), size)
			uri := plain + v.sources.whole(bytes)
			info := v.pull(v.m, session, uri)
			equal("source type", info.SourceType, "PULL")
			that(info.SourceEndpoint != nil && info.SourceEndpoint.URI == uri, "its source is %s", show(info.SourceEndpoint))
			that(info.UploadEndpoint == nil, "it can be sent")
			v.assertPulled(item, session, bytes)
			equal("content version", v.item(item).ContentVersion, "2")
		})
	}
	v.check("pull over http: bytes of a length that nobody tells beforehand", func() {
		item, session := v.newUpload()
		bytes := content(1, 700_000)
		v.pull(v.m, session, plain+v.sources.unannounced(bytes))
		v.assertPulled(item, session, bytes)
	})
	v.check("pull over http: a negative size is none", func() {
		item, session := v.newUpload()
		bytes := content(2, 5000)
		source := &library.TransferEndpoint{URI: plain + v.sources.whole(bytes)}
		do(v.declare(session, library.UpdateFile{Size: -1, SourceEndpoint: source}))
		v.assertPulled(item, session, bytes)
	})
	v.check("pull over http: redirected to elsewhere", func() {
		item, session := v.newUpload()
		bytes := content(3, 5000)
		v.pull(v.m, session, plain+v.sources.redirect(v.sources.whole(bytes)))
		v.assertPulled(item, session, bytes)
	})
	v.check("pull over http: from a source that breaks off and is asked again", func() {
		item, session := v.newUpload()
		bytes := content(4, 2_000_000)
		v.pull(v.m, session, plain+v.sources.broken(bytes))
		v.assertPulled(item, session, bytes)
	})
	for _, algorithm := range []string{"", "MD5", "SHA1", "SHA256", "SHA512"} {
		v.check("pull over http: with a checksum that fits: "+orNone(algorithm), func() {
			item, session := v.newUpload()
			bytes := content(5, 5000)
			v.pull(v.m, session, plain+v.sources.whole(bytes), library.Checksum{Algorithm: algorithm, Checksum: digest(algorithm, bytes)})
			v.assertPulled(item, session, bytes)
		})
	}
	v.check("pull over https: by the thumbprint that the client, who trusts the source, passes on", func() {
		item, session := v.newUpload()
		bytes := content(6, 1_000_003)
		info := v.pull(v.trusting, session, secure+v.sources.whole(bytes))
		equal("thumbprint", info.SourceEndpoint.SSLCertificateThumbprint, v.sources.thumbprint())
		v.assertPulled(item, session, bytes)
	})
	v.check("pull over https: by the certificate that the server finds for a client who does not trust the source", func() {
		item, session := v.newUpload()
		bytes := content(7, 5000)
		info := v.pull(v.m, session, secure+v.sources.whole(bytes))
		equal("thumbprint", info.SourceEndpoint.SSLCertificateThumbprint, v.sources.thumbprint256())
		v.assertPulled(item, session, bytes)
	})
	v.check("pull and push: in one session, over a file that was there", func() {
		item := v.newItem()
		v.store(item, map[string][]byte{"pulled.iso": content(8, 10), "pushed.iso": content(9, 20)})
		session := v.newSession(item)
		bytes := content(10, 30_000)
		v.pull(v.m, session, plain+v.sources.whole(bytes))
		v.push(session, "pushed.iso", content(11, 40))
		v.assertPulled(item, session, bytes)
		v.assertContent(item, "pushed.iso", content(11, 40))
		equal("version", get(v.m.GetLibraryItemFile(v.ctx, item, "pulled.iso")).Version, "2")
	})
	v.check("pull from a folder of the server: for those who may read it, and only there", func() {
		item, session := v.newUpload()
		bytes := content(12, 5000)
		path := filepath.Join(v.folder, v.name("stored")+".iso")
		do(os.WriteFile(path, bytes, 0o644))
		source := &library.TransferEndpoint{URI: (&url.URL{Scheme: "file", Path: path}).String()}
		do(v.declare(session, library.UpdateFile{SourceEndpoint: source}))
		v.assertPulled(item, session, bytes)
		equal("what is left there", len(get(os.ReadFile(path))), len(bytes))

		theirs := get(v.other.CreateLibraryItemUpdateSession(v.ctx, library.Session{LibraryItemID: item}))
		file := library.UpdateFile{Name: "pulled.iso", SourceType: "PULL", SourceEndpoint: source}
		statusIs(errorOf(v.other.AddLibraryItemFile(v.ctx, theirs, file)), 403)
		do(v.other.CancelLibraryItemUpdateSession(v.ctx, theirs))
	})
}

func (v *verifier) checkPullInFlight() {
	plain := v.sources.plain.URL
	v.check("pull: completing returns at once, and the session ends when the content is there", func() {
		item, session := v.newUpload()
		bytes := content(1, 1_000_000)
		source := v.sources.held(bytes)
		v.pull(v.m, session, plain+source.path)
		after("the source is asked", source.begun)
		until("bytes have come", func() bool { return v.file(session, "pulled.iso").BytesTransferred > 0 })
		equal("status", v.file(session, "pulled.iso").Status, "TRANSFERRING")
		do(v.m.CompleteLibraryItemUpdateSession(v.ctx, session))
		equal("state", v.session(session).State, "ACTIVE")
		equal("files of the item", v.names(item), []string{})
		asked := 0
		do(v.m.WaitOnLibraryItemUpdateSession(v.ctx, session, 20*time.Millisecond, func() {
			if asked++; asked == 2 {
				close(source.released)
			}
		}))
		equal("state", v.session(session).State, "DONE")
		v.assertContent(item, "pulled.iso", bytes)
	})
	v.check("pull: a session that is cancelled lets go of the source", func() {
		item, session := v.newUpload()
		source := v.sources.held(content(2, 1_000_000))
		v.pull(v.m, session, plain+source.path)
		after("the source is asked", source.begun)
		do(v.m.CancelLibraryItemUpdateSession(v.ctx, session))
		after("the source is let go of", source.left)
		equal("state", v.session(session).State, "CANCELED")
		equal("files of the item", v.names(item), []string{})
	})
	v.check("pull: a file that is removed lets go of the source, and is not waited for", func() {
		_, session := v.newUpload()
		source := v.sources.held(content(3, 1_000_000))
		v.pull(v.m, session, plain+source.path)
		after("the source is asked", source.begun)
		do(v.m.RemoveLibraryItemUpdateSessionFile(v.ctx, session, "pulled.iso"))
		after("the source is let go of", source.left)
		v.complete(session)
	})
}

package main

import (
	"crypto/x509"
	"encoding/pem"
	"strings"

	"github.com/vmware/govmomi/vapi/library"
)

func (v *verifier) checkPullTrust() {
	secure := v.sources.secure.URL
	bytes := content(1, 5000)
	endpoint := func(thumbprint, certificate string) *library.TransferEndpoint {
		return &library.TransferEndpoint{
			URI: secure + v.sources.whole(bytes), SSLCertificateThumbprint: thumbprint, SSLCertificate: certificate,
		}
	}
	other := strings.Repeat("AB:", 19) + "AB"
	for _, by := range []struct {
		title  string
		source *library.TransferEndpoint
	}{
		{"a SHA-1 thumbprint in lower case without colons", endpoint(strings.ToLower(strings.ReplaceAll(v.sources.thumbprint(), ":", "")), "")},
		{"a SHA-256 thumbprint", endpoint(v.sources.thumbprint256(), "")},
		{"a certificate, whatever the thumbprint beside it says", endpoint(other, v.sources.certificate())},
	} {
		v.check("pull over https: by "+by.title, func() {
			item, session := v.newUpload()
			do(v.declare(session, library.UpdateFile{SourceEndpoint: by.source}))
			v.assertPulled(item, session, bytes)
		})
	}
	v.check("pull over https: another thumbprint than the source's ends it, and tells both", func() {
		_, session := v.newUpload()
		do(v.declare(session, library.UpdateFile{SourceEndpoint: endpoint(other, "")}))
		message := v.assertPullFails(session)
		contains("the message", message, other)
		contains("the message", message, v.sources.thumbprint())
	})
	v.check("pull over https: a certificate that nobody vouches for ends it, and is told", func() {
		_, session := v.newUpload()
		do(v.declare(session, library.UpdateFile{SourceEndpoint: endpoint("", "")}))
		contains("the message", v.assertPullFails(session), v.sources.thumbprint256())
	})
	v.check("pull over http: a thumbprint that leads to nobody who could show it ends it", func() {
		_, session := v.newUpload()
		plain := &library.TransferEndpoint{URI: v.sources.plain.URL + v.sources.whole(bytes), SSLCertificateThumbprint: other}
		do(v.declare(session, library.UpdateFile{SourceEndpoint: plain}))
		contains("the message", v.assertPullFails(session), "leads to no https server")
	})
	v.check("pull: a thumbprint or a certificate that is none, or that nobody could check, is an invalid argument", func() {
		_, session := v.newUpload()
		file := &library.TransferEndpoint{URI: "file:///images/a.iso", SSLCertificateThumbprint: other}
		for _, source := range []*library.TransferEndpoint{
			endpoint("AB:CD", ""), endpoint("", "not a certificate"), endpoint("", v.sources.certificate()+v.sources.certificate()), file,
		} {
			refused(v.declare(session, library.UpdateFile{SourceEndpoint: source}), "invalid_argument")
		}
		equal("state", v.session(session).State, "ACTIVE")
	})
}

// assertPullFails waits for the file and the session to become errors, and answers what they tell.
func (v *verifier) assertPullFails(session string) string {
	message := told(v.wait(session))
	equal("state", v.session(session).State, "ERROR")
	file := v.file(session, "pulled.iso")
	equal("status", file.Status, "ERROR")
	that(file.ErrorMessage != nil && file.ErrorMessage.DefaultMessage != "", "the file has no message: %s", show(file))
	refused(v.m.CompleteLibraryItemUpdateSession(v.ctx, session), "not_allowed_in_current_state")
	do(v.m.DeleteLibraryItemUpdateSession(v.ctx, session))
	return message.DefaultMessage
}

func (v *verifier) checkPullFailures() {
	plain := v.sources.plain.URL
	good := content(2, 5000)
	v.check("pull: a source that answers 404 ends it, although the client took the size of that answer", func() {
		_, session := v.newUpload()
		v.pull(v.m, session, plain+v.sources.status(404, "not here!"))
		contains("the message", v.assertPullFails(session), "404")
	})
	v.check("pull: a source that asks for a login ends it", func() {
		_, session := v.newUpload()
		v.pull(v.m, session, plain+v.sources.status(401, ""))
		contains("the message", v.assertPullFails(session), "401")
	})
	v.check("pull: a checksum that does not fit ends it, and the item stays as it was", func() {
		item, session := v.newUpload()
		sum := library.Checksum{Algorithm: "SHA256", Checksum: digest("SHA256", []byte("other"))}
		v.pull(v.m, session, plain+v.sources.whole(good), sum)
		contains("the message", strings.ToLower(v.assertPullFails(session)), sum.Checksum)
		equal("files", v.names(item), []string{})
		equal("content version", v.item(item).ContentVersion, "1")
		v.newSession(item)
	})
	v.check("pull: a checksum that does not fit ends it after completing, too", func() {
		item, session := v.newUpload()
		source := v.sources.held(good)
		sum := library.Checksum{Algorithm: "MD5", Checksum: digest("MD5", []byte("other"))}
		v.pull(v.m, session, plain+source.path, sum)
		after("the source is asked", source.begun)
		do(v.m.CompleteLibraryItemUpdateSession(v.ctx, session))
		close(source.released)
		contains("the message", strings.ToLower(v.assertPullFails(session)), sum.Checksum)
		equal("files", v.names(item), []string{})
	})
	v.check("pull: a size that does not fit ends it", func() {
		_, session := v.newUpload()
		source := &library.TransferEndpoint{URI: plain + v.sources.whole(good)}
		do(v.declare(session, library.UpdateFile{Size: 4999, SourceEndpoint: source}))
		contains("the message", v.assertPullFails(session), "4999")
	})
	v.check("pull: an address that the server may not reach ends it", func() {
		_, session := v.newUpload()
		source := &library.TransferEndpoint{URI: "http://127.0.0.2:9/a.iso"}
		do(v.declare(session, library.UpdateFile{SourceEndpoint: source}))
		contains("the message", v.assertPullFails(session), "127.0.0.2")
	})
	v.check("pull: no source, one of another scheme or with a password, or no address at all, is an invalid argument", func() {
		_, session := v.newUpload()
		refused(v.declare(session, library.UpdateFile{}), "invalid_argument")
		for _, uri := range []string{"", "nowhere", "ftp://example.com/a", "http://me:secret@example.com/a", "file://server/share/a", "http://"} {
			refused(v.declare(session, library.UpdateFile{SourceEndpoint: &library.TransferEndpoint{URI: uri}}), "invalid_argument")
		}
		equal("files", len(get(v.m.ListLibraryItemUpdateSessionFile(v.ctx, session))), 0)
	})
	v.check("pull: several checksums are refused by the client itself", func() {
		_, session := v.newUpload()
		sum := library.Checksum{Checksum: digest("", good)}
		that(errorOf(v.m.AddLibraryItemFileFromURI(v.ctx, session, "a", plain, sum, sum)) != nil, "they were taken")
	})
}

func (v *verifier) checkProbe() {
	plain, secure := v.sources.plain.URL, v.sources.secure.URL
	probe := func(endpoint library.TransferEndpoint) *library.ProbeResult {
		return get(v.m.ProbeTransferEndpoint(v.ctx, endpoint))
	}
	assertCertificate := func(result *library.ProbeResult) {
		equal("thumbprint", result.SSLThumbprint, v.sources.thumbprint())
		block, rest := pem.Decode([]byte(result.SSLCertificate))
		that(block != nil && len(rest) == 0, "it is not one certificate: %q", result.SSLCertificate)
		that(get(x509.ParseCertificate(block.Bytes)).Equal(v.sources.leaf()), "it is another certificate")
	}
	assertTold := func(result *library.ProbeResult, status, id string) {
		equal("status", result.Status, status)
		equal("messages", len(result.ErrorMessages), 1)
		equal("the id of the message", result.ErrorMessages[0].ID, "com.vmware.vdcs.cls-main."+id)
		that(result.ErrorMessages[0].DefaultMessage != "" && len(result.ErrorMessages[0].Args) == 1, "it is %s", show(result.ErrorMessages[0]))
	}
	v.check("probe: a source over http can be read", func() {
		result := probe(library.TransferEndpoint{URI: plain + v.sources.whole(content(1, 1000))})
		equal("result", *result, library.ProbeResult{Status: "SUCCESS"})
	})
	v.check("probe: a source over https shows its certificate, and why it is not trusted", func() {
		result := probe(library.TransferEndpoint{URI: secure + v.sources.whole(content(1, 1000))})
		assertTold(result, "CERTIFICATE_ERROR", "http_request_error_peer_not_authenticated")
		assertCertificate(result)
	})
	v.check("probe: a source over https can be read by its thumbprint or its certificate", func() {
		uri := secure + v.sources.whole(content(1, 1000))
		for _, endpoint := range []library.TransferEndpoint{
			{URI: uri, SSLCertificateThumbprint: v.sources.thumbprint()}, {URI: uri, SSLCertificate: v.sources.certificate()},
		} {
			result := probe(endpoint)
			equal("status", result.Status, "SUCCESS")
			equal("messages", len(result.ErrorMessages), 0)
			assertCertificate(result)
		}
	})
	v.check("probe: what cannot be read is told", func() {
		assertTold(probe(library.TransferEndpoint{URI: plain + v.sources.status(404, "")}), "INVALID_URL", "http_request_error")
		assertTold(probe(library.TransferEndpoint{URI: "http://127.0.0.2:9/"}), "INVALID_URL", "http_request_error")
		assertTold(probe(library.TransferEndpoint{URI: "nowhere"}), "INVALID_URL", "invalid_url_format")
		assertTold(probe(library.TransferEndpoint{URI: "ftp://example.com/a"}), "INVALID_URL", "file_probe_unsupported_uri_scheme")
	})
	v.check("probe: a folder of the server is for those who may read it", func() {
		folder := library.TransferEndpoint{URI: "file://" + v.folder + "/none.iso"}
		statusIs(errorOf(v.other.ProbeTransferEndpoint(v.ctx, folder)), 403)
		assertTold(probe(folder), "INVALID_URL", "http_request_error")
	})
}

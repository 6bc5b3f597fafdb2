package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/vmware/govmomi/vapi/library"
	"github.com/vmware/govmomi/vim25/soap"
)

// The ways in which the client sends content.
var ways = []struct {
	title string
	send  func(v *verifier, to *url.URL, content []byte) error
}{
	{"with its length", func(v *verifier, to *url.URL, content []byte) error {
		return v.upload(to, content)
	}},
	{"in chunks of no announced length", func(v *verifier, to *url.URL, content []byte) error {
		param := soap.DefaultUpload
		param.ContentLength = -1
		return v.m.Upload(v.ctx, io.MultiReader(bytes.NewReader(content)), to, &param)
	}},
	{"from a file, and without a login", func(v *verifier, to *url.URL, content []byte) error {
		file := filepath.Join(v.scratch, "sent")
		do(os.WriteFile(file, content, 0o600))
		return v.m.UploadFile(v.ctx, file, to, nil)
	}},
	{"by POST as text/ovf", func(v *verifier, to *url.URL, content []byte) error {
		param := soap.Upload{Type: "text/ovf", Method: "POST", ContentLength: int64(len(content))}
		return v.m.Upload(v.ctx, bytes.NewReader(content), to, &param)
	}},
}

var names = []string{
	"ubuntu.iso", "with space (1).ovf", "key=value&more.mf", "größe-磁盤.vmdk", "100% +sure?.iso#1", "{a}[b]'c'~.iso", ".hidden", strings.Repeat("n", 200),
}

func (v *verifier) checkPush() {
	sizes := []int{0, 1, 3_000_017}
	for _, way := range ways {
		for _, size := range sizes {
			v.check(fmt.Sprintf("push %s: %d bytes arrive as they are", way.title, size), func() {
				item, session := v.newUpload()
				bytes := content(uint64(size), size)
				to := v.add(session, library.UpdateFile{Name: "a.iso", Size: int64(size)})
				do(way.send(v, to, bytes))
				v.assertReady(session, "a.iso", size)
				v.complete(session)
				v.assertContent(item, "a.iso", bytes)
			})
		}
	}
	for i, name := range names {
		v.check(fmt.Sprintf("push: a file called %.40s", name), func() {
			item, session := v.newUpload()
			bytes := content(uint64(i), 1000+i)
			v.push(session, name, bytes)
			v.assertReady(session, name, len(bytes))
			v.complete(session)
			equal("files", v.names(item), []string{name})
			equal("got", get(v.m.GetLibraryItemFile(v.ctx, item, name)).Name, name)
			v.assertContent(item, name, bytes)
		})
	}
	for _, algorithm := range []string{"", "MD5", "SHA1", "SHA256", "SHA512"} {
		v.check("push: a checksum that fits is told again: "+orNone(algorithm), func() {
			item, session := v.newUpload()
			bytes := content(7, 70_000)
			sum := &library.Checksum{Algorithm: algorithm, Checksum: strings.ToUpper(digest(algorithm, bytes))}
			to := v.add(session, library.UpdateFile{Name: "a", Checksum: sum})
			do(v.upload(to, bytes))
			assertChecksum(v.file(session, "a").Checksum, bytes)
			v.complete(session)
			assertChecksum(get(v.m.GetLibraryItemFile(v.ctx, item, "a")).Checksum, bytes)
		})
	}
	v.check("push: several files at once, in one session", func() {
		item, session := v.newUpload()
		ended := make(chan error)
		for i := range 5 {
			bytes := content(uint64(i), 1_000_000+i)
			to := v.add(session, library.UpdateFile{Name: fmt.Sprint("disk ", i), Size: int64(len(bytes))})
			go func() { ended <- v.upload(to, bytes) }()
		}
		for range 5 {
			do(<-ended)
		}
		v.complete(session)
		for i := range 5 {
			v.assertContent(item, fmt.Sprint("disk ", i), content(uint64(i), 1_000_000+i))
		}
	})
	v.check("push: a manifest that the client reads says what the server checks", func() {
		_, session := v.newUpload()
		bytes := content(8, 5000)
		manifest := fmt.Sprintf("SHA256(foo (1).ovf)= %s\n", digest("SHA256", bytes))
		sums := get(library.ReadManifest(strings.NewReader(manifest)))
		to := v.add(session, library.UpdateFile{Name: "foo (1).ovf", Checksum: sums["foo (1).ovf"]})
		notUploaded(v.upload(to, content(9, 5000)), "400")
		do(v.upload(to, bytes))
		v.complete(session)
	})
}

func (v *verifier) checkPushRepairs() {
	v.check("push: one that breaks off is not taken for the whole, and is sent again from the beginning", func() {
		item, session := v.newUpload()
		bytes := content(1, 2_000_000)
		to := v.add(session, library.UpdateFile{Name: "a", Size: int64(len(bytes))})
		half := io.MultiReader(strings.NewReader(string(bytes[:len(bytes)/2])), brokenReader{})
		param := soap.DefaultUpload
		param.ContentLength = int64(len(bytes))
		that(v.m.Upload(v.ctx, half, to, &param) != nil, "it did not break off")
		until("what came is kept", func() bool { return v.file(session, "a").BytesTransferred > 0 })
		message := refused(v.m.CompleteLibraryItemUpdateSession(v.ctx, session), "not_allowed_in_current_state")
		equal("the id of the message", message.ID, "com.vmware.vdcs.cls-main.update_session_file_not_received")
		do(v.upload(to, bytes))
		v.complete(session)
		v.assertContent(item, "a", bytes)
	})
	good := content(2, 5000)
	wrong := bytes.Clone(good)
	wrong[4321] ^= 1
	for _, bad := range []struct {
		title, text string
		declared    library.UpdateFile
		sent        []byte
	}{
		{"checksum", digest("SHA256", good), library.UpdateFile{Checksum: &library.Checksum{Algorithm: "SHA256", Checksum: digest("SHA256", good)}}, wrong},
		{"checksum of no algorithm", digest("SHA1", good), library.UpdateFile{Checksum: &library.Checksum{Checksum: digest("SHA1", good)}}, wrong},
		{"size, too small", "5000", library.UpdateFile{Size: 5000}, good[:4999]},
		{"size, too large", "5000", library.UpdateFile{Size: 5000}, append(bytes.Clone(good), 1)},
	} {
		v.check("push: bytes of another "+bad.title+" are refused with 400, named by all, and repaired by sending again", func() {
			item, session := v.newUpload()
			bad.declared.Name = "a.iso"
			to := v.add(session, bad.declared)
			notUploaded(v.upload(to, bad.sent), "400")
			file := v.file(session, "a.iso")
			equal("status", file.Status, "ERROR")
			contains("the file's message", told(file.ErrorMessage).DefaultMessage, bad.text)
			validation := get(v.m.ValidateLibraryItemUpdateSessionFile(v.ctx, session))
			that(validation.HasErrors, "it is valid")
			equal("invalid files", len(validation.InvalidFiles), 1)
			equal("the invalid file", validation.InvalidFiles[0].Name, "a.iso")
			contains("its message", validation.InvalidFiles[0].ErrorMessage.DefaultMessage, bad.text)
			message := refused(v.m.CompleteLibraryItemUpdateSession(v.ctx, session), "not_allowed_in_current_state")
			equal("the id of the message", message.ID, "com.vmware.vdcs.cls-main.session_has_missing_or_invalid_files")
			contains("the arguments", strings.Join(message.Args, " "), "a.iso")
			equal("state", v.session(session).State, "ACTIVE")
			do(v.upload(to, good))
			v.assertReady(session, "a.iso", len(good))
			v.complete(session)
			v.assertContent(item, "a.iso", good)
		})
	}
	v.check("push: a file that is ready is replaced by sending it again", func() {
		item, session := v.newUpload()
		to := v.add(session, library.UpdateFile{Name: "a"})
		do(v.upload(to, content(1, 100)))
		do(v.upload(to, content(2, 200)))
		v.assertReady(session, "a", 200)
		v.complete(session)
		v.assertContent(item, "a", content(2, 200))
	})
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) {
	time.Sleep(50 * time.Millisecond)
	return 0, errors.New("the client breaks off")
}

func (v *verifier) assertReady(session, name string, size int) {
	file := v.file(session, name)
	equal("status", file.Status, "READY")
	equal("bytes transferred", file.BytesTransferred, int64(size))
	equal("size", file.Size, int64(size))
	that(file.ErrorMessage == nil, "it has an error: %v", file.ErrorMessage)
}

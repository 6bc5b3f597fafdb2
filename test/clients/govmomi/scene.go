package main

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"

	"github.com/vmware/govmomi/vapi/library"
	"github.com/vmware/govmomi/vim25/soap"
)

// verifier makes the checks. What it makes on the server has names that no other run uses.
type verifier struct {
	settings
	report
	ctx     context.Context
	calls   *callLog
	sources *sources
	// Where a check may put files of its own.
	scratch string
	// Trusts the server, and no other; the usual client.
	m *library.Manager
	// Trusts the https source, too.
	trusting *library.Manager
	// Somebody else's.
	other *library.Manager
	run   string
	count int
	// A library that most items go to.
	library string
}

func prepare(ctx context.Context, s settings, scratch string) (v *verifier, err error) {
	defer func() {
		if problem, ok := recover().(failure); ok {
			err = fmt.Errorf("nothing could be checked: %s", problem.why)
		}
	}()
	v = &verifier{settings: s, ctx: ctx, scratch: scratch, calls: &callLog{names: map[string]bool{}}}
	v.run = fmt.Sprintf("%08x", rand.Uint32())
	v.sources = startSources(scratch)
	v.m = v.logIn(ctx, v.trust(), s.user)
	v.trusting = v.logIn(ctx, v.trust(v.sources.authority), s.user)
	v.other = v.logIn(ctx, v.trust(), s.other)
	v.library = v.newLibrary(v.m)
	return v, nil
}

// trust is that in the server, and in whatever else these files are of.
func (v *verifier) trust(authorities ...string) trust {
	if v.ca != "" {
		authorities = append(authorities, v.ca)
	}
	return trust{authorities: authorities}
}

func (v *verifier) name(what string) string {
	v.count++
	return fmt.Sprintf("%s %s-%d", what, v.run, v.count)
}

func (v *verifier) newLibrary(m *library.Manager) string {
	backings := []library.StorageBacking{{Type: "OTHER", StorageURI: "file:///srv/backing"}}
	return get(m.CreateLibrary(v.ctx, library.Library{Name: v.name("library"), Type: "LOCAL", Storage: backings}))
}

func (v *verifier) newItem() string {
	return get(v.m.CreateLibraryItem(v.ctx, library.Item{Name: v.name("item"), LibraryID: v.library, Type: "iso"}))
}

func (v *verifier) newSession(item string) string {
	return get(v.m.CreateLibraryItemUpdateSession(v.ctx, library.Session{LibraryItemID: item}))
}

// newUpload is a session on an item of its own.
func (v *verifier) newUpload() (item, session string) {
	item = v.newItem()
	return item, v.newSession(item)
}

// add declares a file to be sent and answers where to.
func (v *verifier) add(session string, file library.UpdateFile) *url.URL {
	file.SourceType = "PUSH"
	info := get(v.m.AddLibraryItemFile(v.ctx, session, file))
	that(info.UploadEndpoint != nil, "there is no upload endpoint: %s", show(info))
	return get(url.Parse(info.UploadEndpoint.URI))
}

func (v *verifier) upload(to *url.URL, content []byte) error {
	param := soap.DefaultUpload
	param.ContentLength = int64(len(content))
	return v.m.Upload(v.ctx, bytes.NewReader(content), to, &param)
}

func (v *verifier) push(session, name string, content []byte) {
	do(v.upload(v.add(session, library.UpdateFile{Name: name, Size: int64(len(content))}), content))
}

func (v *verifier) complete(session string) {
	do(v.m.CompleteLibraryItemUpdateSession(v.ctx, session))
	equal("the state after completing", v.session(session).State, "DONE")
}

// store puts these files into the item, in a session of their own.
func (v *verifier) store(item string, files map[string][]byte) {
	session := v.newSession(item)
	for name, content := range files {
		v.push(session, name, content)
	}
	v.complete(session)
}

func (v *verifier) session(id string) *library.Session {
	return get(v.m.GetLibraryItemUpdateSession(v.ctx, id))
}

func (v *verifier) file(session, name string) *library.UpdateFile {
	return get(v.m.GetLibraryItemUpdateSessionFile(v.ctx, session, name))
}

func (v *verifier) item(id string) *library.Item {
	return get(v.m.GetLibraryItem(v.ctx, id))
}

// names are those of the item's files, sorted.
func (v *verifier) names(item string) []string {
	names := []string{}
	for _, file := range get(v.m.ListLibraryItemFiles(v.ctx, item)) {
		names = append(names, file.Name)
	}
	slices.Sort(names)
	return names
}

// prepare asks for the content of a file until there is an endpoint to read it from.
func (v *verifier) prepared(download, name string) *url.URL {
	get(v.m.PrepareLibraryItemDownloadSessionFile(v.ctx, download, name))
	var info *library.DownloadFile
	until(name+" is prepared", func() bool {
		info = get(v.m.GetLibraryItemDownloadSessionFile(v.ctx, download, name))
		return info.Status == "PREPARED"
	})
	that(info.DownloadEndpoint != nil, "there is no download endpoint: %s", show(info))
	return get(url.Parse(info.DownloadEndpoint.URI))
}

func (v *verifier) read(from *url.URL) []byte {
	body, size, err := v.m.Download(v.ctx, from, &soap.DefaultDownload)
	do(err)
	defer body.Close()
	content := get(io.ReadAll(body))
	equal("the announced size", size, int64(len(content)))
	return content
}

// assertContent reads a file back through a download session.
func (v *verifier) assertContent(item, name string, want []byte) {
	download := get(v.m.CreateLibraryItemDownloadSession(v.ctx, library.Session{LibraryItemID: item}))
	same(name, v.read(v.prepared(download, name)), want)
	do(v.m.DeleteLibraryItemDownloadSession(v.ctx, download))
}

func same(name string, got, want []byte) {
	that(bytes.Equal(got, want), "%s has %d bytes that are not the %d that were sent", name, len(got), len(want))
}

// content is as long as it is told, and the same for the same seed.
func content(seed uint64, length int) []byte {
	random := rand.New(rand.NewPCG(seed, 1))
	bytes := make([]byte, length)
	for i := range bytes {
		bytes[i] = byte(random.Uint32())
	}
	return bytes
}

func digest(algorithm string, content []byte) string {
	switch algorithm {
	case "MD5":
		sum := md5.Sum(content)
		return hex.EncodeToString(sum[:])
	case "", "SHA1":
		sum := sha1.Sum(content)
		return hex.EncodeToString(sum[:])
	case "SHA256":
		sum := sha256.Sum256(content)
		return hex.EncodeToString(sum[:])
	case "SHA512":
		sum := sha512.Sum512(content)
		return hex.EncodeToString(sum[:])
	}
	panic("no such algorithm: " + algorithm)
}

func assertChecksum(sum *library.Checksum, content []byte) {
	that(sum != nil, "there is no checksum")
	equal("the checksum", strings.ToLower(sum.Checksum), digest(sum.Algorithm, content))
}

func orNone(algorithm string) string {
	if algorithm == "" {
		return "no algorithm, which is SHA1"
	}
	return algorithm
}

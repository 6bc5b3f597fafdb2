package main

import (
	"bytes"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/vmware/govmomi/vapi/library"
	"github.com/vmware/govmomi/vim25/soap"
)

// newDownload is a download session of a new item with this file.
func (v *verifier) newDownload(name string, content []byte) (item, download string) {
	item = v.newItem()
	v.store(item, map[string][]byte{name: content})
	return item, get(v.m.CreateLibraryItemDownloadSession(v.ctx, library.Session{LibraryItemID: item}))
}

func (v *verifier) download(id string) *library.Session {
	return get(v.m.GetLibraryItemDownloadSession(v.ctx, id))
}

func (v *verifier) checkDownloads() {
	v.check("download session: a new one is active, tells its item and when it expires, and is listed until it is deleted", func() {
		item, id := v.newDownload("a", content(1, 10))
		session := v.download(id)
		equal("id and item", []string{session.ID, session.LibraryItemID}, []string{id, item})
		equal("state and content version", []string{session.State, session.LibraryItemContentVersion}, []string{"ACTIVE", "2"})
		that(session.ExpirationTime != nil && time.Until(*session.ExpirationTime) > 0, "it expires at %v", session.ExpirationTime)
		that(slices.Contains(get(v.m.ListLibraryItemDownloadSession(v.ctx)), id), "it is not listed")
		do(v.m.DeleteLibraryItemDownloadSession(v.ctx, id))
		that(!slices.Contains(get(v.m.ListLibraryItemDownloadSession(v.ctx)), id), "it is still listed")
		statusIs(errorOf(v.m.GetLibraryItemDownloadSession(v.ctx, id)), http.StatusNotFound)
	})
	v.check("download: a file is prepared, and its size and checksum told", func() {
		bytes := content(2, 50_000)
		_, id := v.newDownload("größe (1).iso", bytes)
		files := get(v.m.ListLibraryItemDownloadSessionFile(v.ctx, id))
		equal("files", len(files), 1)
		equal("name and status", []string{files[0].Name, files[0].Status}, []string{"größe (1).iso", "UNPREPARED"})
		that(files[0].DownloadEndpoint == nil, "it can be read unprepared")
		same("the file", v.read(v.prepared(id, "größe (1).iso")), bytes)
		file := get(v.m.GetLibraryItemDownloadSessionFile(v.ctx, id, "größe (1).iso"))
		equal("size", file.Size, int64(len(bytes)))
		equal("bytes transferred", file.BytesTransferred, int64(len(bytes)))
		assertChecksum(file.Checksum, bytes)
	})
	v.check("download: a file is read with and without a login, into files and again", func() {
		bytes := content(3, 50_000)
		_, id := v.newDownload("a b.iso", bytes)
		from := v.prepared(id, "a b.iso")
		same("the file", v.read(from), bytes)
		same("the file again", v.read(from), bytes)
		to := filepath.Join(v.scratch, "read")
		do(v.m.DownloadFile(v.ctx, to, from, &soap.DefaultDownload))
		same("the file on disk", get(os.ReadFile(to)), bytes)
		req := get(http.NewRequest(http.MethodGet, from.String(), nil))
		do(v.m.DownloadAttachment(v.ctx, req, to+" without a login"))
		same("the file without a login", get(os.ReadFile(to+" without a login")), bytes)
	})
	v.check("download: what the client does by hand, it reads as well", func() {
		want := content(4, 5000)
		_, id := v.newDownload("a", want)
		var got bytes.Buffer
		do(v.m.Do(v.ctx, get(http.NewRequest(http.MethodGet, v.prepared(id, "a").String(), nil)), &got))
		same("the file", got.Bytes(), want)
	})
	v.check("download: a file that is replaced once it was prepared is an error, until it is prepared again", func() {
		item, id := v.newDownload("a", content(5, 5000))
		before := v.prepared(id, "a")
		v.store(item, map[string][]byte{"a": content(6, 6000), "b": content(7, 7000)})
		_, _, err := v.m.Download(v.ctx, before, &soap.DefaultDownload)
		that(err != nil && strings.Contains(err.Error(), "404"), "the old content was not refused with 404: %v", err)
		_, err = v.m.GetLibraryItemDownloadSessionFile(v.ctx, id, "a")
		contains("the file's message", told(err).DefaultMessage, "replaced")
		same("the file, prepared again", v.read(v.prepared(id, "a")), content(6, 6000))
		same("the file that was added", v.read(v.prepared(id, "b")), content(7, 7000))
	})
	v.check("download session: keeping it alive puts off when it expires", func() {
		_, id := v.newDownload("a", content(1, 10))
		before := *v.download(id).ExpirationTime
		time.Sleep(20 * time.Millisecond)
		do(v.m.KeepAliveLibraryItemDownloadSession(v.ctx, id))
		after := *v.download(id).ExpirationTime
		that(after.After(before), "it expires at %v, and did at %v", after, before)
	})
	v.check("download session: one of an item without files has none", func() {
		id := get(v.m.CreateLibraryItemDownloadSession(v.ctx, library.Session{LibraryItemID: v.newItem()}))
		equal("files", len(get(v.m.ListLibraryItemDownloadSessionFile(v.ctx, id))), 0)
	})
}

func (v *verifier) checkDownloadRefusals() {
	unread := func(from *url.URL) {
		_, _, err := v.m.Download(v.ctx, from, &soap.DefaultDownload)
		that(err != nil, "it can be read")
	}
	for _, end := range []struct {
		state string
		by    func(id string) error
	}{
		{"CANCELED", func(id string) error { return v.m.CancelLibraryItemDownloadSession(v.ctx, id) }},
		{"ERROR", func(id string) error { return v.m.FailLibraryItemDownloadSession(v.ctx, id) }},
	} {
		v.check("download session: nothing is prepared, read or kept alive in one that is "+end.state, func() {
			_, id := v.newDownload("a", content(1, 10))
			from := v.prepared(id, "a")
			do(end.by(id))
			session := v.download(id)
			equal("state", session.State, end.state)
			equal("whether it has a message", session.ErrorMessage != nil, end.state == "ERROR")
			refused(errorOf(v.m.PrepareLibraryItemDownloadSessionFile(v.ctx, id, "a")), "not_allowed_in_current_state")
			refused(v.m.KeepAliveLibraryItemDownloadSession(v.ctx, id), "not_allowed_in_current_state")
			refused(v.m.CancelLibraryItemDownloadSession(v.ctx, id), "not_allowed_in_current_state")
			refused(v.m.FailLibraryItemDownloadSession(v.ctx, id), "not_allowed_in_current_state")
			unread(from)
			do(v.m.DeleteLibraryItemDownloadSession(v.ctx, id))
			statusIs(errorOf(v.m.GetLibraryItemDownloadSession(v.ctx, id)), http.StatusNotFound)
		})
	}
	v.check("download session: an active one is deleted, and its endpoints are of no use", func() {
		_, id := v.newDownload("a", content(1, 10))
		from := v.prepared(id, "a")
		do(v.m.DeleteLibraryItemDownloadSession(v.ctx, id))
		unread(from)
	})
	v.check("download: a file that the item does not have is an invalid argument", func() {
		_, id := v.newDownload("a", content(1, 10))
		refused(errorOf(v.m.PrepareLibraryItemDownloadSessionFile(v.ctx, id, "b")), "invalid_argument")
		refused(errorOf(v.m.GetLibraryItemDownloadSessionFile(v.ctx, id, "b")), "invalid_argument")
	})
	v.check("download session: an id of nothing, or of somebody else's, is 404 for everything that takes one", func() {
		statusIs(errorOf(v.m.CreateLibraryItemDownloadSession(v.ctx, library.Session{LibraryItemID: nothing})), http.StatusNotFound)
		_, mine := v.newDownload("a", content(1, 10))
		that(!slices.Contains(get(v.other.ListLibraryItemDownloadSession(v.ctx)), mine), "somebody else's is listed")
		for id, m := range map[string]*library.Manager{nothing: v.m, mine: v.other} {
			statusIs(errorOf(m.GetLibraryItemDownloadSession(v.ctx, id)), http.StatusNotFound)
			statusIs(errorOf(m.ListLibraryItemDownloadSessionFile(v.ctx, id)), http.StatusNotFound)
			statusIs(errorOf(m.PrepareLibraryItemDownloadSessionFile(v.ctx, id, "a")), http.StatusNotFound)
			statusIs(errorOf(m.GetLibraryItemDownloadSessionFile(v.ctx, id, "a")), http.StatusNotFound)
			statusIs(m.KeepAliveLibraryItemDownloadSession(v.ctx, id), http.StatusNotFound)
			statusIs(m.CancelLibraryItemDownloadSession(v.ctx, id), http.StatusNotFound)
			statusIs(m.FailLibraryItemDownloadSession(v.ctx, id), http.StatusNotFound)
			statusIs(m.DeleteLibraryItemDownloadSession(v.ctx, id), http.StatusNotFound)
		}
	})
}
